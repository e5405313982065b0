"""From samples to p-values, and from all p-values of a run to one verdict."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Sequence

import numpy as np
from scipy import integrate, special, stats

# With a perfect sampler, the battery raises a false alarm for at most one in this many seeds.
RUNS_PER_FALSE_ALARM = 10_000

_PART = 2**20


@dataclasses.dataclass(frozen=True)
class Result:
    """The result of a test on one subject. `p` is the probability of one at least as unusual."""

    family: str
    subject: str
    test: str
    statistic: str
    p: float


def threshold(results: Sequence[Result]) -> float:
    """Returns the p-value below which a result is an alarm.

    By Bonferroni's bound, which holds however the tests depend on one another, the smallest p-value
    of a perfect sampler is below it in at most one of RUNS_PER_FALSE_ALARM runs.
    """
    return 1 / RUNS_PER_FALSE_ALARM / len(results)


def alarms(results: Sequence[Result]) -> list[Result]:
    """Returns the results that a perfect sampler does not give."""
    # NaN, too, is an alarm.
    return [result for result in results if not result.p >= threshold(results)]


# ---------------------------------------------------------------------------------------------
# p-values of statistics. A fit that is too good is as unusual as one that is too bad, so they are
# two-sided.


def two_sided(lower: float, upper: float) -> float:
    """Returns the p-value from the probabilities of at most, and of at least, the statistic."""
    return float(min(1.0, 2 * min(lower, upper)))


def two_sided_normal(z: float) -> float:
    """Returns the p-value of a standard normal statistic."""
    return float(2 * special.ndtr(-abs(z)))


def quadratic(scores: np.ndarray) -> tuple[str, float]:
    """Returns the sum of the squares of independent standard normal scores, and its p-value."""
    return _chi_square_of(float(np.sum(np.square(scores))), np.size(scores))


def chi_square(counts: np.ndarray, probabilities: np.ndarray) -> tuple[str, float]:
    """Returns Pearson's chi-square of counts, and its p-value."""
    expected = counts.sum() * probabilities
    return _chi_square_of(
        float(np.sum((counts - expected) ** 2 / expected)), np.size(probabilities) - 1
    )


def _chi_square_of(statistic: float, degrees: int) -> tuple[str, float]:
    p = two_sided(special.chdtr(degrees, statistic), special.chdtrc(degrees, statistic))
    return f"chi2({degrees}) = {statistic:.1f}", p


def binomial(count: int, trials: int, probability: float) -> tuple[str, float]:
    """Returns a number of successes beside the expected one, and its p-value."""
    law = stats.binom(trials, probability)
    p = two_sided(law.cdf(count), law.sf(count - 1))
    return f"{count} of {trials * probability:.1f} expected", p


def kolmogorov_smirnov(u: np.ndarray) -> tuple[str, float]:
    """Returns the largest distance of a sorted sample from the uniform on [0, 1], and its p."""
    n = len(u)
    distance = 0.0
    for begin in range(0, n, _PART):
        part = u[begin : begin + _PART]
        rank = np.arange(begin, begin + len(part)) / n
        distance = max(distance, (rank + 1 / n - part).max(), (part - rank).max())
    law = stats.kstwo(n)
    return f"D = {distance:.2e}", two_sided(law.cdf(distance), law.sf(distance))


def anderson_darling(u: np.ndarray) -> tuple[str, float]:
    """Returns Anderson and Darling's A2 of a sorted sample against the uniform, and its p."""
    n = len(u)
    total = 0.0
    for begin in range(0, n, _PART):
        part = np.clip(u[begin : begin + _PART], 1e-300, 1 - 2.0**-53)
        odd = 2.0 * np.arange(begin, begin + len(part)) + 1
        total += float(odd @ np.log(part) + (2 * n - odd) @ np.log1p(-part))
    statistic = -n - total / n
    below = anderson_darling_cdf(statistic)
    return f"A2 = {statistic:.2f}", two_sided(below, 1 - below)


@functools.cache
def anderson_darling_cdf(x: float) -> float:
    """Returns the probability that A2 of a large sample is at most x.

    The series of Anderson and Darling, "Asymptotic theory of certain goodness of fit criteria based
    on stochastic processes", 1952. From a thousand values on, a sample counts as large.
    """
    if x <= 0.05:
        return 0.0
    if x > 40:
        return 1.0
    total = 0.0
    for j in range(12):
        rate = (4 * j + 1) ** 2 * math.pi**2 / (8 * x)
        if rate > 100:  # Less than 1e-40.
            break

        def integrand(w, rate=rate):
            return math.exp(x / (8 * (w * w + 1)) - rate * (w * w + 1))

        term = integrate.quad(integrand, 0, math.inf, epsabs=0, epsrel=1e-12, limit=200)[0]
        total += special.binom(-0.5, j) * (4 * j + 1) * term
    return min(1.0, max(0.0, math.sqrt(2 * math.pi) / x * total))


def two_samples(first: Sequence[float], second: Sequence[float]) -> tuple[str, float]:
    """Returns the Kolmogorov-Smirnov distance of two samples, and its exact p-value."""
    test = stats.ks_2samp(first, second, method="exact")
    return f"D = {test.statistic:.3f}", float(test.pvalue)
