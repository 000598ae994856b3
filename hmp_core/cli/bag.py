# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`hmp bag`: a recorded bag with our topics beside its own, without ROS."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from hmp_core.assets import asset_path
from hmp_core.assets.manifest import file_sha256
from hmp_core.cli.console import STDERR, progress_bar, stop_on_interrupt
from hmp_core.cli.options import CameraOption, FovOption, HandLengthOption, JsonOption, ManoOption, MaxHandsOption
from hmp_core.cli.track import INTRINSICS_HINT
from hmp_core.errors import ImageError
from hmp_core.estimate import FrameEstimate, HandStatus
from hmp_core.media.bag_copy import BagCopy
from hmp_core.media.bag_reader import BagReader, Record
from hmp_core.media.bag_source import IMAGE_TYPES, BagSource
from hmp_core.media.hand_replay import HandReplay
from hmp_core.media.hand_topics import HANDS, INFO, OBSERVATIONS, PREDICTED, SMOOTHED, HandTopic
from hmp_core.media.intrinsics import DEFAULT_FOV_DEG, Intrinsics, load_camera
from hmp_core.media.message_fields import Timing, hand_array_fields, info_fields, observation_array_fields
from hmp_core.media.message_reader import observation_from_message
from hmp_core.media.message_types import message_typestore
from hmp_core.media.observation_bag import ObservationBag
from hmp_core.observation import FrameObservation
from hmp_core.pipeline import Pipeline, open_pipeline
from hmp_core.prior.prior import SHIPPED_PRIOR

_FITTED: Final = (INFO, HANDS, SMOOTHED, PREDICTED)


class Evidence(str, Enum):
    """What a replay starts from."""

    IMAGES = "images"
    OBSERVATIONS = "observations"


class _Interrupted(Exception):
    """Ctrl-C, between two messages."""


def bag(
    source: Annotated[Path, typer.Argument(help="Bag: a folder, or its mcap or db3 file.")],
    out: Annotated[Path, typer.Argument(help="Folder of the new bag; must not exist.")],
    evidence: Annotated[
        Evidence | None,
        typer.Option("--from", help="By default images, or observations where the bag has no image."),
    ] = None,
    topic: Annotated[
        str | None,
        typer.Option("--image-topic", "--topic", help="Topic of the images (or observations), among several."),
    ] = None,
    namespace: Annotated[str, typer.Option(help="Namespace of our topics.")] = "/",
    camera: CameraOption = None,
    fov: FovOption = DEFAULT_FOV_DEG,
    mano: ManoOption = None,
    max_hands: MaxHandsOption = 2,
    hand_length: HandLengthOption = 0.0,
    as_json: JsonOption = False,
) -> None:
    """Copy a recorded bag and write our topics beside its own. Ctrl-C ends early and keeps what was done.

    Every image is worked on, however slow the machine, and the same bag gives the same result, bit by bit.
    """
    evidence = evidence or _evidence_in(source)
    with ExitStack() as stack:
        stopped = stack.enter_context(stop_on_interrupt())
        topics = _FITTED if evidence is Evidence.OBSERVATIONS else (OBSERVATIONS, *_FITTED)
        copy = BagCopy(out, source, namespace, topics)
        run = _Run(copy, stopped)
        recording: BagSource | ObservationBag
        if evidence is Evidence.IMAGES:
            intrinsics = Intrinsics(load_camera(camera) if camera else None, fov, INTRINSICS_HINT)
            recording = BagSource(source, intrinsics, topic, run.through)
        else:
            recording = ObservationBag(source, topic, run.through)
        pipeline = open_pipeline(mano, max_hands, hand_length)
        stack.enter_context(copy)
        summary = {"from": evidence.value, **run.replay(recording, pipeline)}
    if as_json:
        print(json.dumps(summary))
    else:
        _print_summary(summary)


def _evidence_in(source: Path) -> Evidence:
    with BagReader(source) as reader:
        blind = not reader.of_type(*IMAGE_TYPES) and reader.of_type(OBSERVATIONS.type_name)
    return Evidence.OBSERVATIONS if blind else Evidence.IMAGES


class _Run:
    """One pass over a bag: its records into the copy, its images or observations into the fitter.

    Args:
        copy: where everything goes.
        stopped: whether to end early.
    """

    def __init__(self, copy: BagCopy, stopped: Callable[[], bool]) -> None:
        self._copy = copy
        self._stopped = stopped
        self._info: dict[str, Any] = {}
        self._frame_id = ""
        self._copied = 0
        self._newest_ns = 0
        self._statuses: Counter[str] = Counter()

    def through(self, records: Iterator[Record]) -> Iterator[Record]:
        """Copy every record before anybody looks into it."""
        for record in records:
            if self._stopped():
                raise _Interrupted
            if self._copied == 0:
                self._copy.write(INFO, record.recorded_ns, self._info)
            self._copy.copy(record)
            self._copied += 1
            self._newest_ns = record.recorded_ns
            yield record

    def replay(self, recording: BagSource | ObservationBag, pipeline: Pipeline) -> dict[str, Any]:
        """Copy, see and fit it all; returns what to report."""
        config = pipeline.fitter.config
        prior = file_sha256(asset_path(SHIPPED_PRIOR))
        self._info = info_fields(pipeline.model.name, prior, config, pipeline.fitter.hand_shape)
        replay = HandReplay(pipeline.fitter, self._write)
        frames, complete = 0, True
        observations = self._see(recording, pipeline) if isinstance(recording, BagSource) else iter(recording)
        with progress_bar() as bar:
            task = bar.add_task("replaying", total=recording.frame_count, note="")
            try:
                for observation in observations:
                    self._frame_id = recording.frame_id
                    replay.take(observation, recording.recorded_ns)
                    frames += 1
                    bar.update(task, completed=frames + sum(recording.skipped.values()))
            except _Interrupted:
                complete = False
                STDERR.print(f"interrupted: {self._copy.path} holds what was done until then")
        replay.finish(self._newest_ns)
        return {
            "topic": recording.topic,
            "complete": complete,
            "frames": frames,
            "skipped": dict(recording.skipped),
            "copied": self._copied,
            "status": {status.name.lower(): self._statuses[status.name.lower()] for status in HandStatus},
            "bag": str(self._copy.path),
        }

    def _see(self, source: BagSource, pipeline: Pipeline) -> Iterator[FrameObservation]:
        """Observations of all images, read back out of their messages: a replay of those gives the same hands."""
        for frame in source:
            try:
                observation = pipeline.perception.process(frame)
            except ImageError as error:
                source.skip("unusable image", str(error))
                continue
            observation = replace(observation, stage_ms={})
            timing = Timing(source.recorded_ns, source.recorded_ns)
            fields = observation_array_fields(observation, source.frame_id, timing)
            data = self._copy.write(OBSERVATIONS, source.recorded_ns, fields)
            yield observation_from_message(message_typestore().deserialize_cdr(data, OBSERVATIONS.type_name))

    def _write(self, topic: HandTopic, recorded_ns: int, estimate: FrameEstimate) -> None:
        if topic is HANDS:
            self._statuses.update(hand.status.name.lower() for hand in estimate.hands)
        fields = hand_array_fields(estimate, self._frame_id, Timing(recorded_ns, recorded_ns))
        self._copy.write(topic, recorded_ns, fields)


def _print_summary(summary: dict[str, Any]) -> None:
    table = Table("what", "value", title=summary["bag"])
    table.add_row(f"{summary['from']} of {summary['topic']}", f"{summary['frames']}")
    for fault, count in summary["skipped"].items():
        table.add_row(f"skipped: {fault}", f"{count}")
    table.add_row("hands by status", ", ".join(f"{count} {name}" for name, count in summary["status"].items()))
    table.add_row("messages copied", f"{summary['copied']}")
    table.add_row("to the end", "yes" if summary["complete"] else "no, interrupted")
    Console().print(table)
