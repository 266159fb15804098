"""Training the next-scale transformer on cached latents and text states."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..features import feature_layout
from ..model.sampler import SamplingOptions, sample
from ..model.transformer import NextScaleTransformer
from ..model.weights import Model
from ..preview import contact_sheet
from .loop import Task
from .token_data import TokenData

#: Prompts of the contact sheets along the way.
SHEET_PROMPTS = (
    ("a person walks forward", 4.0),
    ("a person runs", 4.0),
    ("a person jumps", 3.0),
    ("a person waves with the right hand", 4.0),
    ("a person kicks", 3.0),
    ("a person bows", 4.0),
    ("a person turns left", 3.0),
    ("a person sits down", 4.0),
)
_BUCKETS = (6, 8, 10, 12, 14, 16, 20, 24, 32, 10_000)


@dataclass(frozen=True)
class TransformerLoss:
    """Published values (model.md 4), but for the caption choice, which is ours."""

    bit_flip: float = 0.3
    text_dropout: float = 0.1
    #: Ours: share of a sentence's words that are not seen, so that none is indispensable.
    word_dropout: float = 0.1
    #: Share of draws that use the clip's own captions, not the paraphrases.
    own_captions: float = 0.3


class TransformerTask(Task):
    """See :class:`core.training.loop.Task`.  Batches hold about ``batch_tokens`` tokens.

    ``states`` are the text states of ``train.sentences`` and then of ``validation.sentences``, end
    to end [sum of lengths, text width], ``state_lengths`` how many belong to each.
    """

    name = "transformer"

    def __init__(
        self,
        model: Model,
        train: TokenData,
        validation: TokenData,
        states: Tensor,
        state_lengths: Tensor,
        sheet_states: list[Tensor],
        loss: TransformerLoss = TransformerLoss(),
        batch_tokens: int = 9000,
    ) -> None:
        self.whole = model
        self.model: NextScaleTransformer = model.transformer
        self.quantizer = model.tokenizer.quantizer
        self.options, self.batch_tokens = loss, batch_tokens
        self.train_data, self.validation = train, validation
        self.states, self.state_lengths = states, state_lengths
        self.state_starts = torch.cat(
            [torch.zeros(1, dtype=torch.long), state_lengths.cumsum(0)[:-1]]
        )
        self.sheet_states = sheet_states
        self.latents = torch.cat([x.reshape(-1, 7, self.quantizer.bits) for x in train.latents])
        lengths = np.array([len(x) for x in train.latents])
        self.lengths = torch.from_numpy(lengths)
        self.starts = torch.cat([torch.zeros(1, dtype=torch.long), self.lengths.cumsum(0)[:-1]])
        # Clips of similar length share a batch, so that little of it is padding.
        bucket = np.searchsorted(_BUCKETS, lengths)
        self.buckets = [np.flatnonzero(bucket == b) for b in np.unique(bucket)]
        self.bucket_weights = [torch.from_numpy(train.weights[b]) for b in self.buckets]
        self.bucket_mass = torch.tensor([float(w.sum()) for w in self.bucket_weights])

    def fingerprint(self) -> str:
        digest = hashlib.sha256(repr(self.whole.config).encode())
        # The codes that it learns, and how many of them: another tokenizer or data set shows here.
        digest.update(self.lengths.numpy().tobytes())
        digest.update(self.latents[:1000].cpu().numpy().tobytes())
        return digest.hexdigest()

    def to(self, device: torch.device) -> None:
        self.whole.to(device)
        for name in ("latents", "states"):
            setattr(self, name, getattr(self, name).to(device))
        self.sheet_states = [s.to(device) for s in self.sheet_states]

    # --- batches ---------------------------------------------------------------------------------

    def batch(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """(latents [B, T', 7, d], lengths [B], text states [B, L, W], text lengths [B])."""
        which = int(torch.multinomial(self.bucket_mass, 1))
        members = self.buckets[which]
        longest = int(self.lengths[members].max())
        tokens = sum(shape.tokens for shape in self.quantizer.pyramid.shapes(longest))
        count = max(2, self.batch_tokens // tokens)
        picks = torch.multinomial(self.bucket_weights[which], count, replacement=True)
        chosen = torch.from_numpy(members)[picks]
        latents, lengths = self._gather_latents(chosen, self.latents, self.starts, self.lengths)
        sentences = [self._choose_sentence(self.train_data.texts[int(i)]) for i in chosen]
        states, text_lengths = self.text_batch(sentences)
        states, text_lengths = drop_words(states, text_lengths, self.options.word_dropout)
        drop = torch.rand(count, device=states.device) < self.options.text_dropout
        unconditional = self.model.unconditional_states(states.shape[1]).to(states.dtype)
        return (
            latents,
            lengths.to(latents.device),
            torch.where(drop[:, None, None], unconditional, states),
            text_lengths,
        )

    def _gather_latents(
        self, chosen: Tensor, latents: Tensor, starts: Tensor, lengths: Tensor
    ) -> tuple[Tensor, Tensor]:
        own = lengths[chosen]
        steps = torch.arange(int(own.max()))
        index = starts[chosen][:, None] + torch.minimum(steps, own[:, None] - 1)
        return latents[index.to(latents.device)].float(), own

    def _choose_sentence(self, texts: tuple[list[int], list[int]]) -> int:
        own, paraphrases = texts
        if paraphrases and torch.rand(()).item() >= self.options.own_captions:
            own = paraphrases
        return own[int(torch.randint(len(own), ()))]

    def text_batch(self, sentences: list[int]) -> tuple[Tensor, Tensor]:
        """Padded states [B, L, W] fp32 and lengths [B] of sentences of the table."""
        lengths = self.state_lengths[sentences]
        steps = torch.arange(int(lengths.max()))
        index = self.state_starts[sentences][:, None] + torch.minimum(steps, lengths[:, None] - 1)
        device = self.states.device
        return self.states[index.to(device)].float(), lengths.to(device)

    # --- training --------------------------------------------------------------------------------

    def loss(
        self, model: nn.Module, step: int, progress: float
    ) -> tuple[Tensor, dict[str, Tensor]]:
        latents, lengths, states, text_lengths = self.batch()
        # In half precision the signs of small residuals, which are the targets, would be lost.
        with torch.no_grad(), torch.autocast(latents.device.type, enabled=False):
            targets, inputs = self.quantizer.self_corrected(latents, lengths, self.options.bit_flip)
        logits = model(torch.cat(inputs, 1), states, text_lengths, latents.shape[1], lengths)
        loss, per_scale = self.cross_entropy(logits, targets, latents.shape[1], lengths)
        return loss, {f"scale_{s}": value.detach() for s, value in enumerate(per_scale)}

    def cross_entropy(
        self, logits: Tensor, targets: list[Tensor], latents: int, lengths: Tensor
    ) -> tuple[Tensor, list[Tensor]]:
        """(loss, mean per scale): a token weighs 1 / sqrt(tokens of its scale)."""
        bits = torch.cat(targets, 1)
        each = F.cross_entropy(
            logits.float().flatten(0, 2), bits.flatten().long(), reduction="none"
        ).view(bits.shape)
        valid = self.model.valid_tokens(latents, lengths).float()
        each = each.mean(-1) * valid
        total, mass, per_scale, at = each.new_zeros(()), each.new_zeros(()), [], 0
        for target in targets:
            tokens = target.shape[1]
            part, count = each[:, at : at + tokens], valid[:, at : at + tokens].sum()
            per_scale.append(part.sum() / count)
            total = total + part.sum() / tokens**0.5
            mass = mass + count / tokens**0.5
            at += tokens
        return total / mass, per_scale

    # --- validation ------------------------------------------------------------------------------

    def validate(self, folder: Path, step: int) -> dict[str, float]:
        """Loss and share of right bits on the validation clips (no flips); a contact sheet."""
        losses, right, count = [], 0.0, 0.0
        offset = len(self.train_data.sentences)
        device = self.latents.device
        order = np.argsort([len(x) for x in self.validation.latents])
        for at in range(0, len(order), 16):
            members = order[at : at + 16]
            clips = [self.validation.latents[i] for i in members]
            lengths = torch.tensor([len(c) for c in clips], device=device)
            latents = torch.nn.utils.rnn.pad_sequence(clips, batch_first=True).float().to(device)
            states, text_lengths = self.text_batch(
                [offset + self.validation.texts[i][0][0] for i in members]
            )
            targets, inputs = self.quantizer.self_corrected(latents, lengths, 0.0)
            logits = self.model(
                torch.cat(inputs, 1), states, text_lengths, latents.shape[1], lengths
            )
            loss, _ = self.cross_entropy(logits, targets, latents.shape[1], lengths)
            losses.append(float(loss))
            valid = self.model.valid_tokens(latents.shape[1], lengths)[..., None]
            hit = (logits[..., 1] > logits[..., 0]) == torch.cat(targets, 1)
            right += float((hit & valid).sum())
            count += float(valid.sum()) * self.quantizer.bits
        self._draw_sheet(folder / "samples.png")
        return {"loss": float(np.mean(losses)), "bit_accuracy": right / count}

    def _draw_sheet(self, path: Path) -> None:
        config = self.whole.config
        layout = feature_layout(config.tokenizer.layout)
        sizes = config.transformer
        options = SamplingOptions(
            sizes.guidance,
            sizes.temperature,
            ramp=sizes.guidance_ramp,
            temperature_ramp=sizes.temperature_ramp,
        )
        rows = []
        for (prompt, seconds), states in zip(SHEET_PROMPTS, self.sheet_states, strict=True):
            frames = round(seconds * layout.skeleton.fps)
            latents = self.whole.tokenizer.latent_count(frames)
            made = sample(self.model, self.quantizer, states, latents, [1], options)
            features = self.whole.tokenizer.detokenize(made.bits, frames)[0]
            features = features * self.whole.std + self.whole.mean
            rows.append((prompt, layout.decode(features.cpu().numpy())))
        contact_sheet(rows).save(path)


def drop_words(states: Tensor, lengths: Tensor, share: float) -> tuple[Tensor, Tensor]:
    """Text states [B, L, W] and lengths [B] without a random ``share`` of the tokens.

    Those that are left move together (the transformer sees no order but the states' own); the first
    token always stays.
    """
    index = torch.arange(states.shape[1], device=states.device)
    keep = torch.rand(states.shape[:2], device=states.device) >= share
    keep = (keep | (index == 0)) & (index < lengths[:, None])
    order = torch.argsort((~keep).int(), dim=1, stable=True)
    counts = keep.sum(1)
    longest = int(counts.max())
    moved = torch.gather(states, 1, order[..., None].expand_as(states))
    return moved[:, :longest], counts
