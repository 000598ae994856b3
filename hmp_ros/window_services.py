# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The services of ``window_node``: ``~/pause``, ``~/reset`` and ``~/calibrate``."""

from typing import TYPE_CHECKING, Any, Final

from rclpy.callback_groups import ReentrantCallbackGroup
from std_srvs.srv import SetBool, Trigger

from hmp_ros.window_job import WindowJob

if TYPE_CHECKING:
    from hmp_ros.window_node import WindowNode

_INACTIVE: Final = "the node is not active; see ros2 lifecycle get"


class WindowServices:
    """Hands requests to the job, and answers when its worker has; the executor goes on meanwhile.

    Answers are coroutines in a group of their own: they wait for images, which the same executor must receive.

    Args:
        node: that offers them, in every state; inactive it refuses.
    """

    def __init__(self, node: "WindowNode") -> None:
        self._node = node
        group = ReentrantCallbackGroup()
        node.create_service(SetBool, "~/pause", self._pause, callback_group=group)
        node.create_service(Trigger, "~/reset", self._reset, callback_group=group)
        node.create_service(Trigger, "~/calibrate", self._calibrate, callback_group=group)

    def _pause(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        job = self._node.working
        if isinstance(job, WindowJob):
            job.paused = request.data
            return _answered(
                response, True, "paused: hands are LOST after the time-out" if request.data else "working"
            )
        return _answered(response, False, _INACTIVE)

    async def _reset(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        job = self._node.working
        if isinstance(job, WindowJob):
            return _answered(response, *await job.reset())
        return _answered(response, False, _INACTIVE)

    async def _calibrate(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        job = self._node.working
        if isinstance(job, WindowJob):
            return _answered(response, *await job.calibrate())
        return _answered(response, False, _INACTIVE)


def _answered(response: Any, success: bool, message: str) -> Any:
    response.success, response.message = success, message
    return response
