"""The exact distributions of the draws, with a limit or a standard deviation of one.

Nothing here uses the code of the streams: the distributions follow from their definitions alone.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable

import ml_dtypes
import numpy as np
from scipy import integrate, special

TRUNCATION = 2.0
SIXTEEN_BITS = {"float16": np.dtype(np.float16), "bfloat16": np.dtype(ml_dtypes.bfloat16)}
# Uniform deviates are multiples of this in [0, 1).
UNIFORM_STEP = {"float32": 2.0**-23, "float64": 2.0**-52}
# Box and Muller's transform raises a smaller uniform deviate to this one.
SMALLEST_BOX_MULLER = 1e-7

_MASS = special.ndtr(TRUNCATION) - special.ndtr(-TRUNCATION)


@dataclasses.dataclass(frozen=True)
class Continuous:
    """The distribution of float32 and float64 draws.

    Draws of float32 are discrete too, in steps of at most 2^-23 of the distribution function. That
    is 1e-3 of the distance which the Kolmogorov-Smirnov test resolves with 10^8 draws.
    """

    cdf: Callable[[np.ndarray], np.ndarray]
    # The moments about zero of order 1 to 8.
    moments: tuple[float, ...]
    bound: float


@dataclasses.dataclass(frozen=True)
class Discrete:
    """The distribution of 16-bit draws: values, in ascending order, and their probabilities."""

    values: np.ndarray
    probabilities: np.ndarray

    @property
    def moments(self) -> tuple[float, ...]:
        return tuple(float(self.probabilities @ self.values**order) for order in range(1, 9))


def continuous(distribution: str, dtype: str = "float64") -> Continuous:
    """Returns the distribution of float32 and float64 draws."""
    if distribution == "uniform":
        # A draw is the lower end of a step. The middle of the step has no bias.
        middle = 0.5 + UNIFORM_STEP[dtype] / 2
        moments = tuple((1 - order % 2) / (order + 1) for order in range(1, 9))
        return Continuous(lambda x: x * 0.5 + middle, moments, 1.0)
    if distribution == "untruncated_normal":
        return Continuous(special.ndtr, (0.0, 1.0, 0.0, 3.0, 0.0, 15.0, 0.0, 105.0), math.inf)
    return Continuous(_truncated_cdf, _truncated_moments(), TRUNCATION)


def _truncated_cdf(x: np.ndarray) -> np.ndarray:
    return (special.ndtr(x) - special.ndtr(-TRUNCATION)) / _MASS


def _truncated_moments() -> tuple[float, ...]:
    """Returns the moments of order 1 to 8, each even one from the one before (by parts)."""
    at_the_ends = 2 * math.exp(-(TRUNCATION**2) / 2) / math.sqrt(2 * math.pi) / _MASS
    moments = [1.0]
    for order in range(1, 9):
        moments.append(
            0.0
            if order % 2
            else (order - 1) * moments[order - 2] - TRUNCATION ** (order - 1) * at_the_ends
        )
    return tuple(moments[1:])


@functools.cache
def discrete(distribution: str, dtype: str, stream: str) -> Discrete:
    """Returns the distribution of draws in a 16-bit dtype."""
    if distribution != "uniform":
        return _rounded_normal(distribution, SIXTEEN_BITS[dtype])
    if stream == "tensorflow":
        # r has as many bits as the mantissa: 2 r - 1 is exact.
        count = 2 ** (10 if dtype == "float16" else 7)
        values = np.arange(count) * (2 / count) - 1
        return Discrete(values, np.full(count, 1 / count))
    return _rounded_uniform(SIXTEEN_BITS[dtype])


def _rounded_uniform(dtype: np.dtype) -> Discrete:
    """Rounds every float32 uniform, and brings those that become 1 to the next value below."""
    exact = np.arange(2**23, dtype=np.float32) * np.float32(2.0**-22) - np.float32(1)
    rounded = exact.astype(dtype).astype(np.float64)
    values, counts = np.unique(rounded, return_counts=True)
    counts[-2] += counts[-1]
    return Discrete(values[:-1], counts[:-1] / 2**23)


def _rounded_normal(distribution: str, dtype: np.dtype) -> Discrete:
    """Gives each value the probability of the numbers that round to it."""
    law = continuous(distribution)
    positive = np.arange(0x7C00 if dtype == np.float16 else 0x7F80, dtype=np.uint16)
    positive = positive.view(dtype).astype(np.float64)
    positive = positive[positive <= min(law.bound, 9.0)]
    values = np.concatenate([-positive[:0:-1], positive])
    between = np.clip((values[1:] + values[:-1]) / 2, -law.bound, law.bound)
    # From the smaller tail, which keeps the relative precision of small probabilities.
    middle = len(positive) - 1
    lower = np.diff(law.cdf(between[:middle]), prepend=0.0)
    around_zero = 1 - 2 * lower.sum()
    return Discrete(values, np.concatenate([lower, [around_zero], lower[::-1]]))


def upper_tail(threshold: float, dtype: str, stream: str) -> float:
    """Returns the probability that an untruncated normal draw exceeds a threshold above zero."""
    if dtype in SIXTEEN_BITS:
        # A draw exceeds the threshold, a value of the dtype, if it rounds to the next value.
        exact = np.array(threshold, SIXTEEN_BITS[dtype])
        following = (exact.view(np.uint16) + np.uint16(1)).view(exact.dtype)
        threshold = (threshold + float(following)) / 2
    if stream == "tensorflow":
        return _box_muller_tail(threshold, dtype)
    tail = float(special.ndtr(-threshold))
    if dtype == "float64":
        return tail
    # The words with (word + 1/2) / 2^32 below the tail.
    return math.ceil(tail * 2**32 - 0.5) / 2**32


def _box_muller_tail(threshold: float, dtype: str) -> float:
    """Returns the tail of sqrt(-2 log(u)) cos(angle).

    u is at least 1e-7 and, in float32, a multiple of 2^-23.
    """

    def given(u):
        """Returns the share of the angles that exceed the threshold."""
        return np.arccos(np.minimum(threshold / np.sqrt(-2 * np.log(u)), 1)) / np.pi

    largest = math.exp(-(threshold**2) / 2)
    if largest <= SMALLEST_BOX_MULLER:
        return 0.0
    if dtype == "float64":
        smallest = SMALLEST_BOX_MULLER * float(given(SMALLEST_BOX_MULLER))
        return smallest + integrate.quad(given, SMALLEST_BOX_MULLER, largest, epsrel=1e-10)[0]
    step = UNIFORM_STEP["float32"]
    u = np.arange(int(largest / step) + 1) * step
    u[0] = SMALLEST_BOX_MULLER
    return float(given(u).sum() * step)
