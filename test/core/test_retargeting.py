# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Operator's hand to robot hand, without ROS: the shipped configurations, and what a robot is told when."""

import builtins
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import roma
import torch
import yaml
from operator_poses import FIST, OPEN, PINCH, POINT, POSES, between, operator_joints

from hmp_core.errors import ConfigError, DataError
from hmp_core.estimate import FrameEstimate, HandEstimate, HandStatus
from hmp_core.hand.skeleton import Side
from hmp_core.observation import ManoPose
from hmp_core.retargeting.configuration import read_configuration
from hmp_core.retargeting.retargeter import HandRetargeter
from hmp_core.retargeting.teleoperation import LONGEST_STEP_S, Teleoperation

pin = pytest.importorskip("pinocchio", reason="needs the extra teleop")
pytest.importorskip("dex_retargeting", reason="needs the extra teleop")

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "config" / "retargeting"
CLIP = ROOT.parent / "shared/data/video/dexr_hand_joints.npz"
SHIPPED = [(kind, side) for kind in ("vector", "dexpilot") for side in Side]
FRAME_NS = 33_333_333
SETTLE = 40
"""Solves until a pose is reached: each is drawn to the one before."""


def shipped(kind="vector", side=Side.RIGHT):
    return read_configuration(FOLDER / f"allegro_{kind}_{side.value}.yml")


@pytest.fixture(scope="module")
def retargeters():
    return {(kind, side): HandRetargeter(shipped(kind, side), side) for kind, side in SHIPPED}


@pytest.fixture
def retargeter(retargeters):
    return fresh(retargeters["vector", Side.RIGHT])


def fresh(retargeter):
    retargeter.restart(retargeter.robot.neutral)
    return retargeter


def settled(retargeter, pose, side=Side.RIGHT):
    fresh(retargeter)
    return [retargeter.solve(operator_joints(pose, side)) for _ in range(SETTLE)][-1]


def tips_of(angles, side):
    """Thumb, index, middle and ring tips in the palm's axes [4, 3] [m], through pinocchio and the URDF alone."""
    model = pin.buildModelFromUrdf(str(FOLDER / f"allegro_{side.value}.urdf"))
    data = model.createData()
    q = np.zeros(model.nq)
    for number, angle in enumerate(angles):
        q[model.joints[model.getJointId(f"joint_{number}.0")].idx_q] = angle
    pin.framesForwardKinematics(model, data, q)
    fingers = (15, 3, 7, 11) if side is Side.RIGHT else (15, 11, 7, 3)
    return np.array([data.oMf[model.getFrameId(f"link_{n}.0_tip")].translation for n in fingers])


def flexion(angles):
    """Sum of the three flexing joints of each finger but the thumb [3] [rad]."""
    return np.asarray(angles).reshape(4, 4)[:3, 1:].sum(axis=1)


def estimate(*hands, stamp_ns=0):
    return FrameEstimate(stamp_ns=stamp_ns, hands=hands)


def hand(joints, side=Side.RIGHT, status=HandStatus.OBSERVED, track=1):
    return HandEstimate(
        track_id=track,
        side=side,
        side_score=1.0,
        status=status,
        score=1.0,
        since_observed_ns=0,
        joints_camera=joints,
        joint_stddev_m=np.zeros(21),
        joint_observed=np.ones(21, bool),
        mano=ManoPose(np.zeros((16, 3)), np.zeros(10), np.zeros(3)),
        R_camera_wrist=np.eye(3),
        wrist_covariance=np.zeros((6, 6)),
    )


class TestShippedHand:
    def test_urdf_files_are_what_the_tool_writes(self, monkeypatch):
        monkeypatch.syspath_prepend(ROOT / "tools")
        import make_allegro_urdf

        for side in Side:
            assert (FOLDER / f"allegro_{side.value}.urdf").read_text() == make_allegro_urdf.document(side.value)

    def test_the_left_hand_mirrors_the_right_one(self, retargeters):
        rng = np.random.default_rng(0)
        robot = retargeters["vector", Side.RIGHT].robot
        for _ in range(5):
            right = rng.uniform(robot.lower, robot.upper).reshape(4, 4)
            left = right[[2, 1, 0, 3]]
            left[:3, 0] *= -1.0  # the fingers' first joints turn the same way on both hands
            mirrored = tips_of(left.reshape(16), Side.LEFT) * [1, -1, 1]
            np.testing.assert_allclose(mirrored, tips_of(right.reshape(16), Side.RIGHT), atol=1e-9)

    @pytest.mark.parametrize("side", list(Side))
    def test_its_axes_are_those_of_the_operator_frame(self, side):
        straight = np.zeros(16)
        thumb, index, middle, ring = tips_of(straight, side)
        assert middle[2] == pytest.approx(0.0007 + 0.0164 + 0.054 + 0.0384 + 0.0267)
        assert np.sign(index[1] - ring[1]) == (1 if side is Side.RIGHT else -1), "the index is on the thumb's side"
        assert np.sign(thumb[1]) == np.sign(index[1])
        straight[1:12:4] = 1.0
        assert (tips_of(straight, side)[1:, 0] > 0.05).all(), "fingers bend out of the palm"

    def test_joints_are_in_the_order_of_the_file(self, retargeters):
        for retargeter in retargeters.values():
            assert retargeter.robot.names == tuple(f"joint_{number}.0" for number in range(16))
            assert (retargeter.robot.max_velocity == 7.0).all()
            assert retargeter.robot.neutral[12] == 0.263, "zero is beyond the thumb's limit"
            assert np.count_nonzero(retargeter.robot.neutral) == 1


@pytest.mark.parametrize(("kind", "side"), SHIPPED, ids=[f"{kind}-{side.value}" for kind, side in SHIPPED])
class TestShippedConfigurations:
    def test_poses_are_recognisable(self, kind, side, retargeters):
        retargeter = retargeters[kind, side]
        angles = {pose: settled(retargeter, pose, side) for pose in POSES}
        for pose in POSES:
            assert (angles[pose] >= retargeter.robot.lower).all()
            assert (angles[pose] <= retargeter.robot.upper).all()
        index, middle, ring = (2, 1, 0) if side is Side.LEFT else (0, 1, 2)
        assert flexion(angles[OPEN]).max() < 1.0
        assert flexion(angles[FIST]).min() > 3.8
        assert flexion(angles[POINT])[index] < 1.1
        assert flexion(angles[POINT])[[middle, ring]].min() > 3.8
        tips = {pose: tips_of(angles[pose], side) for pose in POSES}
        assert (tips[OPEN][1:, 2] > 0.11).all(), "straight fingers reach far beyond the knuckles"
        assert (tips[FIST][1:, 2] < 0.05).all()
        gap = {pose: np.linalg.norm(tips[pose][0] - tips[pose][1]) for pose in POSES}
        assert gap[PINCH] < 0.027, "the tips' spheres, 12 mm each, touch"
        assert gap[OPEN] > 0.12

    def test_sides_do_the_same(self, kind, side, retargeters):
        right = settled(retargeters[kind, Side.RIGHT], FIST)
        left = settled(retargeters[kind, Side.LEFT], FIST, Side.LEFT).reshape(4, 4)[[2, 1, 0, 3]]
        left[:3, 0] *= -1.0
        np.testing.assert_allclose(left.reshape(16), right, atol=0.05)

    def test_the_real_clip_stays_within_limits(self, kind, side, retargeters):
        if side is Side.LEFT:
            pytest.skip("the clip shows a right hand")
        if not CLIP.exists():
            pytest.skip(f"needs {CLIP.name} of the shared data")
        retargeter = fresh(retargeters[kind, side])
        joints = np.load(CLIP)["joints"][::2].astype(np.float64)
        angles = np.array([retargeter.solve(points) for points in joints])
        assert (angles >= retargeter.robot.lower).all()
        assert (angles <= retargeter.robot.upper).all()
        human = np.linalg.norm(joints[:, (8, 12, 16)] - joints[:, :1], axis=-1).mean(axis=1)
        robot = np.array([flexion(frame).mean() for frame in angles])
        assert np.corrcoef(human, robot)[0, 1] < -0.9, "the farther the tips, the straighter the robot's fingers"
        assert np.median(robot[np.argsort(human)[-20:]]) < 1.0, "the most open frames"
        assert np.median(robot[np.argsort(human)[:20]]) > 3.5, "the fists"


class TestRetargeter:
    def test_neither_place_nor_size_nor_view_matter(self, retargeter):
        first = settled(retargeter, POINT)
        generator = torch.Generator().manual_seed(3)
        rotation = roma.random_rotmat(dtype=torch.float64, generator=generator).numpy()
        fresh(retargeter)
        moved = 0.7 * operator_joints(POINT) @ rotation.T + [0.1, -0.2, 0.5]
        second = [retargeter.solve(moved) for _ in range(SETTLE)][-1]
        np.testing.assert_allclose(second, first, atol=0.02)

    def test_the_same_motion_gives_the_same_angles(self, retargeter):
        path = between(OPEN, FIST, 12)
        runs = []
        for _ in range(2):
            fresh(retargeter)
            runs.append([retargeter.solve(joints) for joints in path])
        np.testing.assert_array_equal(*runs)

    @pytest.mark.parametrize("bad", [np.zeros((21, 3)), np.full((21, 3), np.nan)], ids=["collapsed", "NaN"])
    def test_an_impossible_hand_is_refused(self, bad, retargeter):
        with pytest.raises(DataError, match="21 finite joints"):
            retargeter.solve(bad)

    def test_axes_of_the_root_link_may_differ(self, tmp_path, retargeter):
        """A URDF whose root is turned against the operator frame works the same once that is said."""
        text = (FOLDER / "allegro_right.urdf").read_text()
        turned = text.replace(
            '<link name="palm_link">',
            '<link name="mount"/><joint name="mounted" type="fixed"><parent link="mount"/><child link="palm_link"/>'
            '<origin xyz="0 0 0.1" rpy="0.5 -1.0 2.0"/></joint><link name="palm_link">',
            1,
        )
        (tmp_path / "turned.urdf").write_text(turned)
        sections = yaml.safe_load((FOLDER / "allegro_vector_right.yml").read_text())
        sections["retargeting"]["urdf_path"] = "turned.urdf"
        sections["robot"] = {"operator_rpy": [0.5, -1.0, 2.0]}
        (tmp_path / "turned.yml").write_text(yaml.safe_dump(sections))
        mounted = HandRetargeter(read_configuration(tmp_path / "turned.yml"), Side.RIGHT)
        np.testing.assert_allclose(settled(mounted, POINT), settled(retargeter, POINT), atol=0.02)

    @pytest.mark.parametrize("kind", ["", "_dexpilot"], ids=["vector", "DexPilot"])
    def test_configurations_of_dex_retargeting_work_unchanged(self, kind):
        import dex_retargeting

        folder = Path(dex_retargeting.__file__).parent / "configs" / "teleop"
        theirs = read_configuration(folder / f"allegro_hand_right{kind}.yml", FOLDER / "allegro_right.urdf")
        retargeter = HandRetargeter(theirs, Side.RIGHT)
        assert flexion(settled(retargeter, FIST)).min() > 3.0
        assert flexion(settled(retargeter, OPEN)).max() < 1.5

    def test_joints_left_out_stay_where_they_start(self, tmp_path):
        sections = yaml.safe_load((FOLDER / "allegro_vector_right.yml").read_text())
        moving = [f"joint_{number}.0" for number in range(16) if number not in (8, 9, 10, 11)]
        sections["retargeting"].update(
            target_joint_names=moving[::-1], urdf_path=str(FOLDER / "allegro_right.urdf")
        )
        sections["robot"] = {"neutral": {"joint_9.0": 0.5, "joint_1.0": 0.4}}
        (tmp_path / "three.yml").write_text(yaml.safe_dump(sections))
        retargeter = HandRetargeter(read_configuration(tmp_path / "three.yml"), Side.RIGHT)
        assert list(retargeter.robot.names) == moving, "the file's order, whatever the configuration's"
        assert retargeter.robot.neutral[1] == 0.4
        assert flexion([*settled(retargeter, FIST)[:8], *[0.0] * 8])[:2].min() > 3.8

    def test_joints_that_mimic_others_are_not_commanded(self, tmp_path):
        urdf = (FOLDER / "allegro_right.urdf").read_text()
        text = urdf.replace('<child link="link_3.0" />', '<child link="link_3.0" /><mimic joint="joint_2.0"/>')
        (tmp_path / "mimic.urdf").write_text(text)
        sections = yaml.safe_load((FOLDER / "allegro_vector_right.yml").read_text())
        moving = [f"joint_{number}.0" for number in range(16) if number != 3]
        sections["retargeting"].update(urdf_path="mimic.urdf", target_joint_names=moving)
        (tmp_path / "mimic.yml").write_text(yaml.safe_dump(sections))
        retargeter = HandRetargeter(read_configuration(tmp_path / "mimic.yml"), Side.RIGHT)
        assert list(retargeter.robot.names) == moving
        assert settled(retargeter, FIST)[1:3].min() > 1.2

    def test_without_dex_retargeting_it_says_what_to_install(self, monkeypatch):
        real = builtins.__import__

        def missing(name, *arguments, **options):
            if name.startswith("dex_retargeting"):
                raise ImportError("No module named 'dex_retargeting'")
            return real(name, *arguments, **options)

        monkeypatch.delitem(sys.modules, "dex_retargeting.retargeting_config", raising=False)
        monkeypatch.setattr(builtins, "__import__", missing)
        with pytest.raises(ConfigError, match=r"pip install 'hmp_ros\[teleop\]'"):
            HandRetargeter(shipped(), Side.RIGHT)


class TestConfiguration:
    @pytest.mark.parametrize(
        ("change", "told"),
        [
            ({"type": "position"}, "type must be vector or DexPilot, got 'position'"),
            ({"type": None}, "type must be vector or DexPilot"),
            ({"urdf_path": "nowhere.urdf"}, "nowhere.urdf does not exist"),
            ({"urdf_path": None}, "urdf_path is missing"),
            ({"add_dummy_free_joint": True}, "no free joint"),
            ({"target_task_link_names": ["tip"]}, "dex-retargeting cannot use it"),
            ({"wrist": "palm"}, "dex-retargeting cannot use it.*wrist"),
            ({"target_link_human_indices": [[5] * 8, [21] * 8]}, "target_link_human_indices go from 0 to 20"),
        ],
    )
    def test_bad_entries_are_told(self, change, told, tmp_path):
        sections = yaml.safe_load((FOLDER / "allegro_vector_right.yml").read_text())
        sections["retargeting"]["urdf_path"] = str(FOLDER / "allegro_right.urdf")
        sections["retargeting"].update(change)
        if change.get("urdf_path", "") is None:
            del sections["retargeting"]["urdf_path"]
        (tmp_path / "hand.yml").write_text(yaml.safe_dump(sections))
        with pytest.raises(ConfigError, match=told):
            HandRetargeter(read_configuration(tmp_path / "hand.yml"), Side.RIGHT)

    @pytest.mark.parametrize(
        ("robot", "told"),
        [
            ({"operator_rpy": [0.0, 1.0]}, "operator_rpy must be three angles"),
            ({"operator_rpy": [0.0, "a", 0.0]}, "operator_rpy must be three angles"),
            ({"neutral": [0.1]}, "neutral must map joint names"),
            ({"neutral": {"joint_1.0": "bent"}}, "joint_1.0 must be an angle"),
            ({"neutral": {"joint_99": 0.1}}, "neutral names .*joint_99"),
            ({"neutral": {"joint_1.0": 9.0}}, "beyond its limits"),
            ({"speed": 1.0}, "robot has no speed"),
            ([1], "must hold names and values"),
        ],
    )
    def test_bad_words_about_the_robot_are_told(self, robot, told, tmp_path):
        sections = yaml.safe_load((FOLDER / "allegro_vector_right.yml").read_text())
        sections["retargeting"]["urdf_path"] = str(FOLDER / "allegro_right.urdf")
        (tmp_path / "hand.yml").write_text(yaml.safe_dump({**sections, "robot": robot}))
        with pytest.raises(ConfigError, match=told):
            HandRetargeter(read_configuration(tmp_path / "hand.yml"), Side.RIGHT)

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            (None, "cannot be read"),
            ("retargeting: [", "is not YAML"),
            ("- 1", "has no section 'retargeting'"),
            ("retargeting: 3", "must hold names and values"),
            ("retargeting: {}\nrobots: {}", "unknown section robots"),
            ("retargeting: !!python/object/apply:os.getcwd []", "is not YAML"),
        ],
    )
    def test_bad_files_are_told(self, text, told, tmp_path):
        path = tmp_path / "hand.yml"
        if text is not None:
            path.write_text(text)
        with pytest.raises(ConfigError, match=told):
            read_configuration(path)

    @pytest.mark.parametrize("text", ["<robot><link", "<robot name='none'/>", ""])
    def test_a_broken_urdf_is_told(self, text, tmp_path):
        (tmp_path / "broken.urdf").write_text(text)
        with pytest.raises(ConfigError, match="dex-retargeting cannot use it"):
            HandRetargeter(
                read_configuration(FOLDER / "allegro_vector_right.yml", tmp_path / "broken.urdf"), Side.RIGHT
            )

    def test_joints_without_end_are_told(self, tmp_path):
        text = (FOLDER / "allegro_right.urdf").read_text()
        text = text.replace(
            '<joint name="joint_0.0" type="revolute">', '<joint name="joint_0.0" type="continuous">'
        )
        (tmp_path / "endless.urdf").write_text(text)
        configuration = read_configuration(FOLDER / "allegro_vector_right.yml", tmp_path / "endless.urdf")
        with pytest.raises(ConfigError, match="dex-retargeting cannot use it"):
            HandRetargeter(configuration, Side.RIGHT)


class TestTeleoperation:
    def test_it_starts_from_neutral_and_never_exceeds_its_speed(self, retargeter):
        teleoperation = Teleoperation(retargeter, Side.RIGHT, 2.0)
        assert "not seen" in teleoperation.update(estimate(), -FRAME_NS).held_because
        commands = [
            teleoperation.update(estimate(hand(joints)), index * FRAME_NS)
            for index, joints in enumerate([*between(OPEN, FIST, 5), *[operator_joints(FIST)] * 40])
        ]
        angles = np.array([command.angles for command in commands])
        np.testing.assert_array_equal(angles[0], retargeter.robot.neutral)
        speed = np.abs(np.diff(angles, axis=0)) / (FRAME_NS / 1e9)
        assert speed.max() == pytest.approx(2.0)
        assert flexion(angles[-1]).min() > 3.8, "but it arrives"
        assert (angles >= retargeter.robot.lower).all()
        assert (angles <= retargeter.robot.upper).all()
        assert all(command.held_because is None for command in commands)

    def test_the_urdf_may_be_slower(self, retargeter):
        teleoperation = Teleoperation(retargeter, Side.RIGHT, 100.0)
        angles = [
            teleoperation.update(estimate(hand(operator_joints(FIST))), i * FRAME_NS).angles for i in range(20)
        ]
        assert np.abs(np.diff(angles, axis=0)).max() / (FRAME_NS / 1e9) == pytest.approx(7.0)

    @pytest.mark.parametrize(
        ("hands", "reason"),
        [
            ([], "not seen"),
            ([hand(operator_joints(FIST), status=HandStatus.LOST)], "LOST"),
            ([hand(operator_joints(FIST), status=HandStatus.UNKNOWN)], "UNKNOWN"),
            ([hand(operator_joints(FIST, Side.LEFT), side=Side.LEFT)], "right hand is not seen"),
            ([hand(np.full((21, 3), np.nan))], "21 finite joints"),
        ],
        ids=["empty", "LOST", "unknown", "other side", "NaN"],
    )
    def test_it_holds_without_a_hand_to_follow(self, hands, reason, retargeter):
        teleoperation = Teleoperation(retargeter, Side.RIGHT, 3.0)
        for index in range(10):
            last = teleoperation.update(estimate(hand(operator_joints(FIST))), index * FRAME_NS)
        for index in range(10, 40):
            held = teleoperation.update(estimate(*hands), index * FRAME_NS)
            assert reason in held.held_because
            np.testing.assert_array_equal(held.angles, last.angles)
        again = teleoperation.update(estimate(hand(operator_joints(OPEN), track=2)), 40 * FRAME_NS)
        assert again.held_because is None
        assert 0 < np.abs(again.angles - last.angles).max() <= 3.0 * FRAME_NS / 1e9 + 1e-12

    @pytest.mark.parametrize("status", [HandStatus.PARTIAL, HandStatus.INFILLED, HandStatus.PREDICTED])
    def test_it_follows_what_the_prior_fills_in(self, status, retargeter):
        teleoperation = Teleoperation(retargeter, Side.RIGHT, 3.0)
        for index in range(3):
            command = teleoperation.update(estimate(hand(operator_joints(FIST), status=status)), index * FRAME_NS)
        assert command.held_because is None
        assert np.abs(command.angles - retargeter.robot.neutral).max() == pytest.approx(2 * 3.0 * FRAME_NS / 1e9)

    def test_no_gap_and_no_clock_makes_a_long_step(self, retargeter):
        teleoperation = Teleoperation(retargeter, Side.RIGHT, 3.0)
        times = [0, FRAME_NS, 5_000_000_000, 1_000_000_000, 1_000_000_000, 1_000_000_000 + FRAME_NS]
        angles = [teleoperation.update(estimate(hand(operator_joints(FIST))), now).angles for now in times]
        steps = [np.abs(later - earlier).max() for earlier, later in pairwise(angles)]
        frame = 3.0 * FRAME_NS / 1e9
        np.testing.assert_allclose(steps, [frame, 3.0 * LONGEST_STEP_S, 0.0, 0.0, frame])

    def test_it_stays_with_its_operator(self, retargeter):
        """A second right hand, seen later and numbered lower, does not take over until the first one is gone."""
        teleoperation = Teleoperation(retargeter, Side.RIGHT, 3.0)
        fist, flat = hand(operator_joints(FIST), track=5), hand(operator_joints(OPEN), track=3)
        for index in range(60):
            both = (fist,) if index == 0 else (flat, fist)
            closed = teleoperation.update(estimate(*both), index * FRAME_NS)
        assert flexion(closed.angles).min() > 3.8
        for index in range(60, 130):
            opened = teleoperation.update(estimate(flat), index * FRAME_NS)
        assert flexion(opened.angles).max() < 1.0

    @pytest.mark.parametrize("speed", [0.0, -1.0, float("nan")])
    def test_a_speed_must_be_positive(self, speed, retargeter):
        with pytest.raises(ConfigError, match="must be positive"):
            Teleoperation(retargeter, Side.RIGHT, speed)
