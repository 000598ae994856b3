# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The paper's motion prior (HMP, Duran et al. 2024, on NeMF, He et al. 2022), written from the description."""
