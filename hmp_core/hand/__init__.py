# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The hand itself: skeleton, model, kinematics, mirroring, operator frame."""
