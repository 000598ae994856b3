# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The whole pipeline against a data set's truth: both tables, and what was left out.

The report is that of :mod:`~hmp_core.evaluation.occlusion_report`, and beside it ``published``
(:mod:`~hmp_core.evaluation.published_measures`), ``by_status`` {status: {"frames", "ra_mpjpe_mm"}} of the online
fitter (``lost``: the product would have given the hand up by then; ``absent``: there was none yet, or of the other
side alone, and no error is counted), ``frames`` with truth, ``sequences`` measured, ``skipped`` {name:
reason}, ``unusable_images``, and ``truth_mesh_mm``: how far the joints of the annotated poses, by the user's MANO,
are from the annotated joints; more than a millimetre or two means that mesh figures cannot be trusted.

The occlusion subset keeps the frames in which at least a quarter of the joints are hidden. (The paper's HO3D-OCC is
"an occlusion-focused subset of HO3D" whose list is not public; this is another one, that anybody can compute.)
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, Final

import numpy as np

from hmp_core.errors import CameraError, DataError
from hmp_core.estimate import HandStatus
from hmp_core.evaluation.labelled import RATE_HZ, LabelledSequence
from hmp_core.evaluation.metrics import ra_mpjpe
from hmp_core.evaluation.occlusion_page import Trace, trace_of
from hmp_core.evaluation.occlusion_report import HandRun, OcclusionReport
from hmp_core.evaluation.published_measures import PublishedMeasures
from hmp_core.evaluation.sequence_run import METHODS, SequenceRun, SequenceRunner
from hmp_core.hand.mesh import HandMesh

OCCLUDED_SHARE: Final = 0.25
"""Of the joints of a frame of the occlusion subset."""
_STATUSES: Final = ("observed", "partial", "infilled", "lost", "absent")
_PLOTTED: Final = 6
_log = logging.getLogger(__name__)


class DatasetBenchmark:
    """Runs sequences and sums them up.

    Args:
        runner: with the pipeline to be measured.
        with_mesh: whether its hand model is the data set's, so that meshes can be compared.
        occluded_only: count the occlusion subset alone.

    Attributes:
        traces: errors over time of the first sequences.
    """

    def __init__(self, runner: SequenceRunner, with_mesh: bool, occluded_only: bool = False) -> None:
        self._runner = runner
        self._meshes = {side: HandMesh(model) for side, model in runner.models.items()} if with_mesh else {}
        self._occluded_only = occluded_only
        self._report = OcclusionReport(METHODS, RATE_HZ)
        self._published = PublishedMeasures(METHODS)
        self._sequences = 0
        self._skipped: dict[str, str] = {}
        self._unusable_images = 0
        self._truth_gaps: list[float] = []
        self._by_status: dict[str, list[float]] = {name: [] for name in _STATUSES}
        self.traces: list[Trace] = []

    def run(
        self, sequences: Iterable[LabelledSequence], advance: Callable[[], None]
    ) -> Iterable[tuple[LabelledSequence, SequenceRun]]:
        """Measure sequences one by one; one that cannot be read is skipped with a warning.

        Args:
            sequences: of the data set.
            advance: called after each frame.

        Yields:
            Each measured sequence and what the pipeline made of it.
        """
        for sequence in sequences:
            try:
                result = self._runner.run(sequence, advance)
            except (DataError, CameraError) as error:
                _log.warning("sequence %s is left out: %s", sequence.name, error)
                self._skipped[sequence.name] = str(error)
                continue
            self._add(sequence.name, result)
            yield sequence, result

    def summary(self) -> dict[str, Any]:
        """The report; see the module."""
        gaps = self._truth_gaps
        return {
            **self._report.summary(),
            "published": self._published.summary(),
            "by_status": {name: _frames_and_mean(errors) for name, errors in self._by_status.items()},
            "frames": self._published.frames,
            "sequences": self._sequences,
            "skipped": self._skipped,
            "unusable_images": self._unusable_images,
            "truth_mesh_mm": round(float(np.mean(gaps)), 4) if gaps else None,
        }

    def _add(self, name: str, result: SequenceRun) -> None:
        run = result.run
        if self._occluded_only:
            occluded = run.hidden.mean(axis=1) >= OCCLUDED_SHARE
            run = replace(run, truth_camera=np.where(occluded[:, None, None], run.truth_camera, np.nan))
        self._sequences += 1
        self._unusable_images += result.unusable_images
        self._report.add(run)
        self._add_statuses(run, result.statuses)
        if len(self.traces) < _PLOTTED:
            self.traces.append(trace_of(run, np.arange(len(run.hidden)) / RATE_HZ, name))
        self._published.add(run)
        if self._meshes:
            counted = np.asarray(np.isfinite(run.truth_camera).all(axis=(1, 2)))
            self._published.add_meshes(self._meshes[run.side], result.true_poses, result.poses, counted)
            for truth, pose in zip(run.truth_camera, result.true_poses, strict=True):
                if pose is not None and np.isfinite(truth).all():
                    away = np.linalg.norm(self._runner.joints(pose, run.side) - truth, axis=-1)
                    self._truth_gaps.append(1000 * float(away.mean()))

    def _add_statuses(self, run: HandRun, statuses: list[HandStatus | None]) -> None:
        errors = ra_mpjpe(run.outputs["online"].joints_camera, run.truth_camera)
        for status, error, truth in zip(statuses, errors.tolist(), run.truth_camera, strict=True):
            if np.isfinite(truth).all():
                self._by_status["absent" if status is None else status.name.lower()].append(error)


def _frames_and_mean(errors: list[float]) -> dict[str, float | None]:
    """How many, and the mean of those that are numbers."""
    known = [error for error in errors if np.isfinite(error)]
    return {"frames": len(errors), "ra_mpjpe_mm": round(float(np.mean(known)), 4) if known else None}
