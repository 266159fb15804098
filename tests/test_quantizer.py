"""The scale pyramid and the quantizer against plain loops with torch's own resampling."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from model_fakes import OURS, published_like, random_model
from torch import Tensor

from core.model.config import ModelConfig
from core.model.quantizer import MultiScaleQuantizer

CONFIGS = {
    "ours": OURS,
    "snapmogen": published_like("snapmogen"),
    "humanml3d": published_like("humanml3d"),
}


def quantizer(config: ModelConfig) -> MultiScaleQuantizer:
    torch.manual_seed(0)
    return MultiScaleQuantizer(config.tokenizer)


def plain_published(
    q: MultiScaleQuantizer, config: ModelConfig, r: Tensor, length: int
) -> list[Tensor]:
    """Bits of one clip by model.md 3, word by word: r [T', 7, d], padded to the longest clip."""
    scales, longest = config.tokenizer.scales, config.tokenizer.max_latents
    r = r.clone()
    bits = []
    for index, scale in enumerate(scales):
        last = index == len(scales) - 1
        r[length:] = 0
        if last:
            z = r
        else:
            pooled = F.adaptive_avg_pool1d(r.flatten(1).T[None], longest // scale.divisor)[0].T
            pooled = pooled.unflatten(1, (7, -1))
            z = torch.stack([pooled[:, list(g)].mean(1) for g in scale.groups], 1)
        b = F.normalize(z, dim=-1) > 0
        code = (2.0 * b - 1) / config.tokenizer.bits**0.5
        exist = min(-(-length // scale.divisor), len(code))
        code[exist:] = 0
        bits.append(b[:exist].flatten(0, 1))
        if not last:
            wide = F.interpolate(
                code.flatten(1).T[None], size=longest, mode="linear", align_corners=False
            )[0].T.unflatten(1, (len(scale.groups), -1))
            code = torch.zeros_like(r)
            for group, members in enumerate(scale.groups):
                code[:, list(members)] = wide[:, group, None]
        r = r - code
    return bits


@pytest.mark.parametrize("layout", ["snapmogen", "humanml3d"])
@given(length=st.integers(1, 20), seed=st.integers(0, 1000))
def test_published_quantizing_is_the_plain_loop(layout: str, length: int, seed: int) -> None:
    config = CONFIGS[layout]
    q = quantizer(config)
    latents = torch.randn(
        1,
        config.tokenizer.max_latents,
        7,
        config.tokenizer.width,
        generator=torch.Generator().manual_seed(seed),
    )
    wanted = plain_published(q, config, q.project_in(latents)[0].detach(), length)
    # Only the cells that exist are given and computed.
    made = q(latents[:, :length]).bits
    for ours, theirs in zip(made, wanted, strict=True):
        assert torch.equal(ours[0], theirs)


@pytest.mark.parametrize("name", sorted(CONFIGS))
@given(lengths=st.lists(st.integers(1, 20), min_size=1, max_size=4))
def test_a_padded_batch_gives_what_each_clip_gives_alone(name: str, lengths: list[int]) -> None:
    config = CONFIGS[name]
    q = quantizer(config)
    longest = max(lengths)
    latents = torch.randn(
        len(lengths), longest, 7, config.tokenizer.width, generator=torch.Generator().manual_seed(1)
    )
    together = q(latents, torch.tensor(lengths))
    for clip, length in enumerate(lengths):
        alone = q(latents[clip : clip + 1, :length])
        for scale, bits in enumerate(alone.bits):
            tokens = bits.shape[1]
            assert torch.equal(together.bits[scale][clip, :tokens], bits[0])
        torch.testing.assert_close(together.latents[clip, :length], alone.latents[0])


@pytest.mark.parametrize("name", sorted(CONFIGS))
@given(length=st.integers(1, 20))
def test_bits_rebuild_the_quantized_latents(name: str, length: int) -> None:
    config = CONFIGS[name]
    q = quantizer(config)
    latents = torch.randn(
        2, length, 7, config.tokenizer.width, generator=torch.Generator().manual_seed(length)
    )
    made = q(latents)
    shapes = q.pyramid.shapes(length)
    assert [b.shape[1] for b in made.bits] == [shape.tokens for shape in shapes]
    torch.testing.assert_close(q.latents_from_bits(made.bits, length), made.latents)


@pytest.mark.parametrize("name", sorted(CONFIGS))
def test_unflipped_training_pairs_are_the_clips_own_bits_and_inputs(name: str) -> None:
    config = CONFIGS[name]
    q = quantizer(config)
    lengths = torch.tensor([13, 20])
    latents = torch.randn(2, 20, 7, config.tokenizer.width)
    r = q.project_in(latents)
    bits, inputs = q.self_corrected(r, lengths, 0.0)
    wanted = q(latents, lengths).bits
    valid = [q.pyramid.valid_cells(s, lengths, 20) for s in range(len(q.pyramid))]
    for scale, (ours, theirs) in enumerate(zip(bits, wanted, strict=True)):
        exist = valid[scale].repeat_interleave(len(config.tokenizer.scales[scale].groups), 1)
        assert torch.equal(ours[exist], theirs[exist])
    alone = q.teacher_inputs([b[1:] for b in wanted], 20)
    torch.testing.assert_close(torch.cat(inputs, 1)[1:], alone)


def test_flipped_bits_change_the_finer_targets_but_not_the_first() -> None:
    q = quantizer(OURS)
    torch.manual_seed(3)
    r, lengths = torch.randn(4, 20, 7, 6), torch.full((4,), 20)
    plain, _ = q.self_corrected(r, lengths, 0.0)
    noisy, _ = q.self_corrected(r, lengths, 1.0)
    assert torch.equal(plain[0], noisy[0])
    assert not torch.equal(plain[1], noisy[1])


def test_gradients_reach_the_encoder_through_the_bits() -> None:
    q = quantizer(OURS)
    latents = torch.randn(2, 8, 7, 16, requires_grad=True)
    made = q(latents)
    (made.latents.sum() + made.commitment + made.entropy).backward()
    assert latents.grad is not None
    assert torch.isfinite(latents.grad).all()
    assert latents.grad.abs().sum() > 0


def test_flipped_codes_are_decoded_but_half_of_the_clips_are_left_as_they_are() -> None:
    quantizer = random_model(OURS).tokenizer.quantizer
    latents = torch.randn(64, 8, 7, 16, generator=torch.Generator().manual_seed(3))
    torch.manual_seed(5)
    clean, noisy = quantizer(latents), quantizer(latents, bit_flip=0.5)
    moved = (noisy.latents - clean.latents).abs().amax((1, 2, 3)) > 1e-6
    assert 16 < int(moved.sum()) < 48
    assert torch.equal(clean.bits[0], noisy.bits[0]), "what is told is the bits before the flips"
    assert torch.equal(quantizer(latents, bit_flip=0.0).latents, clean.latents)


def test_every_scale_adds_to_the_reconstruction() -> None:
    """Residual quantizing: with a trained-like projection each scale lowers the error."""
    q = quantizer(OURS)
    torch.manual_seed(0)
    r = torch.randn(8, 16, 7, 6) * 0.5
    bits, _ = q.self_corrected(r, torch.full((8,), 16), 0.0)
    total, errors = torch.zeros_like(r), []
    for scale, b in enumerate(bits):
        total = total + q.upsampled(b, scale, 16)
        errors.append(float((r - total).square().mean()))
    assert errors[-1] < errors[0]


def test_our_cells_do_not_depend_on_the_longest_clip() -> None:
    """Ten seconds or two: the first cells cover the same frames."""
    pyramid = quantizer(OURS).pyramid
    for scale in range(len(pyramid)):
        short, long = pyramid.positions(scale, 7), pyramid.positions(scale, 20)
        assert torch.equal(long[: len(short)], short)
