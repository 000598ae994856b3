# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Hand motion from one camera that survives occlusion. This package never imports ROS."""

__version__ = "0.1.0"
