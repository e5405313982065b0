"""Wrong samplers, and the tests that must see them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from tests.randomness import matrices, tests_of_draws, words
from tests.randomness.draws import Case
from tests.randomness.p_values import Result

SEED = (2028, 0)


@dataclasses.dataclass(frozen=True)
class Fault:
    """A wrong sampler, the families of tests that must see it, and the results of `n` draws."""

    name: str
    families: tuple[str, ...]
    results: Callable[[int], list[Result]]


def _draws(distribution: str, dtype: str, fault: Callable[[np.ndarray], np.ndarray]):
    """Returns a function that examines draws that a fault has changed."""

    def results(n):
        case = Case("vsinit", distribution, dtype, SEED, fault)
        found = tests_of_draws.examine(case, n).results
        if distribution == "untruncated_normal":
            found += tests_of_draws.tails(case, n)[0]
        return found

    return results


def _wider(n):
    scale = np.float32(1 + 20 / n**0.5)
    return _draws("untruncated_normal", "float32", lambda x: x * scale)(n)


def _truncated_too_early(x):
    return np.where(np.abs(x) > 1.99, x / 2, x)


def _without_lowest_bit(x):
    return (x.view(np.uint16) & np.uint16(0xFFFE)).view(x.dtype)


def _cut_at_four(x):
    return np.clip(x, -4, 4)


def _correlated(n):
    share = 20 / n**0.5

    def fault(x):
        return ((x + share * np.roll(x, 7)) / (1 + share**2) ** 0.5).astype(x.dtype)

    return _draws("untruncated_normal", "float32", fault)(n)


def _equal_magnitudes(x):
    """Gives the second of every twentieth pair the magnitude of the first, and leaves its sign."""
    x = x.copy()
    x[1::40] = np.copysign(x[0::40], x[1::40])
    return x


def _repeated_rows(n):
    def repeating(case, count):
        found = matrices.drawn(case, count)
        for matrix in found:
            matrix[::8] = matrix[1::8]
        return found

    case = Case("vsinit", "uniform", "float32", SEED)
    return matrices.compare(case, 32, repeating)


def _stuck_bit(n):
    found = words.take(words.in_order(), n // 32 * 2)
    # The highest bit of the word before becomes the lowest one of every tenth word.
    found[1::10] = found[1::10] & np.uint32(0xFFFFFFFE) | found[:-1:10] >> np.uint32(31)
    return words.quick_tests("a bit of the word before", found)


def _ignored_seed_bit(n):
    def stream(seed):
        return words.in_order(0, (seed[0] & ~(1 << 40), seed[1]))

    return words.seeds_that_differ_in_a_bit(2**12, stream)


FAULTS = (
    Fault(
        "standard deviation too large by 20 / sqrt(n)",
        ("Kolmogorov-Smirnov", "Anderson-Darling", "moments"),
        _wider,
    ),
    Fault(
        "truncated at 1.99 in place of 2",
        ("range",),
        _draws("truncated_normal", "float32", _truncated_too_early),
    ),
    Fault(
        "float16 uniform without its lowest bit",
        ("chi-square of values",),
        _draws("uniform", "float16", _without_lowest_bit),
    ),
    Fault(
        "tails end at 4 standard deviations",
        ("tails",),
        _draws("untruncated_normal", "float32", _cut_at_four),
    ),
    Fault("correlation of 20 / sqrt(n) with the draw 7 places before", ("lags",), _correlated),
    Fault(
        "one pair in 20 of equal magnitude",
        ("pairs",),
        _draws("untruncated_normal", "float32", _equal_magnitudes),
    ),
    Fault("one row in 8 of a matrix repeated", ("singular values",), _repeated_rows),
    Fault(
        "the lowest bit of one word in ten is the highest of the one before", ("words",), _stuck_bit
    ),
    Fault("a bit of the seed ignored", ("seeds",), _ignored_seed_bit),
)
