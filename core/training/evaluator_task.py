"""Training the text-motion evaluator: InfoNCE over clips and their sentences.

Petrovich et al. 2023 (TMR).  Pairs that say the same are no negatives of each other.  A second loss
keeps in the motion's embedding what captions do not tell (how fast and how smoothly it moves), so
that distances between sets of motions show a loss of quality.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..evaluation.embedding import embed_features, embed_states
from ..evaluation.evaluator import Evaluator, EvaluatorConfig
from ..evaluation.metrics import caption_ranks, r_precision
from ..features.snapmogen import SnapMoGenLayout
from .corpus import Clip, clip_weights
from .evaluator_data import EvaluatorData
from .feature_math import feature_statistics
from .loop import Task

_SIDE = re.compile(
    r"(?<![a-z])(left|right|both|counterclockwise|anticlockwise|clockwise)(?:wards?|most)?(?![a-z])"
)


@dataclass(frozen=True)
class ContrastiveOptions:
    """same: cosine of sentence vectors above which two captions are taken to say the same.

    TMR takes 0.8; the sentence vectors used here put "left hand" and "right hand" at 0.9 and more,
    so the limit is higher, and sentences that name different sides are never the same.
    """

    same: float = 0.9
    batch: int = 128
    longest: int = 192
    own_captions: float = 0.5
    crop: float = 0.5
    shortest_crop: float = 0.6
    summary: float = 0.5


class _Trained(nn.Module):
    """The evaluator and what only its training needs."""

    def __init__(self, config: EvaluatorConfig) -> None:
        super().__init__()
        self.evaluator = Evaluator(config)
        self.log_scale = nn.Parameter(torch.tensor(float(np.log(10.0))))
        self.summary = nn.Linear(config.embedding, 2 * config.features)

    def forward(
        self, features: Tensor, lengths: Tensor, states: Tensor, text_lengths: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        motions = self.evaluator.embed_motions(features, lengths)
        texts = self.evaluator.embed_texts(states, text_lengths)
        # √d: a unit vector's numbers are small, and a linear layer begins best with numbers near 1.
        summary = self.summary(motions * motions.shape[-1] ** 0.5)
        return motions, texts, self.log_scale.exp().clamp(max=100.0), summary


def sides_named(sentence: str) -> tuple[str, ...]:
    """The words for left, right and both in a sentence, in order."""
    return tuple(_SIDE.findall(sentence.lower()))


class EvaluatorTask(Task):
    """See :class:`core.training.loop.Task`.

    states, lengths: text states of ``train.sentences`` and then ``validation.sentences``, end to
    end, as :func:`core.training.text_states.text_states` gives them.
    """

    name = "evaluator"
    model: _Trained

    def __init__(
        self,
        config: EvaluatorConfig,
        clips: Sequence[Clip],
        train: EvaluatorData,
        validation: EvaluatorData,
        states: Tensor,
        lengths: Tensor,
        options: ContrastiveOptions = ContrastiveOptions(),
    ) -> None:
        self.config, self.options = config, options
        self.train_data, self.validation = train, validation
        self.probabilities = torch.from_numpy(clip_weights(list(clips)))
        self.states, self.state_lengths = states, lengths
        self.state_starts = torch.cat([torch.zeros(1, dtype=torch.long), lengths.cumsum(0)[:-1]])
        self.vectors = sentence_vectors(states, lengths)
        sides: dict[tuple[str, ...], int] = {(): 0}
        named = [sides_named(s) for s in (*train.sentences, *validation.sentences)]
        self.sides = torch.tensor([sides.setdefault(s, len(sides)) for s in named])
        self.concepts = torch.tensor(train.concepts)
        self.model = _Trained(config)
        mean, std = _statistics(train)
        self.model.evaluator.mean.copy_(mean)
        self.model.evaluator.std.copy_(std)

    def fingerprint(self) -> str:
        evaluator = self.model.evaluator
        statistics = torch.cat([evaluator.mean, evaluator.std]).cpu().numpy().tobytes()
        return hashlib.sha256(repr(self.config).encode() + statistics).hexdigest()

    def to(self, device: torch.device) -> None:
        for name in ("states", "vectors", "sides", "concepts"):
            setattr(self, name, getattr(self, name).to(device))

    # --- batches ---------------------------------------------------------------------------------

    def batch(self) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """(features [B, T, F], lengths [B], text states [B, L, W], their lengths [B], same [B, B]).

        same: which pairs describe the same and are no negatives, the diagonal left out.
        """
        o = self.options
        count = min(o.batch, len(self.probabilities))
        chosen = torch.multinomial(self.probabilities, count)
        variants = 2 * chosen + torch.randint(2, (count,))
        pieces, sentences = [], []
        for index in variants.tolist():
            length = self.train_data.length(index)
            frames = length
            if float(torch.rand(())) < o.crop:
                share = o.shortest_crop + (1 - o.shortest_crop) * float(torch.rand(()))
                length = max(min(length, 30), int(length * share))
            length = min(length, o.longest)
            first = int(torch.randint(frames - length + 1, ()))
            pieces.append(self.train_data.piece(index, first, first + length))
            own, more = self.train_data.texts[index]
            source = more if more and float(torch.rand(())) >= o.own_captions else own
            sentences.append(source[int(torch.randint(len(source), ()))])
        device = self.states.device
        lengths = torch.tensor([len(p) for p in pieces], device=device)
        features = nn.utils.rnn.pad_sequence(pieces, batch_first=True).to(device).float()
        states, text_lengths = self.text_batch(sentences)
        table = torch.tensor(sentences, device=device)
        same = self.vectors[table] @ self.vectors[table].T > o.same
        side = self.sides[table]
        both = (side[:, None] > 0) & (side[None] > 0)
        same &= ~(both & (side[:, None] != side[None]))
        concept = self.concepts[variants.to(device)]
        same |= concept[:, None] == concept[None]
        same.fill_diagonal_(False)
        return features, lengths, states, text_lengths, same

    def text_batch(self, sentences: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Padded states [B, L, W] and lengths [B] of sentences of the table."""
        index = torch.as_tensor(sentences)
        lengths = self.state_lengths[index]
        steps = torch.arange(int(lengths.max()))
        at = self.state_starts[index][:, None] + torch.minimum(steps, lengths[:, None] - 1)
        device = self.states.device
        return self.states[at.to(device)].float(), lengths.to(device)

    # --- training --------------------------------------------------------------------------------

    def loss(
        self, model: nn.Module, step: int, progress: float
    ) -> tuple[Tensor, dict[str, Tensor]]:
        features, lengths, states, text_lengths, same = self.batch()
        motions, texts, scale, summary = model(features, lengths, states, text_lengths)
        contrast = info_nce(scale * motions.float() @ texts.float().T, same)
        evaluator = self.model.evaluator
        target = motion_summary((features - evaluator.mean) / evaluator.std, lengths)
        kept = F.smooth_l1_loss(summary.float(), target)
        total = contrast + self.options.summary * kept
        return total, {"contrast": contrast.detach(), "summary": kept.detach()}

    def validate(self, folder: Path, step: int) -> dict[str, float]:
        """R-precision of the validation clips among captions other than their own."""
        offset = len(self.train_data.sentences)
        evaluator = self.model.evaluator
        data = self.validation
        motions = embed_features(
            evaluator, [data.piece(i, 0, None).numpy() for i in range(len(data))]
        )
        firsts = [own[0] for own, _ in data.texts]
        rows = list(dict.fromkeys(firsts))
        states = []
        for row in rows:
            start, length = self.state_starts[offset + row], self.state_lengths[offset + row]
            states.append(self.states[start : start + length].float().cpu().numpy())
        texts = embed_states(evaluator, states)
        others = np.ones((len(motions), len(rows)), dtype=bool)
        for i, (own, _) in enumerate(data.texts):
            others[i] = ~np.isin(rows, own)
        index = np.array([rows.index(first) for first in firsts])
        ranks = caption_ranks(motions, texts, index, others, np.random.default_rng(0))
        return {f"top{k}": r_precision(ranks, k) for k in (1, 2, 3)}


def info_nce(scores: Tensor, same: Tensor) -> Tensor:
    """Symmetric InfoNCE of scores [B, B]; pairs marked in ``same`` are left out as negatives."""
    scores = scores.masked_fill(same, float("-inf"))
    target = torch.arange(len(scores), device=scores.device)
    return (F.cross_entropy(scores, target) + F.cross_entropy(scores.T, target)) / 2


def motion_summary(x: Tensor, lengths: Tensor) -> Tensor:
    """Mean over time and log of the mean step, [B, 2 F], of normalised features x [B, T, F]."""
    steps = torch.arange(x.shape[1], device=x.device)
    there = (steps < lengths[:, None])[..., None]
    mean = (x * there).sum(1) / lengths[:, None]
    change = (x.diff(dim=1).abs() * there[:, 1:]).sum(1) / (lengths - 1).clamp_min(1)[:, None]
    return torch.cat([mean, torch.log(change + 1e-3) + 3.0], 1)


def sentence_vectors(states: Tensor, lengths: Tensor) -> Tensor:
    """Unit sentence vectors [n, W]: mean over each text's tokens, as MiniLM was trained to give."""
    index = torch.repeat_interleave(torch.arange(len(lengths)), lengths)
    sums = torch.zeros(len(lengths), states.shape[1]).index_add_(0, index, states.float())
    return F.normalize(sums, dim=-1)


def _statistics(data: EvaluatorData) -> tuple[Tensor, Tensor]:
    """Mean and deviation [F]: those of the tokenizer's kind for layouts with rotations."""
    features = torch.from_numpy(np.concatenate(data.features)).float()
    if isinstance(data.layout, SnapMoGenLayout):
        return feature_statistics(features.numpy(), data.layout)
    return features.mean(0), features.std(0).clamp_min(1e-2)
