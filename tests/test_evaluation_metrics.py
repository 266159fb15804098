"""The field's metrics against closed forms and plain loops; intervals; the tables."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.evaluation.metrics import (
    POOL,
    Interval,
    caption_ranks,
    diversity,
    frechet_distance,
    interval,
    multimodal_distance,
    multimodality,
    r_precision,
)
from core.evaluation.report import multimodality_of
from core.evaluation.table import (
    METRICS,
    as_json,
    cell,
    class_table,
    figure_table,
    markdown,
    plain,
    without_nan,
)


def unit(rows: int, width: int, seed: int = 0) -> np.ndarray:
    values = np.random.default_rng(seed).normal(size=(rows, width))
    return values / np.linalg.norm(values, axis=-1, keepdims=True)


def exactly(mean: np.ndarray, covariance: np.ndarray, rows: int, seed: int) -> np.ndarray:
    """Samples whose own mean and covariance are exactly those given."""
    x = np.random.default_rng(seed).normal(size=(rows, len(mean)))
    x -= x.mean(0)
    x = x @ np.linalg.inv(np.linalg.cholesky(np.cov(x.T)).T) @ np.linalg.cholesky(covariance).T
    return x + mean


# --- Fréchet distance ----------------------------------------------------------------------------


def test_the_distance_of_two_gaussians_with_equal_axes_has_a_closed_form() -> None:
    a = exactly(np.array([1.0, 2.0, 0.0]), np.diag([4.0, 1.0, 9.0]), 200, 1)
    b = exactly(np.array([0.0, 2.0, 3.0]), np.diag([1.0, 16.0, 9.0]), 300, 2)
    # |μa - μb|² + Σ (σa - σb)²
    assert frechet_distance(a, b) == pytest.approx(1 + 9 + 1 + 9 + 0, rel=1e-9)


@given(st.integers(0, 10**6), st.integers(1, 6))
def test_the_distance_agrees_with_the_eigenvalues_of_the_product(seed: int, width: int) -> None:
    random = np.random.default_rng(seed)
    a, b = random.normal(size=(40, width)), random.normal(1.0, 2.0, size=(30, width))
    A, B = np.atleast_2d(np.cov(a.T)), np.atleast_2d(np.cov(b.T))
    root = np.sqrt(np.linalg.eigvals(A @ B).astype(complex)).real.sum()
    shift = a.mean(0) - b.mean(0)
    expected = shift @ shift + np.trace(A) + np.trace(B) - 2 * root
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-6)
    assert frechet_distance(b, a) == pytest.approx(expected, rel=1e-6)


def test_few_samples_of_many_numbers_leave_the_distance_sound() -> None:
    a, b = unit(5, 64, 1), unit(7, 64, 2)
    assert frechet_distance(a, a) == pytest.approx(0.0, abs=1e-9)
    assert 0 < frechet_distance(a, b) < 4
    assert frechet_distance(np.tile(a[:1], (5, 1)), np.tile(b[:1], (9, 1))) == pytest.approx(
        float(((a[0] - b[0]) ** 2).sum())
    )
    assert math.isnan(frechet_distance(a[:1], b))


# --- R-precision ---------------------------------------------------------------------------------


def all_others(own: np.ndarray, captions: int) -> np.ndarray:
    return np.arange(captions) != own[:, None]


def test_perfect_embeddings_have_perfect_precision() -> None:
    texts = unit(60, 16)
    own = np.arange(180) % 60
    ranks = caption_ranks(texts[own], texts, own, all_others(own, 60), np.random.default_rng(0))
    assert [r_precision(ranks, k) for k in (1, 2, 3)] == [1.0, 1.0, 1.0]


def test_random_embeddings_are_right_once_in_32() -> None:
    texts, own = unit(400, 16), np.arange(4000) % 400
    motions = unit(4000, 16, seed=1)
    ranks = caption_ranks(motions, texts, own, all_others(own, 400), np.random.default_rng(0))
    assert ranks.max() == POOL - 1
    for top in (1, 2, 3):
        assert r_precision(ranks, top) == pytest.approx(top / POOL, abs=0.015)


def test_embeddings_that_say_nothing_are_not_rewarded_for_ties() -> None:
    same = np.ones((2000, 4))
    own = np.arange(2000) % 50
    ranks = caption_ranks(same, same[:50], own, all_others(own, 50), np.random.default_rng(0))
    assert r_precision(ranks, 1) == pytest.approx(1 / POOL, abs=0.015)


def test_ranks_agree_with_a_plain_loop_where_all_captions_are_candidates() -> None:
    texts, motions = unit(20, 3), unit(20, 3, seed=5)
    own = np.arange(20)
    ranks = caption_ranks(motions, texts, own, all_others(own, 20), np.random.default_rng(0))
    for i in range(20):
        nearer = 0
        for j in range(20):
            nearer += sum((motions[i] - texts[j]) ** 2) < sum((motions[i] - texts[i]) ** 2)
        assert ranks[i] == nearer


def test_forbidden_captions_are_never_candidates() -> None:
    texts = np.eye(40)
    own = np.zeros(40, dtype=int)
    # A little nearer to the forbidden caption than to the own one, and far from all others.
    motions = 0.45 * texts[0] + 0.55 * texts[1]
    others = all_others(own, 40)
    allowed = others.copy()
    allowed[:, 1] = False
    random = np.random.default_rng(0)
    motions = np.tile(motions, (40, 1))
    assert r_precision(caption_ranks(motions, texts, own, allowed, random, 40), 1) == 1.0
    assert r_precision(caption_ranks(motions, texts, own, others, random, 40), 1) == 0.0


# --- distances -----------------------------------------------------------------------------------


def test_distances_agree_with_plain_loops() -> None:
    a, b = unit(11, 5, 1), unit(11, 5, 2)
    pairs = [float(np.sqrt(sum((x - y) ** 2))) for x, y in zip(a, b, strict=True)]
    assert multimodal_distance(a, b) == pytest.approx(np.mean(pairs))
    assert multimodality(a, b) == pytest.approx(np.mean(pairs))
    two = np.array([[0.0, 0.0], [3.0, 4.0]])
    assert diversity(two, np.random.default_rng(0)) == pytest.approx(5.0)
    assert math.isnan(diversity(two[:1], np.random.default_rng(0)))


def test_diversity_never_pairs_a_motion_with_itself() -> None:
    far = np.eye(30) * 10
    assert diversity(far, np.random.default_rng(3)) == pytest.approx(10 * math.sqrt(2))


def test_multimodality_compares_repeats_of_the_same_caption() -> None:
    first = np.zeros((3, 2))
    repeats = [first, first + np.array([3.0, 4.0]), first + np.array([0.0, 1.0])]
    assert multimodality_of(repeats) == pytest.approx([5.0, math.hypot(3, 3), 1.0])
    assert multimodality_of(repeats[:2]) == pytest.approx([5.0])
    assert multimodality_of(repeats[:1]) == []


# --- intervals -----------------------------------------------------------------------------------


def test_the_interval_of_five_repeats_is_students() -> None:
    made = interval([1.0, 2.0, 3.0, 4.0, 5.0])
    assert made.mean == pytest.approx(3.0)
    assert made.half == pytest.approx(2.776 * math.sqrt(2.5) / math.sqrt(5))


def test_the_interval_holds_the_truth_nineteen_times_in_twenty() -> None:
    random = np.random.default_rng(4)
    for repeats in (3, 5, 40):
        made = [interval(random.normal(7.0, 2.0, repeats)) for _ in range(4000)]
        inside = np.mean([abs(m.mean - 7.0) <= m.half for m in made])
        assert inside == pytest.approx(0.95, abs=0.015)


def test_one_repeat_has_no_interval_and_none_no_mean() -> None:
    assert interval([2.0]).mean == 2.0
    assert math.isnan(interval([2.0]).half)
    assert math.isnan(interval([]).mean)
    assert interval([math.nan, 3.0]).mean == 3.0


# --- tables --------------------------------------------------------------------------------------


def test_tables_leave_out_what_no_row_has() -> None:
    none = Interval(math.nan, math.nan)
    rows = [
        ("real", {"top1": Interval(0.5, 0.01), "fid": Interval(0.0, 0.0), "multimodality": none}),
        ("a|b", {"top1": Interval(0.25, math.nan), "fid": none}),
    ]
    table = figure_table(rows, METRICS)
    assert table == [
        ["", "R top-1 ↑", "FID ↓"],
        ["real", "0.500 ± 0.010", "0.0000"],
        ["a|b", "0.250", "–"],
    ]
    lines = plain(table).splitlines()
    assert len({len(line) for line in lines}) == 1, "columns line up"
    assert markdown(table).splitlines()[1] == "| --- | ---: | ---: |"
    assert r"a\|b" in markdown(table)
    assert cell(Interval(1.0, 0.5), 1) == "1.0 ± 0.5"


def test_json_knows_no_nan() -> None:
    made = as_json({"fid": Interval(1.0, math.nan)})
    assert made == {"fid": {"mean": 1.0, "half": None}}
    text = json.dumps(without_nan({"a": [math.inf, (1.5, math.nan)]}), allow_nan=False)
    assert json.loads(text) == {"a": [None, [1.5, None]]}


def test_the_class_table_has_a_line_per_action() -> None:
    figures = {"place": 2.0, "top3": 1.0, "sliding": math.nan, "acceleration": 3.0}
    table = class_table([{"class": "run", "clips": 4, "rows": {"real": figures}}])
    assert table[0][1:] == ["clips", "real"]
    assert table[1] == ["run", "4", "2.0 / – / 3.0"]
    assert class_table([]) == []
