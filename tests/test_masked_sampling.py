"""Sampling inside a mask: what is outside stays, what touches the mask is made anew."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from model_fakes import OURS, random_model
from torch import Tensor

from core.model.masked import MaskedSource, Rule, sample_masked, sampled_tokens
from core.model.sampler import SamplingOptions, sample
from core.model.timeline import Step, Timeline

MODEL = random_model(OURS)
QUANTIZER = MODEL.tokenizer.quantizer
SCALES = len(QUANTIZER.pyramid)
OPTIONS = SamplingOptions(guidance=2.0, temperature=1.0)
PARTS = 7


def text(length: int = 5, seed: int = 0) -> Tensor:
    return torch.randn(length, 48, generator=torch.Generator().manual_seed(seed))


def source_bits(latents: int, seed: int = 0, sources: int = 1) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [
        torch.rand(sources, shape.tokens, QUANTIZER.bits, generator=generator) > 0.5
        for shape in QUANTIZER.pyramid.shapes(latents)
    ]


def additions(bits: list[Tensor], latents: int) -> list[Tensor]:
    return [QUANTIZER.upsampled(map_, scale, latents) for scale, map_ in enumerate(bits)]


def edited(source: MaskedSource, seeds: list[int], options: SamplingOptions = OPTIONS) -> Tensor:
    return sample_masked(MODEL.transformer, QUANTIZER, text(), source, seeds, options)


def arm_mask(latents: int, first: int, last: int) -> Tensor:
    mask = torch.zeros(latents, PARTS, dtype=torch.bool)
    mask[first:last, 4] = True
    return mask


def exactly_equal(a: Tensor, b: Tensor) -> bool:
    """To the bit, but for the sign of a zero."""
    return bool((a == b).all())


@given(
    data=st.data(), latents=st.integers(2, 20), rule=st.sampled_from(["composite", "whole_tokens"])
)
def test_code_sums_outside_any_mask_stay_to_the_bit(
    data: st.DataObject, latents: int, rule: Rule
) -> None:
    cells = data.draw(st.lists(st.booleans(), min_size=latents * PARTS, max_size=latents * PARTS))
    mask = torch.tensor(cells).unflatten(0, (latents, PARTS))
    kept = data.draw(st.integers(0, SCALES))
    bits = source_bits(latents)
    made = edited(MaskedSource(bits, mask, kept, rule=rule), [1, 2])
    total = torch.zeros_like(made)
    for added in additions(bits, latents):
        total = total + added
    assert exactly_equal(made[:, ~mask], total[:, ~mask])
    if kept == SCALES:
        assert exactly_equal(made, total)


@pytest.mark.parametrize("rule", ["composite", "whole_tokens"])
def test_which_tokens_are_sampled(rule: Rule) -> None:
    """By a plain loop over all that each token covers."""
    latents = 11
    mask = torch.rand(latents, PARTS, generator=torch.Generator().manual_seed(3)) < 0.6
    mask[4:8, :] = True
    for scale, tokens in enumerate(sampled_tokens(QUANTIZER, mask, rule)):
        shape = QUANTIZER.pyramid.scales[scale]
        wanted = []
        for cell in range(QUANTIZER.pyramid.shape(scale, latents).cells):
            frames = range(cell * shape.divisor, min((cell + 1) * shape.divisor, latents))
            for group in shape.groups:
                covered = [bool(mask[t, part]) for t in frames for part in group]
                wanted.append(any(covered) if rule == "composite" else all(covered))
        assert tokens.tolist() == wanted


def test_a_short_range_of_one_limb_changes_at_every_scale_only_when_composited() -> None:
    latents, mask = 16, arm_mask(16, 5, 7)
    counts = {
        rule: [int(tokens.sum()) for tokens in sampled_tokens(QUANTIZER, mask, rule)]
        for rule in ("composite", "whole_tokens")
    }
    assert min(counts["composite"]) >= 1
    assert counts["whole_tokens"] == [0, 0, 2]
    seen: list[Tensor] = []
    bits = source_bits(latents)
    source = MaskedSource(bits, mask)
    sample_masked(
        MODEL.transformer,
        QUANTIZER,
        text(),
        source,
        [1],
        OPTIONS,
        lambda _, sums: seen.append(sums),
    )
    first = additions(bits, latents)[0]
    assert not torch.equal(seen[0][:, mask], first[:, mask]), "the coarsest code of the arm is new"


def test_with_nothing_around_it_is_ordinary_sampling() -> None:
    latents = 9
    everywhere = torch.ones(latents, PARTS, dtype=torch.bool)
    made = edited(MaskedSource(source_bits(latents), everywhere), [4, 5])
    wanted = sample(MODEL.transformer, QUANTIZER, text(), latents, [4, 5], OPTIONS)
    total = torch.stack(additions(wanted.bits, latents)).sum(0)
    torch.testing.assert_close(made, total)


def test_a_variation_does_not_depend_on_its_neighbours_nor_a_source_on_others() -> None:
    mask, bits = arm_mask(12, 3, 8), source_bits(12, sources=2)
    together = edited(MaskedSource(bits, mask), [7, 8])
    for row, seed in enumerate((7, 8)):
        own = [map_[row : row + 1] for map_ in bits]
        torch.testing.assert_close(edited(MaskedSource(own, mask), [seed])[0], together[row])
    one = [map_[:1] for map_ in bits]
    shared = edited(MaskedSource(one, mask), [7, 8])
    torch.testing.assert_close(shared[0], together[0])
    assert not torch.equal(shared[0], shared[1])


def test_what_is_around_matters() -> None:
    mask = arm_mask(12, 3, 8)
    greedy = SamplingOptions(guidance=2.0, temperature=1.0, greedy=True)
    made = [edited(MaskedSource(source_bits(12, seed), mask), [1], greedy) for seed in (0, 1)]
    assert not torch.equal(made[0][:, mask], made[1][:, mask])


def test_a_lead_stays_and_finer_scales_are_sampled() -> None:
    latents, mask = 12, arm_mask(12, 2, 9)
    bits = source_bits(latents)
    lead = [torch.randn(2, latents, PARTS, QUANTIZER.bits) for _ in range(2)]
    seen: list[Tensor] = []
    source = MaskedSource(bits, mask, lead=lead)
    sample_masked(
        MODEL.transformer, QUANTIZER, text(), source, [1, 2], OPTIONS, lambda _, s: seen.append(s)
    )
    torch.testing.assert_close(seen[1][:, mask], (lead[0] + lead[1])[:, mask])
    assert len(seen) == SCALES
    assert not torch.equal(seen[2][:, mask], seen[1][:, mask])


@pytest.mark.parametrize("guidance", [0.0, 3.0])
def test_words_that_say_the_same_change_nothing(guidance: float) -> None:
    options = SamplingOptions(guidance=guidance, temperature=1.0)
    latents, mask = 10, arm_mask(10, 0, 10)
    bits = source_bits(latents)
    total = torch.stack(additions(bits, latents)).sum(0)
    same = MaskedSource(bits, mask, text=text())
    torch.testing.assert_close(edited(same, [1], options), total)
    other = MaskedSource(bits, mask, text=text(7, seed=5))
    changed = (edited(other, [1], options) - total)[:, mask].abs() > 1e-6
    free = (edited(MaskedSource(bits, mask), [1], options) - total)[:, mask].abs() > 1e-6
    assert 0 < changed.sum() < free.sum()


def test_raising_in_the_callback_cancels() -> None:
    seen: list[int] = []

    def stop(scale: int, _: Tensor) -> None:
        seen.append(scale)
        raise KeyboardInterrupt

    source = MaskedSource(source_bits(6), arm_mask(6, 1, 4))
    with pytest.raises(KeyboardInterrupt):
        sample_masked(MODEL.transformer, QUANTIZER, text(), source, [1], OPTIONS, stop)
    assert seen == [0]


def test_a_timeline_longer_than_the_window_keeps_what_was_made() -> None:
    """Each step changes its own cells alone, and sees those before it."""
    timeline = Timeline(MODEL, torch.randn(2, 30, PARTS, QUANTIZER.bits))
    everything = torch.ones(12, PARTS, dtype=torch.bool)
    timeline.take(Step((0, 12), everything, text()), [1, 2], OPTIONS)
    before = timeline.sums.clone()
    mask = torch.zeros(20, PARTS, dtype=torch.bool)
    mask[6:] = True
    timeline.take(Step((6, 26), mask, text(), lead=1), [1, 2], OPTIONS)
    assert torch.equal(timeline.sums[:, :12], before[:, :12])
    assert torch.equal(timeline.sums[:, 26:], before[:, 26:])
    changed = (timeline.sums[:, 12:26] != before[:, 12:26]).any(-1).all()
    assert changed
