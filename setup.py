# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""For ``pip install -e .``; everything is declared in ``setup.cfg``. A ROS build goes through CMakeLists.txt."""

from setuptools import setup

setup()
