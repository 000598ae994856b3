# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ROS 2 nodes of the hand-motion prior.

colcon installs rosidl's own (empty) ``__init__.py`` in this file's place, so nothing may be imported from here.
The two lines below let code that runs from the source tree find the generated ``hmp_ros.msg``.
"""

from pkgutil import extend_path

__path__ = extend_path(__path__, __name__)
