# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The figures of ``hmp bench``, part by part; None where a part was not measured."""

import json
import subprocess
import sys
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np

from hmp_core.assets import asset_path
from hmp_core.errors import SourceError
from hmp_core.evaluation.benchmark_clips import BenchmarkClip, one_hand_clip, shipped_clip, two_hands_clip
from hmp_core.evaluation.solver_race import OFFLINE, ONLINE, Contender, SolverRace, ratios
from hmp_core.evaluation.stage_times import STAGES, StageTimes, peak_memory_mb, spread
from hmp_core.fitting.stages import read_stage_table
from hmp_core.pipeline import open_pipeline
from hmp_core.prior.prior import load_prior

_OFFLINE_S: Final = 4.0
_DDS_S: Final = 60.0
_RATE_HZ: Final = 30.0
"""Of the clips; of another video as many images are taken."""
_START_S: Final = 300.0
"""For nodes to start and end, on a busy machine."""
_NO_RATIOS: Final = {"compute_ratio_vs_paper": None, "hidden_error_ratio_vs_paper": None}


Report = Callable[[str, int, int | None], None]
"""Told what goes on, how much of it is done, and how much there is, None where nobody knows."""


class Benchmark:
    """Measures one part after the other.

    Args:
        cache: folder where made clips are kept.
        clip: of one hand, for stages and DDS; None for the shipped one.
        seconds: of video in every part [s]; None for the whole clip, 4 and 60 s.
        report: see ``Report``.

    Attributes:
        figures: ``stage_ms`` {stage: spread} and ``online_solve_ms`` on one hand; ``fps`` with ``one_hand`` and
            ``two_hands``; ``offline`` and ``online`` as :func:`~hmp_core.evaluation.solver_race.ratios`; ``dds``,
            ``dds_two_hands`` and ``dds_without_profile`` with ``hz``, ``latency_ms`` and ``dropped``;
            ``rss_mb``. A spread has ``median`` and ``p95``.
        contenders: of the race, by name.
        left_out: parts that cannot be measured here, and why.
    """

    def __init__(self, cache: Path, clip: BenchmarkClip | None, seconds: float | None, report: Report) -> None:
        self._cache = cache
        self._clip = clip
        self._seconds = seconds
        self._report = report
        self.contenders: dict[str, Contender] = {}
        self.left_out: dict[str, str] = {}
        unheard = {"hz": None, "latency_ms": spread([]), "dropped": None}
        self.figures: dict[str, Any] = {
            "stage_ms": {stage: spread([]) for stage in STAGES},
            "online_solve_ms": spread([]),
            "fps": {"one_hand": None, "two_hands": None},
            "offline": _NO_RATIOS,
            "online": _NO_RATIOS,
            "dds": unheard,
            "dds_two_hands": unheard,
            "dds_without_profile": unheard,
            "rss_mb": None,
        }

    def stages(self) -> None:
        """Times of the stages, images a second, memory."""
        one = self._times("one hand", self._clip or shipped_clip())
        self.figures |= one.summary()
        self.figures["rss_mb"] = peak_memory_mb()  # before anything else takes memory
        two = self._times("two hands", self._two_hands())
        self.figures["fps"] = {"one_hand": one.fps(), "two_hands": two.fps()}

    def offline(self) -> None:
        """Our solvers against the paper's schedule, always on the shipped clip, whose truth is known."""
        source, pipeline = shipped_clip().open(), open_pipeline()
        frames = round((self._seconds or _OFFLINE_S) * _RATE_HZ)
        observations = []
        for frame in islice(source, frames):
            observations.append(pipeline.perception.process(frame))
            self._report("looking", len(observations), frames)
        with np.load(asset_path("demo/truth.npz")) as arrays:
            truth = arrays["joints_camera"][: len(observations), 0]
        table = read_stage_table("default")
        race = SolverRace(pipeline.model, load_prior(), table, {"paper_lab_adam": read_stage_table("paper_lab")})
        fits = 0

        def advance(_: str) -> None:
            nonlocal fits
            fits += 1
            self._report("solvers", fits, race.fits)

        self._report("solvers", 0, race.fits)
        self.contenders = race.run(observations, truth, advance)
        self.figures |= {name: ratios(self.contenders, name) for name in (OFFLINE, ONLINE)}

    def dds(self) -> None:
        """Rate and latency through the real nodes."""
        if self._clip is None:
            one = one_hand_clip(self._cache, lambda done, total: self._report("clip of one hand", done, total))
        else:
            one = self._clip
        rows = {"dds": (one, True), "dds_two_hands": (self._two_hands(), True), "dds_without_profile": (one, False)}
        for done, (name, (clip, profile)) in enumerate(rows.items()):
            self._report("through DDS", done, len(rows))
            try:
                self.figures[name] = self._through_dds(clip, profile)
            except SourceError as error:
                self.left_out[name] = str(error)
        self._report("through DDS", len(rows), len(rows))

    def _times(self, name: str, clip: BenchmarkClip) -> StageTimes:
        source = clip.open()
        frames = None if self._seconds is None else round(self._seconds * _RATE_HZ)
        done = 0

        def advance() -> None:
            nonlocal done
            done += 1
            self._report(name, done, frames or source.frame_count)

        return StageTimes.of(open_pipeline(), islice(source, frames), advance)

    def _two_hands(self) -> BenchmarkClip:
        return two_hands_clip(self._cache, lambda done, total: self._report("clip of two hands", done, total))

    def _through_dds(self, clip: BenchmarkClip, profile: bool) -> dict[str, Any]:
        """One run, in a process of its own: this package does not know ROS.

        Raises:
            SourceError: why it cannot be measured.
        """
        seconds = self._seconds or _DDS_S
        command = [sys.executable, "-m", "hmp_ros.bench", str(clip.video), "--seconds", str(seconds)]
        command += ["--camera", str(clip.camera)] if clip.camera else []
        command += [] if profile else ["--no-profile"]
        try:
            result = subprocess.run(
                command, capture_output=True, text=True, timeout=seconds + _START_S, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise SourceError(f"no answer within {error.timeout:.0f} s") from error
        if result.returncode != 0:
            lines = result.stderr.strip().splitlines() or [f"exit code {result.returncode}"]
            advice = "; it needs ROS 2 and the built package: run `make setup` and `source install/setup.bash`"
            raise SourceError(lines[-1] + (advice if "ModuleNotFoundError" in lines[-1] else ""))
        figures: dict[str, Any] = json.loads(result.stdout)
        return figures
