# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""An operator's hand as the joint angles of a robot hand, through ``dex-retargeting`` (the extra ``teleop``)."""
