"""How long an action takes: a kick a second, a walk several."""

from dataclasses import dataclass

import numpy as np

from ..text.sentence import sentence_embedding

#: Lengths told are within what was seen often.
SHORTEST, LONGEST = 1.0, 8.0


@dataclass(frozen=True)
class DurationPredictor:
    """Log-linear in the mean token state: weight [W], bias."""

    weight: np.ndarray
    bias: float

    def seconds(self, states: np.ndarray) -> float:
        """Length in seconds that suits a prompt of token states [L, W], to a tenth."""
        logarithm = float(sentence_embedding(states) @ self.weight) + self.bias
        return round(float(np.clip(np.exp(logarithm), SHORTEST, LONGEST)), 1)


def fit_durations(
    embeddings: np.ndarray, seconds: np.ndarray, weights: np.ndarray, penalty: float = 0.0005
) -> DurationPredictor:
    """Ridge regression of log seconds [n] on embeddings [n, W], rows weighted by ``weights`` [n].

    ``penalty``: of the squared weights, against a mean square of the rows of 1.
    """
    share = weights / weights.sum()
    target = np.log(seconds)
    centre, level = share @ embeddings, float(share @ target)
    x, y = embeddings - centre, target - level
    normal = (x * share[:, None]).T @ x + penalty * np.eye(x.shape[1])
    weight = np.linalg.solve(normal, (x * share[:, None]).T @ y)
    return DurationPredictor(weight, level - float(centre @ weight))
