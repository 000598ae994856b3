# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What our lifecycle nodes have in common: a job that is made by configuring and worked on while active."""

import traceback
from abc import abstractmethod
from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn

from hmp_core.errors import HmpError
from hmp_core.threads import use_one_thread
from hmp_ros import diagnostics, qos
from hmp_ros.diagnostics import Health
from hmp_ros.parameters import LiveParameters, parameter
from hmp_ros.topics import Topics
from hmp_ros.worker import Worker

Parameters = TypeVar("Parameters")


def autostart() -> Any:
    """The parameter field that every managed node has."""
    return parameter(True, "Configure and activate without being told to; false: a lifecycle manager does.")


class Job(Protocol):
    """What a configured node does: it owns the models, and is forgotten by cleaning up."""

    def open(self) -> None:
        """Subscribe and begin anew: what was seen before is of the past."""

    def work(self) -> None:
        """Run in the worker's thread until :meth:`interrupt`."""

    def interrupt(self) -> None:
        """Make :meth:`work` return soon; called from another thread."""

    def health(self) -> Health:
        """How it does."""


class ManagedNode(LifecycleNode, Generic[Parameters]):
    """A lifecycle node whose heavy work runs in a thread of its own while it is active.

    ====================  ===========================================================================
    configure             reads the parameters, loads the models, opens the topics it writes
    activate, deactivate  subscribes and starts the worker; unsubscribes and waits for its end
    cleanup               closes the topics and frees the models
    ====================  ===========================================================================

    Transitions run in the executor's thread, one at a time; the worker lives only between activate and deactivate,
    so nothing it uses is ever taken from under it. Configuring that fails says why and leaves the node
    unconfigured. Diagnostics are published in every state, on the wall clock: their absence means that the process
    is gone.

    Args:
        name: of the node.
        kind: dataclass of its parameters, with a field ``autostart``.
        options: of ``rclpy.lifecycle.LifecycleNode``.

    Raises:
        ConfigError: a parameter is out of range.
    """

    def __init__(self, name: str, kind: type[Parameters], **options: Any) -> None:
        super().__init__(name, **options)
        self._job: Job | None = None
        self._worker: Worker | None = None
        self._refused = ""
        self.topics = Topics(self)
        self.parameters: LiveParameters[Any] = LiveParameters(self, kind, self.check)
        self._diagnostics = self.create_publisher(DiagnosticArray, "/diagnostics", qos.HANDS)
        self.create_timer(diagnostics.PERIOD_S, self._diagnose, clock=Clock(clock_type=ClockType.STEADY_TIME))

    @abstractmethod
    def check(self, parameters: Parameters) -> object:
        """Raise ``ConfigError`` for values that do not fit together."""

    @abstractmethod
    def make_job(self) -> Job:
        """Load the models and open the topics to write; may raise any ``HmpError``."""

    @property
    def working(self) -> Job | None:
        """The job while the node is active."""
        return None if self._worker is None else self._job

    @property
    def failure(self) -> Exception | None:
        """The exception that ended the worker, None while all is well."""
        return None if self._worker is None else self._worker.failure

    def start(self) -> bool:
        """Configure and activate, if that is not left to others; False after an error, which has been told."""
        if not self.parameters.read().autostart:
            self.get_logger().info(f"waiting: ros2 lifecycle set {self.get_fully_qualified_name()} configure")
            return True
        success = TransitionCallbackReturn.SUCCESS
        return self.trigger_configure() == success and self.trigger_activate() == success

    def stop(self) -> None:
        """Interrupt the worker and wait for what it has in hand."""
        if self._job is not None and self._worker is not None:
            self._job.interrupt()
            self._worker.join()

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Make the job."""
        return self._transition(self._configure)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Begin to work."""
        return self._transition(self._activate)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """End the work and keep the models."""
        return self._transition(self._deactivate)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Forget the job."""
        return self._transition(self._release)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Forget the job, for good."""
        return self._transition(self._release)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """After a transition that failed: back to unconfigured, from where it can be tried again."""
        return self._transition(self._release)

    def _configure(self) -> None:
        use_one_thread()
        try:
            self._job = self.make_job()
        except HmpError:
            self.topics.close()
            raise
        self.parameters.locked = True

    def _activate(self) -> None:
        assert self._job is not None
        self._job.open()
        self._worker = Worker(self.get_name(), self._job.work, self.context)
        self._worker.start()

    def _deactivate(self) -> None:
        self.topics.unsubscribe()
        if self._job is not None and self._worker is not None:
            self._job.interrupt()
            if not self._worker.join():
                raise RuntimeError("the worker does not end")
        self._worker = None

    def _release(self) -> None:
        self._deactivate()
        self.topics.close()
        self._job = None
        self.parameters.locked = False

    def _transition(self, step: Callable[[], None]) -> TransitionCallbackReturn:
        """Run one; rclpy itself would swallow what it raises."""
        self._refused = ""
        try:
            step()
        except HmpError as error:
            self._refused = f"{type(error).__name__}: {error}"
            self.get_logger().error(self._refused)
            return TransitionCallbackReturn.FAILURE
        except Exception:
            # A signal may have ended the context in the meantime, which is no failure.
            if self.context.ok():
                self._refused = traceback.format_exc()
                self.get_logger().error(self._refused)
            return TransitionCallbackReturn.ERROR
        return TransitionCallbackReturn.SUCCESS

    def _diagnose(self) -> None:
        job = self.working
        if job is not None:
            health = job.health()
        elif self._refused:
            health = Health(self._refused, DiagnosticStatus.ERROR)
        else:
            health = Health(
                f"{'unconfigured' if self._job is None else 'inactive'}: waits for its lifecycle manager"
            )
        now, name = self.get_clock().now().to_msg(), self.get_fully_qualified_name()
        self._diagnostics.publish(
            diagnostics.build_diagnostics(now, name, health.complaint, health.values, health.level)
        )
