"""The singular values of drawn matrices, against the law of Marchenko and Pastur.

Eigenvalues repel one another, so they have no simple null distribution. As many matrices of NumPy's
generator, with the same distribution of elements, take its place: for each statistic, the
two-sample Kolmogorov-Smirnov test compares the matrices of the op with them.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
from scipy import special

from tests.randomness import distributions, p_values
from tests.randomness.draws import Case
from tests.randomness.p_values import Result
from tf_vsinit import reference

ROWS, COLUMNS = 400, 200
STATISTICS = ("distance from the law", "smallest", "largest", "sum of squares")


def eigenvalues(matrix: np.ndarray) -> np.ndarray:
    """Returns the squares of the singular values of a matrix of unit variance, over its rows."""
    matrix = matrix.astype(np.float64)
    return np.linalg.eigvalsh(matrix.T @ matrix / len(matrix))


def marchenko_pastur_edges(ratio: float) -> tuple[float, float]:
    """Returns the least and the largest eigenvalue of the law; ratio is columns over rows."""
    return (1 - ratio**0.5) ** 2, (1 + ratio**0.5) ** 2


def marchenko_pastur_density(x: np.ndarray, ratio: float) -> np.ndarray:
    """Returns the density of the law, for a ratio below one."""
    low, high = marchenko_pastur_edges(ratio)
    return np.sqrt(np.maximum((high - x) * (x - low), 0)) / (2 * np.pi * ratio * x)


def marchenko_pastur_cdf(x: np.ndarray, ratio: float) -> np.ndarray:
    """Returns the distribution function of the law, by the midpoint rule on 2^16 intervals."""
    low, high = marchenko_pastur_edges(ratio)
    edges = np.linspace(low, high, 2**16 + 1)
    density = marchenko_pastur_density((edges[1:] + edges[:-1]) / 2, ratio)
    cumulated = np.concatenate([[0], np.cumsum(density)])
    return np.interp(x, edges, cumulated / cumulated[-1])


def statistics(matrix: np.ndarray) -> list[float]:
    """Returns the statistics of a matrix of unit variance, in the order of STATISTICS."""
    values = eigenvalues(matrix)
    exact = marchenko_pastur_cdf(values, matrix.shape[1] / matrix.shape[0])
    rank = np.arange(len(values)) / len(values)
    distance = max((exact - rank).max(), (rank + 1 / len(values) - exact).max())
    return [distance, values[0], values[-1], float(np.square(values).sum())]


def drawn(case: Case, count: int) -> list[np.ndarray]:
    """Returns matrices of unit variance, each the next box of a case."""
    stddev = distributions.continuous(case.distribution).moments[1] ** 0.5
    boxes = case.boxes(count * ROWS * COLUMNS, ROWS * COLUMNS)
    return [box.reshape(ROWS, COLUMNS) / box.dtype.type(stddev) for box in boxes]


def of_numpy(distribution: str, count: int) -> list[np.ndarray]:
    """Returns matrices of unit variance from NumPy's generator."""
    random = np.random.default_rng(list(distribution.encode()))
    law = distributions.continuous(distribution)
    u = random.random((count, ROWS, COLUMNS))
    if distribution == "uniform":
        x = 2 * u - 1
    else:
        low = special.ndtr(-law.bound)
        x = special.ndtri(low + u * (1 - 2 * low))
    return list(x / law.moments[1] ** 0.5)


def compare(
    case: Case, count: int, matrices: Callable[[Case, int], list[np.ndarray]] = drawn
) -> list[Result]:
    """Compares the singular values of matrices of a case with those of NumPy's matrices."""
    ours = np.array([statistics(matrix) for matrix in matrices(case, count)])
    numpys = np.array([statistics(matrix) for matrix in of_numpy(case.distribution, count)])
    return [
        Result("singular values", str(case), name, *p_values.two_samples(first, second))
        for name, first, second in zip(STATISTICS, ours.T, numpys.T, strict=True)
    ]


CASES = tuple(
    Case(*names, (2027, number))
    for number, names in enumerate(
        itertools.product(reference.STREAMS, reference.DISTRIBUTIONS, ("float32",))
    )
)
