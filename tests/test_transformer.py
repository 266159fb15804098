"""The next-scale transformer and its sampler."""

from typing import Any

import pytest
import torch
from model_fakes import OURS, published_like, random_model
from torch import Tensor

from core.model.attention import attend
from core.model.sampler import SamplingOptions, sample
from core.model.transformer import NextScaleTransformer
from core.model.weights import Model

CONFIGS = {
    "ours": OURS,
    "snapmogen": published_like("snapmogen"),
    "humanml3d": published_like("humanml3d"),
}
GREEDY = SamplingOptions(guidance=3.0, temperature=1.3, greedy=True)


@pytest.fixture(params=sorted(CONFIGS))
def model(request: pytest.FixtureRequest) -> Model:
    return random_model(CONFIGS[request.param])


def text(length: int = 5, seed: int = 0) -> Tensor:
    return torch.randn(length, 48, generator=torch.Generator().manual_seed(seed))


@torch.inference_mode()
def greedy_without_cache(model: Model, states: Tensor, latents: int) -> list[Tensor]:
    """The sampler written plainly: every scale runs all coarser ones again, no cache."""
    quantizer, transformer = model.tokenizer.quantizer, model.transformer
    scales = len(quantizer.pyramid)
    shapes = quantizer.pyramid.shapes(latents)
    bits = [torch.zeros(1, s.tokens, quantizer.bits, dtype=torch.bool) for s in shapes]
    for scale in range(scales):
        inputs = quantizer.teacher_inputs(bits, latents)
        cond, uncond = (
            transformer(inputs, x[None], None, latents)
            for x in (states, transformer.unconditional_states(len(states)))
        )
        w = GREEDY.guidance * scale / (scales - 1)
        logits = (1 + w) * cond - w * uncond
        first = sum(s.tokens for s in shapes[:scale])
        part = logits[:, first : first + shapes[scale].tokens]
        bits[scale] = part[..., 1] > part[..., 0]
    return bits


@pytest.mark.parametrize("latents", [1, 6, 11, 20])
def test_the_cached_sampler_equals_the_plain_one(model: Model, latents: int) -> None:
    made = sample(model.transformer, model.tokenizer.quantizer, text(), latents, [0], GREEDY)
    wanted = greedy_without_cache(model, text(), latents)
    for ours, theirs in zip(made.bits, wanted, strict=True):
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize("length", [3, 9, 20])
def test_cells_beyond_a_clips_end_are_not_felt(model: Model, length: int) -> None:
    """A padded batch gives each clip the logits that it has alone."""
    quantizer, transformer = model.tokenizer.quantizer, model.transformer
    config = model.config.tokenizer
    longest = config.max_latents
    torch.manual_seed(1)
    r = torch.randn(2, longest, 7, config.bits)
    lengths = torch.tensor([longest, length])
    with torch.inference_mode():
        bits, inputs = quantizer.self_corrected(r, lengths, 0.0)
        states = torch.stack([text(), text(seed=1)])
        texts = torch.tensor([5, 4])
        together = transformer(torch.cat(inputs, 1), states, texts, longest, lengths)
        own = [b[1:, : quantizer.pyramid.shape(s, length).tokens] for s, b in enumerate(bits)]
        alone = transformer(quantizer.teacher_inputs(own, length), states[1:, :4], None, length)
    valid = transformer.valid_tokens(longest, lengths)[1]
    torch.testing.assert_close(together[1][valid], alone[0], atol=1e-4, rtol=1e-4)


def test_a_token_sees_its_own_and_coarser_scales_only(model: Model) -> None:
    quantizer, transformer = model.tokenizer.quantizer, model.transformer
    shapes = quantizer.pyramid.shapes(12)
    bits = [torch.rand(1, s.tokens, quantizer.bits) > 0.5 for s in shapes]
    changed = [*bits[:-2], ~bits[-2], bits[-1]]
    with torch.inference_mode():
        a, b = (
            transformer(quantizer.teacher_inputs(x, 12), text()[None], None, 12)
            for x in (bits, changed)
        )
    finest = shapes[-1].tokens
    # Bits of the last but one scale are input of the last scale alone.
    torch.testing.assert_close(a[:, :-finest], b[:, :-finest])
    assert not torch.allclose(a[:, -finest:], b[:, -finest:])


def test_a_seed_means_the_same_motion_whatever_runs_beside_it(model: Model) -> None:
    options = SamplingOptions(guidance=2.0, temperature=1.0)
    quantizer = model.tokenizer.quantizer
    alone = sample(model.transformer, quantizer, text(), 9, [7], options)
    beside = sample(model.transformer, quantizer, text(), 9, [3, 7, 11], options)
    for a, b in zip(alone.bits, beside.bits, strict=True):
        assert torch.equal(a[0], b[1])
    assert not all(torch.equal(b[0], b[2]) for b in beside.bits)


def test_guidance_zero_needs_no_unconditional_pass(model: Model) -> None:
    options = SamplingOptions(guidance=0.0, temperature=1.0, greedy=True)
    quantizer = model.tokenizer.quantizer
    made = sample(model.transformer, quantizer, text(), 8, [0], options)
    with torch.inference_mode():
        logits = model.transformer(quantizer.teacher_inputs(made.bits, 8), text()[None], None, 8)
    bits = torch.cat(made.bits, 1)
    assert torch.equal(bits, logits[..., 1] > logits[..., 0])


class CountedRows:
    """A transformer that tells how many rows each of its runs had."""

    def __init__(self, transformer: NextScaleTransformer) -> None:
        self._transformer = transformer
        self.rows: list[int] = []

    def run(self, x: Tensor, *more: Any) -> Tensor:
        self.rows.append(len(x))
        return self._transformer.run(x, *more)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transformer, name)


def test_the_unconditional_half_ends_with_the_last_guided_scale(model: Model) -> None:
    """The finest scale costs most: where the ramp falls to zero it is computed once, not twice."""
    quantizer, last = model.tokenizer.quantizer, len(model.tokenizer.quantizer.pyramid) - 1
    made = {}
    for name, end in (("zero", 0.0), ("almost", 1e-9)):
        counted = CountedRows(model.transformer)
        options = SamplingOptions(guidance=3.0, temperature=1.0, ramp=(1.0, end))
        made[name] = sample(counted, quantizer, text(), 9, [1, 2], options)  # type: ignore[arg-type]
        assert counted.rows == [4] * last + [2 if name == "zero" else 4]
    for a, b in zip(made["zero"].probabilities, made["almost"].probabilities, strict=True):
        torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-4)
    # A published ramp begins at zero, but finer scales look back at what was computed there.
    counted = CountedRows(model.transformer)
    sample(counted, quantizer, text(), 9, [1, 2], SamplingOptions(3.0, 1.0))  # type: ignore[arg-type]
    assert counted.rows == [4] * (last + 1)


def test_guidance_runs_along_its_ramp() -> None:
    published = SamplingOptions(guidance=7.0, temperature=1.0)
    assert [published.weight(p) for p in (0.0, 0.5, 1.0)] == [0.0, 3.5, 7.0]
    falling = SamplingOptions(guidance=4.0, temperature=1.0, ramp=(1.0, 0.25))
    assert [falling.weight(p) for p in (0.0, 1.0)] == [4.0, 1.0]


def test_temperature_runs_along_its_ramp() -> None:
    options = SamplingOptions(4.0, 1.2, temperature_ramp=(1.0, 0.5))
    assert [options.heat(p) for p in (0.0, 0.5, 1.0)] == pytest.approx([1.2, 0.9, 0.6])


@pytest.mark.parametrize("masked", [False, True])
def test_attention_is_the_same_in_training_as_when_sampling(masked: bool) -> None:
    generator = torch.Generator().manual_seed(1)
    q, k, v = (torch.randn(2, 3, 7, 8, generator=generator) for _ in range(3))
    mask = torch.rand(2, 1, 7, 7, generator=generator) < 0.6 if masked else None
    if mask is not None:
        mask[..., 0] = True  # a row has something to see
    with torch.no_grad():
        fused = attend(q, k, v, mask)
    q.requires_grad_(True)
    written_out = attend(q, k, v, mask)
    torch.testing.assert_close(written_out, fused, rtol=1e-5, atol=1e-5)
    written_out.sum().backward()
    assert q.grad is not None
    assert q.grad.abs().max() > 0


def test_blocks_compiled_one_by_one_give_the_same(model: Model) -> None:
    inputs = torch.randn(
        1,
        sum(s.tokens for s in model.tokenizer.quantizer.pyramid.shapes(8)[1:]),
        model.tokenizer.quantizer.bits,
    )
    plain = model.transformer(inputs, text()[None], None, 8)
    model.transformer.compile_blocks()
    with torch.compiler.set_stance("force_eager"):  # no C++ compiler is needed for this
        torch.testing.assert_close(model.transformer(inputs, text()[None], None, 8), plain)
    assert all(block._compiled_call_impl is not None for block in model.transformer.blocks)


def test_temperature_spreads_and_the_text_matters(model: Model) -> None:
    quantizer = model.tokenizer.quantizer

    def probabilities(states: Tensor, temperature: float) -> Tensor:
        options = SamplingOptions(guidance=0.0, temperature=temperature, greedy=True)
        return sample(model.transformer, quantizer, states, 8, [0], options).probabilities[0]

    sharp, flat = probabilities(text(), 0.5), probabilities(text(), 4.0)
    assert (sharp - 0.5).abs().mean() > (flat - 0.5).abs().mean()
    assert not torch.allclose(probabilities(text(), 1.0), probabilities(text(seed=5), 1.0))


def test_raising_in_the_callback_cancels(model: Model) -> None:
    seen = []

    def stop(scale: int, bits: list[Tensor]) -> None:
        seen.append(scale)
        if scale == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sample(model.transformer, model.tokenizer.quantizer, text(), 8, [0], GREEDY, stop)
    assert seen == [0, 1]


def test_a_short_clip_computes_fewer_tokens() -> None:
    """The cost that counts: 2 s must not pay for 10 s."""
    pyramid = random_model(OURS).tokenizer.quantizer.pyramid
    tokens = [sum(s.tokens for s in pyramid.shapes(n)) for n in (4, 8, 20)]
    assert tokens[0] < 0.6 * tokens[1] < 0.4 * tokens[2]
