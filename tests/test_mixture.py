"""What the transformer learns from: balance by meaning, clips joined in pairs."""

from pathlib import Path

import numpy as np
import pytest
import torch
from synthetic import walking

from core.features.heading import heading_angles
from core.motion import Motion
from core.rotations import quaternion_multiply, rotation_vector_to_quaternion
from core.skeleton import canonical
from core.training.balance import balanced_weights, caption_embeddings
from core.training.composition import (
    Pairing,
    compose,
    gesturing_arms,
    layer_arms,
    one_after_other,
    verb_phrases,
    walks_upright,
)
from core.training.corpus import Clip, load_corpus
from core.training.mixture import LAYERED_SHARE, SEQUENCE_SHARE, mixture
from core.training.transformer_task import drop_words
from core.training.wording import CIRCUMSTANCES, reworded, with_other_wording

FPS = 30.0


def standing(frames: int, waving: str | None = None) -> Motion:
    """A figure on the spot, one arm of it going up and down."""
    skeleton = canonical()
    rotations = np.zeros((frames, 22, 4))
    rotations[..., 0] = 1.0
    roots = np.tile([0.0, 0.96, 0.0], (frames, 1))
    if waving is not None:
        angle = 0.9 * np.sin(np.arange(frames) / 5.0)
        vectors = np.stack([np.zeros(frames), np.zeros(frames), angle], -1)
        rotations[:, skeleton.index(f"{waving}_shoulder")] = rotation_vector_to_quaternion(vectors)
    return Motion(skeleton, rotations, roots, FPS)


def turned(motion: Motion, angle: float) -> Motion:
    q = rotation_vector_to_quaternion(np.array([0.0, angle, 0.0]))
    rotations = motion.rotations.copy()
    rotations[:, 0] = quaternion_multiply(q, rotations[:, 0])
    return Motion(motion.skeleton, rotations, motion.root_positions, motion.fps)


def clip(name: str, motion: Motion, *captions: str, paraphrases: tuple[str, ...] = ()) -> Clip:
    return Clip(name, motion, captions, paraphrases, {"source": "x", "scope": "clip"})


WALK = clip("walk", walking(90), "a person walks forward", "someone is walking")
WAVE = clip(
    "wave",
    standing(60, "left"),
    "a person waves with the left hand",
    paraphrases=("waving the left hand", "a woman waves", "the person stands and waves"),
)


# --- joined clips --------------------------------------------------------------------------------


def test_the_second_clip_goes_on_where_the_first_ends() -> None:
    first = turned(walking(60), 0.7)
    joined = one_after_other(first, turned(walking(60), -1.3))
    steps = np.linalg.norm(np.diff(joined.root_positions, axis=0), axis=-1)
    before = np.linalg.norm(np.diff(first.root_positions, axis=0), axis=-1).mean()
    assert joined.frame_count > 120
    assert np.array_equal(joined.rotations[:60], first.rotations)
    assert np.abs(steps - before).max() < 0.6 * before, "no jump and no halt at the seam"
    headings = heading_angles(joined.positions(), joined.skeleton, 2.0)
    assert abs(headings[-60] - headings[59]) < 0.06, "and no turn"
    poses = joined.positions() - joined.root_positions[:, None]
    assert np.abs(np.diff(poses, axis=0)).max() < 0.12


def test_an_arm_laid_over_a_walk_moves_as_in_the_gesture_and_nothing_else_changes() -> None:
    walk, wave = walking(40), standing(60, "left")
    both = layer_arms(walk, wave, ("left",), np.random.default_rng(0))
    names = walk.skeleton.joint_names
    arm = [
        i
        for i, n in enumerate(names)
        if n.startswith("left_") and n[5:] in ("collar", "shoulder", "elbow", "wrist")
    ]
    rest = [i for i in range(22) if i not in arm]
    np.testing.assert_array_equal(both.rotations[:, rest], walk.rotations[:, rest])
    np.testing.assert_array_equal(both.root_positions, walk.root_positions)
    np.testing.assert_allclose(np.abs(both.rotations[:, arm]), np.abs(wave.rotations[:40][:, arm]))


def test_a_short_gesture_fades_in_and_out_within_a_long_walk() -> None:
    walk, wave = walking(150), standing(40, "right")
    both = layer_arms(walk, wave, ("right",), np.random.default_rng(4))
    shoulder = walk.skeleton.index("right_shoulder")
    changed = np.abs(both.rotations[:, shoulder] - walk.rotations[:, shoulder]).max(-1) > 1e-9
    assert 20 < changed.sum() <= 40
    step = np.abs(np.diff(both.rotations[:, shoulder], axis=0)).max()
    real = np.abs(np.diff(wave.rotations[:, shoulder], axis=0)).max()
    assert step < 2.5 * real, "no pop at either end"


def test_gaits_and_gestures_are_told_apart_by_their_motion() -> None:
    assert walks_upright(walking(60))
    assert not walks_upright(standing(60))
    assert gesturing_arms(standing(60, "left")) == ("left",)
    assert gesturing_arms(standing(60, "right")) == ("right",)
    assert gesturing_arms(standing(60)) == ()
    assert gesturing_arms(walking(60)) == ()


def test_verb_phrases_leave_out_the_subject_and_sentences_about_somebody_special() -> None:
    assert verb_phrases(WALK) == ["walks forward", "is walking"]
    assert verb_phrases(WAVE) == ["waves with the left hand", "stands and waves"]


def test_joined_clips_say_what_both_do() -> None:
    sequences, layered = compose(
        [WALK, WAVE], np.array([0.5, 0.5]), Pairing(6, 6), np.random.default_rng(1)
    )
    assert len(sequences) == len(layered) == 6
    for made in layered:
        assert made.clip_id == "walk+wave"
        assert all("walk" in s and "wav" in s for s in made.captions)
        assert not any("stands" in s for s in made.captions), "who walks does not stand"
    for made in sequences:
        assert made.motion.frame_count >= 120
        assert made.motion.seconds <= 10.0
        first, second = made.clip_id.split("+")
        assert first in ("walk", "wave")
        assert second in ("walk", "wave")
        assert len(set(made.captions)) > 1
    assert compose([], np.zeros(0), Pairing(3, 3), np.random.default_rng(1)) == ([], [])


def test_poses_that_do_not_meet_are_not_joined() -> None:
    lying = standing(60)
    tilt = rotation_vector_to_quaternion(np.array([1.5, 0.0, 0.0]))
    rotations = lying.rotations.copy()
    rotations[:, 0] = tilt
    flat = Motion(lying.skeleton, rotations, np.tile([0.0, 0.1, 0.0], (60, 1)), FPS)
    down = clip("down", flat, "a person lies on the floor")
    up = clip("up", standing(60), "a person stands still")
    made, _ = compose([down, up], np.array([0.5, 0.5]), Pairing(8, 0), np.random.default_rng(2))
    assert {m.clip_id for m in made} <= {"down+down", "up+up"}
    assert made


# --- balance -------------------------------------------------------------------------------------


def test_rare_meanings_are_drawn_more_often_whatever_their_labels() -> None:
    directions = np.eye(3)
    embeddings = directions[[0] * 16 + [1] * 4 + [2]]
    clips = [clip(str(i), standing(30), "x") for i in range(21)]
    weights = balanced_weights(clips, embeddings)
    assert weights.sum() == pytest.approx(1.0)
    assert weights[20] > weights[16] > weights[0]
    # 16 clips of one meaning are drawn 16 ** 0.4 times as often as one alone, not 16 times.
    assert weights[:16].sum() / weights[20] == pytest.approx(16**0.4, rel=1e-6)
    weak = [Clip(c.clip_id, c.motion, c.captions, (), {**c.row, "scope": "trial"}) for c in clips]
    mixed = balanced_weights([*weak[:1], *clips[1:]], embeddings)
    assert mixed[0] < mixed[1]


def _bag_of_words(sentences: object) -> list[np.ndarray]:
    """Token states that are fixed random vectors per word."""
    states = []
    for sentence in sentences:  # type: ignore[attr-defined]
        words = [sum(map(ord, word)) % 97 for word in sentence.split()]
        states.append(np.stack([np.random.default_rng(w).normal(size=24) for w in words]))
    return states


def test_embeddings_are_unit_means_of_the_captions() -> None:
    embeddings = caption_embeddings([WALK, WAVE, WALK], _bag_of_words)
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=-1), 1.0)
    np.testing.assert_array_equal(embeddings[0], embeddings[2])
    assert embeddings[0] @ embeddings[1] < 0.95


# --- words ---------------------------------------------------------------------------------------


def test_other_people_at_other_places_do_the_same() -> None:
    random = np.random.default_rng(0)
    made = [reworded("a person waves with the left hand", random) for _ in range(200)]
    assert all(m is not None and "waves with the left hand" in m for m in made)
    assert not any("person" in m for m in made if m)
    assert len(set(made)) > 100
    assert any(m.startswith(CIRCUMSTANCES) for m in made if m)
    assert reworded("waving with the left hand", random) is None
    assert reworded("a personal wave", random) is None


def test_a_clip_keeps_its_own_sentences_and_gets_more() -> None:
    more = with_other_wording(WALK, 3, np.random.default_rng(1))
    assert more.captions == WALK.captions
    assert len(more.paraphrases) == 3
    assert all("walk" in s for s in more.paraphrases)
    silent = clip("x", standing(30), "walking about")
    assert with_other_wording(silent, 3, np.random.default_rng(1)) is silent


def test_dropped_words_leave_the_others_and_always_the_first() -> None:
    states = torch.arange(2 * 6).view(2, 6, 1).float()
    lengths = torch.tensor([6, 3])
    torch.manual_seed(0)
    seen = set()
    for _ in range(50):
        left, counts = drop_words(states, lengths, 0.5)
        for row, count, length in zip(left, counts, lengths, strict=True):
            kept = row[: int(count), 0].tolist()
            first = 0.0 if length == 6 else 6.0
            assert kept[0] == first
            assert kept == sorted(set(kept))
            assert kept[-1] < first + int(length), "padding is never moved in"
            seen.add(len(kept))
    assert len(seen) > 3
    same, counts = drop_words(states, lengths, 0.0)
    assert torch.equal(same, states)
    assert torch.equal(counts, lengths)


def test_a_mixture_gives_each_kind_its_share() -> None:
    clips = [WALK, WAVE] * 6
    items = mixture(clips, _bag_of_words, seed=1)
    assert sum(item.weight for item in items) == pytest.approx(1.0)
    joined = [item for item in items if "+" in item.clip.clip_id]
    assert sum(item.weight for item in joined) == pytest.approx(SEQUENCE_SHARE + LAYERED_SHARE)
    assert not any(item.varied for item in joined)
    again = mixture(clips, _bag_of_words, seed=1)
    assert [i.clip.clip_id for i in again] == [i.clip.clip_id for i in items]
    alone = mixture(clips, _bag_of_words, seed=1, most_joined=0)
    assert len(alone) == len(clips)


@pytest.mark.dataset
def test_real_gaits_and_gestures_are_found(motion_data: Path) -> None:
    clips = load_corpus(motion_data, "val", ("bandai",))
    walks = [c for c in clips if walks_upright(c.motion)]
    gestures = [c for c in clips if gesturing_arms(c.motion)]
    assert len(walks) > 15
    assert len(gestures) > 5
    assert not {c.clip_id for c in walks} & {c.clip_id for c in gestures}
    assert not any("bow" in c.captions[0] for c in gestures)
