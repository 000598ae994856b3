#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Fit the linear and the mixture model of motion clips that ``hmp eval prior`` compares a prior with.

Run from the repository root, with the configuration and the motion files that the prior was trained with::

    python tools/fit_prior_baselines.py config/prior_realtime.yaml --data leap_motion_60hz.npz \\
        --out hmp_core/assets/prior_baselines.safetensors

Held-out signs, generated motion and its share are those of ``hmp train``. Errors on the signs that parameters are
tuned on go to stderr.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from hmp_core.evaluation.baseline_models import save_baselines
from hmp_core.evaluation.baseline_tuning import CLIPS, fit_baselines
from hmp_core.hand.loading import load_hand_model
from hmp_core.prior.chain import FingerBones
from hmp_core.threads import use_one_thread
from hmp_core.training.config import read_training_config
from hmp_core.training.corpus import gather_corpus


def main() -> None:
    """Gather the motion, fit, and write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path, help="YAML file of the training run")
    parser.add_argument("--data", type=Path, action="append", default=[], help="motion file; repeat for several")
    parser.add_argument("--out", type=Path, required=True, help="file to write")
    parser.add_argument("--cache", type=Path, default=Path("~/.cache/hmp_ros"), help="folder of retargeted motion")
    parser.add_argument("--clips", type=int, default=CLIPS, help="clips to fit on")
    arguments = parser.parse_args()
    use_one_thread()
    config = read_training_config(arguments.config)
    model = load_hand_model()
    bones = FingerBones.of(model)
    corpus = gather_corpus(
        config,
        arguments.config.parent,
        arguments.data,
        model,
        bones,
        arguments.cache.expanduser(),
        lambda done, total, what: None,
    )
    models = fit_baselines(
        config, corpus.sources, bones, lambda line: print(line, file=sys.stderr, flush=True), arguments.clips
    )
    save_baselines(arguments.out, models)
    print(arguments.out)


if __name__ == "__main__":
    main()
