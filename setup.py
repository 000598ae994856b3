# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""For ``pip install -e .``; everything is declared in ``setup.cfg``. A ROS build goes through CMakeLists.txt."""

from glob import glob

from setuptools import setup

# The message definitions travel with the wheel, so that bags can be written without ROS.
setup(data_files=[("share/hmp_ros/msg", sorted(glob("msg/*.msg")))])
