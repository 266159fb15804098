"""Smooth curves through weighted demands: penalised least squares in time linear in the frames."""

import numpy as np


def smoothest(
    demands: np.ndarray, weights: np.ndarray, slope_penalty: float = 0.0, bend_penalty: float = 0.0
) -> np.ndarray:
    """The curve x [T, K] that minimises  sum w (x - demand)² + a sum (x')² + b sum (x'')².

    demands: [T, K]; weights: [T], all of them positive; a and b: the two penalties, per frame.
    A Whittaker smoother: where a weight is small the curve is left to its neighbours.
    """
    count = len(demands)
    main, first, second = _penalty_diagonals(count, slope_penalty, bend_penalty)
    # Plain floats: a loop over numpy scalars would cost ten times as much.
    return _solve(
        (main + weights).tolist(), first.tolist(), second.tolist(), weights[:, None] * demands
    )


def _penalty_diagonals(
    count: int, slope: float, bend: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Main, first and second diagonal of the two penalties' matrix; the latter padded to T."""
    main, first, second = np.zeros(count), np.zeros(count), np.zeros(count)
    if count > 1:
        main[:-1] += slope
        main[1:] += slope
        first[:-1] -= slope
    if count > 2:
        for offset, factor in enumerate((1.0, 4.0, 1.0)):
            main[offset : count - 2 + offset] += factor * bend
        first[: count - 2] -= 2.0 * bend
        first[1 : count - 1] -= 2.0 * bend
        second[: count - 2] += bend
    return main, first, second


def _solve(
    main: list[float], first: list[float], second: list[float], right: np.ndarray
) -> np.ndarray:
    """Solve the symmetric pentadiagonal system by its L D Lᵀ factors."""
    count = len(main)
    pivots, lower, lower2 = [0.0] * count, [0.0] * count, [0.0] * count
    before = before2 = 0.0  # lower[i - 1], lower2[i - 2]
    for i in range(count):
        pivot = main[i]
        if i > 0:
            pivot -= before * before * pivots[i - 1]
        if i > 1:
            pivot -= before2 * before2 * pivots[i - 2]
        pivots[i] = pivot
        off = first[i] - (lower2[i - 1] * before * pivots[i - 1] if i > 0 else 0.0)
        lower[i], lower2[i] = off / pivot, second[i] / pivot
        before, before2 = lower[i], lower2[i - 1] if i > 0 else 0.0
    columns = []
    for column in right.T.tolist():
        for i in range(1, count):
            column[i] -= lower[i - 1] * column[i - 1]
            if i > 1:
                column[i] -= lower2[i - 2] * column[i - 2]
        column = [value / pivot for value, pivot in zip(column, pivots, strict=True)]
        for i in range(count - 2, -1, -1):
            column[i] -= lower[i] * column[i + 1]
            if i + 2 < count:
                column[i] -= lower2[i] * column[i + 2]
        columns.append(column)
    return np.array(columns).T.reshape(right.shape)
