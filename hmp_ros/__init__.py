# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The ROS 2 side: nodes that convert, call :mod:`hmp_core` and publish.

A ROS build installs the message generator's empty ``__init__.py`` in place of this file, so nothing may be
imported from here. In the source tree the next line lets ``hmp_ros.msg`` come from the built overlay.
"""

from pkgutil import extend_path

__path__ = extend_path(__path__, __name__)
