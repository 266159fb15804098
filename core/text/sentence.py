"""One vector for a sentence."""

import numpy as np


def sentence_embedding(states: np.ndarray) -> np.ndarray:
    """Unit vector [W] of token states [L, W]: their mean, as all-MiniLM-L6-v2 was trained.

    In double precision, so that what is drawn by it does not depend on the thread count.
    """
    mean = np.asarray(states, np.float64).mean(0)
    return mean / max(float(np.linalg.norm(mean)), 1e-12)
