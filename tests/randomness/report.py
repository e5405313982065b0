"""Writes docs/statistics.md and docs/statistics.svg from what the battery found.

`make statistics` runs the battery and then this. It fails if a result raises an alarm.
"""

from __future__ import annotations

import collections
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from tests.randomness import battery, dieharder, draws, matrices, p_values, plots, tests_of_draws
from tests.randomness.p_values import Result
from tests.support import repository

DOCUMENT = repository.ROOT / "docs" / "statistics.md"

ONE_SIDED = ("dieharder", "range")
# What each family of tests does, in the order of the report.
FAMILIES = {
    "Kolmogorov-Smirnov": "float32 and float64: the largest distance between the empirical and the "
    "exact distribution function",
    "Anderson-Darling": "float32 and float64: the squared distance, with more weight in the tails",
    "chi-square of values": "16 bits: counts of the representable values against their exact "
    "probabilities; neighbours with less than 1e-5 share a bin",
    "range": "no uniform or truncated normal lies outside its bounds, and some lie near them",
    "moments": "the moments about zero of order 1 to 4 against the exact ones",
    "tails": "counts of untruncated normals beyond 3, 4, 4.5, 5, 5.5 and 6 standard deviations",
    "lags": f"correlations with the draws 1 to {tests_of_draws.LAGS} places later",
    "pairs": "pairs of neighbouring draws in a grid of "
    f"{tests_of_draws.PAIR_CELLS} x {tests_of_draws.PAIR_CELLS} cells",
    "seeds": "words of 128 seeds that differ in one bit; element 0 of 2^20 consecutive seeds",
    "singular values": f"{battery.FULL.matrices} matrices of {matrices.ROWS} x {matrices.COLUMNS} "
    "against the law of Marchenko and Pastur",
    "words": "quick tests of the bits of 2^24 words, in three orders",
    "dieharder": f"{len(dieharder.TESTS)} tests of dieharder on the words, in three orders",
}


def table(heading: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Returns a table in Markdown."""
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def families_table(results: Sequence[Result]) -> str:
    by_family = collections.defaultdict(list)
    for result in results:
        by_family[result.family].append(result)
    rows = []
    for family, description in FAMILIES.items():
        found = by_family.pop(family, [])
        if not found:
            rows.append((family, description, 0, "", "skipped: dieharder is not installed"))
            continue
        least = min(found, key=lambda result: result.p)
        where = f"{least.subject}: {least.test}, {least.statistic}"
        rows.append((family, description, len(found), f"{least.p:.2g}", where))
    if by_family:
        raise ValueError(f"FAMILIES lacks {sorted(by_family)}")
    return table(("family", "what it tests", "p-values", "smallest", "where"), rows)


def fit_table(results: Sequence[Result]) -> str:
    """Returns the p-values of the fit of each case to its exact distribution."""
    p = {(result.family, result.subject): result.p for result in results}
    rows = []
    for case in draws.CASES:
        tests = ("Kolmogorov-Smirnov", "Anderson-Darling", "chi-square of values", "lags", "pairs")
        cells = [p.get((family, str(case))) for family in tests]
        moments = [
            f"{result.p:.2f}"
            for result in results
            if (result.family, result.subject) == ("moments", str(case))
        ]
        cells = ["" if cell is None else f"{cell:.3f}" for cell in cells]
        rows.append((case.stream, case.distribution, case.dtype, *cells, ", ".join(moments)))
    heading = ("stream", "distribution", "dtype", "KS", "AD", "chi-square", "lags", "pairs")
    return table((*heading, "moments 1 to 4"), rows)


def tails_table(tails: dict[str, list[tuple[int, float]]]) -> str:
    thresholds = [f"beyond {t:g}" for t in tests_of_draws.TAILS]
    rows = [
        (case, *(f"{count:,} / {expected:,.1f}" for count, expected in counts))
        for case, counts in tails.items()
    ]
    return table(("case", *thresholds), rows)


def words_table(results: Sequence[Result]) -> str:
    found = [result for result in results if result.family == "dieharder"]
    if not found:
        return "Skipped: dieharder was not installed (`tools/apt_install.sh dieharder`)."
    by_test = collections.defaultdict(lambda: collections.defaultdict(list))
    for result in found:
        by_test[result.test][result.subject].append(f"{result.p:.3f}")
    orders = list(dict.fromkeys(result.subject for result in found))
    rows = [(test, *(", ".join(by_test[test][order]) for order in orders)) for test in by_test]
    return table(("test", *orders), rows)


def verdict(results: Sequence[Result]) -> str:
    alarms = p_values.alarms(results)
    least = min(results, key=lambda result: result.p)
    threshold = f"{p_values.threshold(results):.1e}"
    if not alarms:
        return (
            f"**{len(results)} p-values, no alarm.** The smallest is {least.p:.2g}. "
            f"One below {threshold} is an alarm."
        )
    rows = [(result.family, result.subject, result.test, f"{result.p:.1e}") for result in alarms]
    return (
        f"**{len(results)} p-values, {len(alarms)} below {threshold}:**\n\n"
        f"{table(('family', 'case', 'test', 'p'), rows)}"
    )


def faults_table(faults: Sequence[tuple[str, str, float]]) -> str:
    return table(
        ("wrong sampler", "family", "smallest p-value"),
        [(name, family, f"{p:.0e}" if p else "0") for name, family, p in faults],
    )


def _by_case(others: dict[str, dict[str, Any]], key: str) -> dict[str, Any]:
    """Returns what the parts of the cases have under a key, without what is empty."""
    return {other["case"]: other[key] for other in others.values() if other.get(key)}


def document(results: Sequence[Result], others: dict[str, dict[str, Any]]) -> str:
    faults = faults_table(others["faults"]["faults"])
    return f"""# Statistics

`make statistics` writes this page. It runs a battery of statistical tests on the random words and
the draws of both streams, which [stream.md](stream.md) and
[tensorflow_stream.md](tensorflow_stream.md) define.

{verdict(results)}

![p-values, distances from the exact distributions, tails, singular values](statistics.svg)

The seeds are fixed, so a run repeats. `make test` runs the same tests on fewer draws, and without
the results of dieharder: `tests/stream/statistics_test.py`.

## What is tested

{families_table(results)}

A sample that is more regular than chance allows raises an alarm, too, except in the families
dieharder, range and singular values. The tests of a case share its draws, and so depend on one
another. Bonferroni's bound still holds: the threshold is {1 / p_values.RUNS_PER_FALSE_ALARM:g}
divided by the number of p-values, so a perfect sampler raises an alarm in at most one of
{p_values.RUNS_PER_FALSE_ALARM:,} runs with other seeds.

## Draws

Each case draws {battery.FULL.draws:,} values with a seed of its own and with a limit or a standard
deviation (before truncation) of one. These are the p-values:

{fit_table(results)}

The exact distributions are computed without the code of the streams:

- float32 draws are compared with continuous distributions. They are discrete, in steps of at most
  2^-23 of the distribution function, which is a thousandth of the distance that so many draws
  resolve. A uniform stands for the middle of its step.
- 16-bit draws are compared with the exact probabilities of the intervals that round to each value.
  For uniforms of `vsinit`, all 2^23 float32 values are rounded. Those of `tensorflow` have 1024
  values in float16 and 128 in bfloat16, all equally likely.

## Tails

Numbers of untruncated draws beyond k standard deviations, on both sides, and the expected numbers
({battery.FULL.tail_draws:,} draws in float32 and float64, {battery.FULL.draws:,} in 16 bits):

{tails_table(_by_case(others, "tails"))}

In float32 and 16 bits, the expected numbers of `vsinit` count the 32-bit words whose exact deviate
is beyond the threshold. Those of `tensorflow` follow from Box and Muller's transform as
tensorflow_stream.md defines it: it raises a uniform below 1e-7 to 1e-7, so no draw lies beyond 5.68
standard deviations, and in float32 its uniforms are multiples of 2^-23. 16-bit draws are rounded,
so their expected numbers differ.

## Words

dieharder reads the words as raw 32-bit numbers from its standard input: those of one seed as the
stream numbers them, a word of each of 256 consecutive seeds in turn, and words with their bits
reversed. In each order, no two tests read the same blocks. The p-values of dieharder for a few
samples lean towards one with any generator, so only small ones count:

{words_table(results)}

`dieharder.py` in `tests/randomness` lists the tests, which are chosen to take a few minutes. All of
dieharder, with its own sizes, takes far longer:

    .venv/bin/python -m tests.randomness.words reversed | dieharder -g 200 -a

The known answers of Philox4x32-10, which Random123 publishes, are in `tests/golden/stream_v1.txt`.
`cc/stream/golden_test.cc` and `tests/stream/golden_test.py` hold every implementation to them.

## Singular values

Eigenvalues repel one another, so a plain test of their distances from the law of Marchenko and
Pastur has no simple null distribution. Instead, four statistics of each matrix are compared, by the
two-sample Kolmogorov-Smirnov test, with those of as many matrices of NumPy's generator (PCG64) with
the same distribution: the largest distance from the law, the smallest eigenvalue, the largest one,
and the sum of the squares.

## What the battery sees

Wrong samplers with n = {battery.FULL.fault_draws:,} draws, and the smallest p-value of the tests
that must see them. `tests/stream/statistics_test.py` checks that they do with a tenth of the draws.

{faults}
"""


def main() -> None:
    results, others = battery.load()
    DOCUMENT.write_text(document(results, others))
    distances = _by_case(others, "distances")
    two_sided = [result.p for result in results if result.family not in ONE_SIDED]
    plots.draw(np.array(two_sided), distances, _by_case(others, "tails"))
    alarms = p_values.alarms(results)
    print(verdict(results))
    sys.exit(bool(alarms))


if __name__ == "__main__":
    main()
