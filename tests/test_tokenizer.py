"""The tokenizer's networks."""

import pytest
import torch
from model_fakes import OURS, published_like, random_model

from core.features import feature_layout
from core.model.tokenizer import FrameFilter, JointColumns, SkeletonConv, SkeletonPool

CONFIGS = {
    "ours": OURS,
    "snapmogen": published_like("snapmogen"),
    "humanml3d": published_like("humanml3d"),
}


@pytest.mark.parametrize("name", sorted(CONFIGS))
@pytest.mark.parametrize("frames", [1, 5, 8, 31])
def test_a_clip_of_any_length_goes_through_bits_and_back(name: str, frames: int) -> None:
    model = random_model(CONFIGS[name])
    width = feature_layout(CONFIGS[name].tokenizer.layout).width
    features = torch.randn(2, frames, width)
    bits = model.tokenizer.tokenize(features)
    made = model.tokenizer.detokenize(bits, frames)
    assert made.shape == features.shape
    assert torch.isfinite(made).all()


@pytest.mark.parametrize("layout", ["snapmogen", "humanml3d"])
@pytest.mark.parametrize("frames", [7, 30, 55])
def test_published_clips_are_cut_without_a_trace(layout: str, frames: int) -> None:
    """A short clip alone gives what it gives when padded to the longest, as published."""
    model = random_model(published_like(layout)).tokenizer
    longest = model.config.max_latents * model.config.stride
    latents = model.latent_count(frames)
    features = torch.randn(1, frames, feature_layout(layout).width)
    padded = torch.nn.functional.pad(features, (0, 0, 0, longest - frames))
    with torch.inference_mode():
        wanted = model.encode(padded)[:, :latents]
        torch.testing.assert_close(model.encode_clip(features), wanted)
        code = model.quantizer.latents_from_bits(model.tokenize(features), latents)
        full = torch.nn.functional.pad(code, (0, 0, 0, 0, 0, model.config.max_latents - latents))
        made = model.detokenize(model.tokenize(features), frames)
        torch.testing.assert_close(made, model.decode(full)[:, :frames])


@pytest.mark.parametrize("fold", [1, 4])
@pytest.mark.parametrize("name", ["canonical", "snapmogen", "humanml3d"])
def test_joint_rows_and_features_are_inverse(name: str, fold: int) -> None:
    layout = feature_layout(name)
    columns = JointColumns(layout.joint_columns, fold)
    features = torch.randn(2, 8, layout.width)
    assert torch.equal(columns.features(columns.rows(features)), features)


def test_the_fused_convolution_is_the_written_one() -> None:
    torch.manual_seed(0)
    adjacency = torch.from_numpy(feature_layout("canonical").skeleton.graph.adjacency(0))
    conv = SkeletonConv(6, adjacency)
    x = torch.randn(2, 9, 22, 6)
    neighbours = torch.einsum("ij,btjd->btid", adjacency, conv.neighbours(x))
    neighbours = neighbours / (adjacency.sum(1)[:, None] + 1e-6)
    over_time = torch.stack(
        [conv.temporal(x[:, :, j].transpose(1, 2)).transpose(1, 2) for j in range(22)], 2
    )
    torch.testing.assert_close(conv(x), conv.own(x) + neighbours + over_time, atol=1e-5, rtol=1e-4)


def test_pooling_averages_within_groups() -> None:
    mask = torch.from_numpy(feature_layout("canonical").skeleton.graph.pool_mask(0))
    pool = SkeletonPool(mask, 2)
    torch.testing.assert_close(
        pool(torch.ones(1, 4, 22, 3)), torch.ones(1, 2, 12, 3), atol=1e-4, rtol=0
    )


def test_the_frame_filter_starts_as_nothing() -> None:
    x = torch.randn(2, 12, 7)
    torch.testing.assert_close(FrameFilter(7, 9)(x), x)
