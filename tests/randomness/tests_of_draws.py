"""Tests of the draws of one case: their distribution, their moments, their tails, their order."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from tests.randomness import distributions, p_values
from tests.randomness.draws import Case
from tests.randomness.p_values import Result

LAGS = 32
PAIR_CELLS = 64
TAILS = (3.0, 4.0, 4.5, 5.0, 5.5, 6.0)
# Neighbouring values share a bin of the chi-square until it has this probability. It is a hundred
# steps of the words, so that their discreteness does not matter.
LEAST_PROBABILITY = 1e-5
# Points at which the report plots the distance between the two distribution functions.
PLOTTED = 200

_PART = 2**20


@dataclasses.dataclass
class Findings:
    """Results of a case, and what the report plots of it."""

    results: list[Result]
    # sqrt(n) times the distance between the distribution functions, where the exact one is (i + 1)
    # / (PLOTTED + 1); nothing for 16 bits.
    distances: list[float]


def examine(case: Case, count: int) -> Findings:
    """Runs every test of the first `count` draws of a case."""
    find = _examine_discrete if case.is_discrete else _examine_continuous
    return find(case, count)


def _examine_continuous(case: Case, count: int) -> Findings:
    values = case.values(count)
    law = distributions.continuous(case.distribution, case.dtype)
    results = moments(case, values, law.moments)
    results.append(lags(case, values, law.moments))
    u = np.empty(len(values))
    cells = np.empty(len(values), np.uint8)
    for begin in range(0, len(values), _PART):
        part = slice(begin, begin + _PART)
        u[part] = law.cdf(values[part].astype(np.float64))
        cells[part] = np.clip(u[part] * PAIR_CELLS, 0, PAIR_CELLS - 1)
    del values
    results.append(pairs(case, cells, np.full(PAIR_CELLS, 1 / PAIR_CELLS)))
    u.sort()
    results += [
        Result("Kolmogorov-Smirnov", str(case), "distribution", *p_values.kolmogorov_smirnov(u)),
        Result("Anderson-Darling", str(case), "distribution", *p_values.anderson_darling(u)),
    ]
    if math.isfinite(law.bound):
        results += extremes(case, u)
    exact = np.arange(1, PLOTTED + 1) / (PLOTTED + 1)
    distances = (np.searchsorted(u, exact) / len(u) - exact) * math.sqrt(len(u))
    return Findings(results, [round(float(distance), 4) for distance in distances])


def _examine_discrete(case: Case, count: int) -> Findings:
    values = case.values(count)
    law = distributions.discrete(case.distribution, case.dtype, case.stream)
    # Zeros of both signs are one value.
    with np.errstate(invalid="ignore"):
        patterns = np.arange(2**16, dtype=np.uint16).view(values.dtype).astype(np.float64)
    number = np.searchsorted(law.values, patterns)
    number[number == len(law.values)] = 0
    is_possible = law.values[number] == patterns
    counts_of_patterns = np.bincount(values.view(np.uint16), minlength=2**16)
    impossible = int(counts_of_patterns[~is_possible].sum())
    counts = np.bincount(
        number[is_possible], counts_of_patterns[is_possible], minlength=len(law.values)
    )
    results = [
        Result("range", str(case), "values", f"{impossible} impossible", float(impossible == 0)),
        chi_square(case, counts, law.probabilities),
    ]
    results += moments(case, values, law.moments)
    results.append(lags(case, values, law.moments))
    # A cell is the values between quantiles.
    cumulated = np.cumsum(law.probabilities) - law.probabilities / 2
    cell = np.minimum((cumulated * PAIR_CELLS).astype(np.uint8), PAIR_CELLS - 1)
    probabilities = np.bincount(cell, law.probabilities, minlength=PAIR_CELLS)
    cells = cell[number][values.view(np.uint16)]
    results.append(pairs(case, cells, probabilities))
    return Findings(results, [])


def chi_square(case: Case, counts: np.ndarray, probabilities: np.ndarray) -> Result:
    """Compares the counts of 16-bit values with their probabilities."""
    # Bin k begins where the cumulated probability passes a multiple of the least one.
    cumulated = np.cumsum(probabilities)
    merged_counts, merged = [], []
    begin, before = 0, 0.0
    while begin < len(counts):
        end = int(np.searchsorted(cumulated, before + LEAST_PROBABILITY)) + 1
        if end >= len(counts) or 1 - cumulated[end - 1] < LEAST_PROBABILITY:
            end = len(counts)
        merged_counts.append(counts[begin:end].sum())
        merged.append(probabilities[begin:end].sum())
        begin, before = end, cumulated[end - 1]
    test = p_values.chi_square(np.array(merged_counts), np.array(merged))
    return Result("chi-square of values", str(case), "distribution", *test)


def moments(case: Case, values: np.ndarray, exact: tuple[float, ...]) -> list[Result]:
    """Compares the first four moments about zero with the exact ones."""
    sums = np.zeros(4)
    for begin in range(0, len(values), _PART):
        x = values[begin : begin + _PART].astype(np.float64)
        square = x * x
        sums += (x.sum(), square.sum(), (square * x).sum(), (square * square).sum())
    results = []
    for order, total in enumerate(sums, start=1):
        mean = exact[order - 1]
        error = math.sqrt((exact[2 * order - 1] - mean**2) / len(values))
        z = (total / len(values) - mean) / error
        results.append(
            Result(
                "moments",
                str(case),
                f"moment {order}",
                f"z = {z:.2f}",
                p_values.two_sided_normal(z),
            )
        )
    return results


def lags(case: Case, values: np.ndarray, exact: tuple[float, ...]) -> Result:
    """Correlates the draws with those 1 to 32 places later."""
    mean, variance = exact[0], exact[1] - exact[0] ** 2
    sums = np.zeros(LAGS)
    # Within parts: the pairs across their ends are few.
    for begin in range(0, len(values), _PART):
        x = (
            (values[begin : begin + _PART].astype(np.float64) - mean) / math.sqrt(variance)
        ).astype(np.float32)
        sums += [float(np.dot(x[:-lag], x[lag:])) for lag in range(1, LAGS + 1)]
    parts = math.ceil(len(values) / _PART)
    scores = sums / np.sqrt(len(values) - parts * np.arange(1, LAGS + 1))
    return Result("lags", str(case), f"1 to {LAGS}", *p_values.quadratic(scores))


def pairs(case: Case, cells: np.ndarray, probabilities: np.ndarray) -> Result:
    """Counts pairs of neighbouring draws (0 and 1, 2 and 3, ...) in a grid of quantiles."""
    cells = cells[: len(cells) // 2 * 2].reshape(-1, 2)
    counts = np.zeros(PAIR_CELLS**2)
    for begin in range(0, len(cells), _PART):
        part = cells[begin : begin + _PART].astype(np.intp)
        counts += np.bincount(part[:, 0] * PAIR_CELLS + part[:, 1], minlength=PAIR_CELLS**2)
    expected = np.outer(probabilities, probabilities).ravel()
    possible = expected > 0
    test = p_values.chi_square(counts[possible], expected[possible])
    return Result("pairs", str(case), f"{PAIR_CELLS} x {PAIR_CELLS}", *test)


def extremes(case: Case, u: np.ndarray) -> list[Result]:
    """Returns how likely it is that no draw of a bounded distribution lies beyond its extremes."""
    step = distributions.UNIFORM_STEP[case.dtype] if case.distribution == "uniform" else 0.0
    results = []
    for name, end in (("smallest", u[0]), ("largest", 1 - u[-1])):
        beyond = end - step / 2
        # The rounding of the distribution function itself is below this.
        is_inside = beyond > -1e-12
        p = math.exp(len(u) * math.log1p(-max(beyond, 0.0))) if is_inside else 0.0
        expected = f"{len(u) * beyond:.2f} expected beyond"
        results.append(Result("range", str(case), name, expected, p))
    return results


def tails(case: Case, count: int) -> tuple[list[Result], list[tuple[int, float]]]:
    """Counts untruncated draws beyond 3 to 6 standard deviations, on each side.

    Returns the results, and for each threshold the count of both sides and the expected one.
    """
    counts = np.zeros((len(TAILS), 2), np.int64)
    for box in case.boxes(count):
        x = box.astype(np.float32) if case.is_discrete else box
        x = x[np.abs(x) > TAILS[0]]
        counts += [(np.sum(x > t), np.sum(x < -t)) for t in TAILS]
    results, plotted = [], []
    for t, both in zip(TAILS, counts, strict=True):
        probability = distributions.upper_tail(t, case.dtype, case.stream)
        for side, number in zip(("above", "below -"), both, strict=True):
            test = p_values.binomial(int(number), count, probability)
            results.append(Result("tails", str(case), f"{side} {t:g}".replace("- ", "-"), *test))
        plotted.append((int(both.sum()), 2 * count * probability))
    return results, plotted
