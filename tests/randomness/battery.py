"""Runs the battery: `python -m tests.randomness.battery`, or some parts of it by their names.

Each part writes its results to out/statistics, in JSON. report.py makes the document from them.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import functools
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.randomness import (
    dieharder,
    draws,
    faults,
    matrices,
    p_values,
    tests_of_draws,
    words,
)
from tests.randomness.p_values import Result
from tests.support import repository

FOLDER = repository.ROOT / "out" / "statistics"


@dataclasses.dataclass(frozen=True)
class Sizes:
    """How many of everything the tests use."""

    draws: int
    tail_draws: int
    fault_draws: int
    words: int
    words_per_seed: int
    first_elements: int
    matrices: int


FULL = Sizes(
    draws=10**8,
    tail_draws=2**31,
    fault_draws=10**7,
    words=2**24,
    words_per_seed=2**20,
    first_elements=2**20,
    matrices=256,
)
# For `make test`.
QUICK = Sizes(
    draws=10**6,
    tail_draws=10**7,
    fault_draws=10**6,
    words=2**20,
    words_per_seed=2**14,
    first_elements=2**16,
    matrices=32,
)

# Results, and what the report plots.
Part = tuple[list[Result], dict[str, Any]]


def run_draws(case: draws.Case, sizes: Sizes) -> Part:
    found = tests_of_draws.examine(case, sizes.draws)
    return found.results, {"case": str(case), "distances": found.distances}


def run_tails(case: draws.Case, sizes: Sizes) -> Part:
    # Counting 16-bit values is slow.
    count = sizes.draws if case.is_discrete else sizes.tail_draws
    results, counts = tests_of_draws.tails(case, count)
    return results, {"case": str(case), "tails": counts}


def run_words(sizes: Sizes) -> Part:
    results = []
    for order, stream in words.ORDERS.items():
        results += words.quick_tests(order, words.take(stream(0), sizes.words))
    return results, {}


def run_seeds(sizes: Sizes) -> Part:
    results = words.seeds_that_differ_in_a_bit(sizes.words_per_seed)
    u = np.sort((draws.first_elements(sizes.first_elements) + 1) / 2)
    for name, test in (
        ("Kolmogorov-Smirnov", p_values.kolmogorov_smirnov),
        ("Anderson-Darling", p_values.anderson_darling),
    ):
        results.append(Result("seeds", "element 0 of consecutive seeds", name, *test(u)))
    return results, {}


def run_matrices(sizes: Sizes) -> Part:
    results = []
    for case in matrices.CASES:
        results += matrices.compare(case, sizes.matrices)
    return results, {}


def run_dieharder(order: str, number: int, sizes: Sizes) -> Part:
    """Has one size: that of dieharder's own samples."""
    return dieharder.run_test(order, number) if dieharder.is_installed() else [], {}


def run_faults(sizes: Sizes) -> Part:
    """Has no results of its own: for each fault, the smallest p-value of each family."""
    found = []
    for fault in faults.FAULTS:
        results = fault.results(sizes.fault_draws)
        for family in fault.families:
            p = min(result.p for result in results if result.family == family)
            found.append((fault.name, family, p))
    return [], {"faults": found}


# What only `make statistics` runs.
DIEHARDER = {
    f"dieharder_{order.replace(' ', '_')}_{number}": functools.partial(run_dieharder, order, number)
    for order in words.ORDERS
    for number in range(len(dieharder.TESTS))
}
PARTS: dict[str, Callable[[Sizes], Part]] = {
    **{
        f"draws_{case.stream}_{case.distribution}_{case.dtype}": functools.partial(run_draws, case)
        for case in draws.CASES
    },
    **{
        f"tails_{case.stream}_{case.dtype}": functools.partial(run_tails, case)
        for case in draws.CASES
        if case.distribution == "untruncated_normal"
    },
    "matrices": run_matrices,
    "words": run_words,
    "seeds": run_seeds,
}
ALL = {"faults": run_faults} | PARTS | DIEHARDER


def save(name: str) -> None:
    """Runs a part in full size and writes what it finds."""
    start = time.monotonic()
    results, plotted = ALL[name](FULL)
    FOLDER.mkdir(parents=True, exist_ok=True)
    found = {"results": [dataclasses.asdict(result) for result in results], **plotted}
    (FOLDER / f"{name}.json").write_text(json.dumps(found, indent=1))
    seconds = time.monotonic() - start
    print(f"{name}: {len(results)} p-values in {seconds:.0f} s", flush=True)


def load() -> tuple[list[Result], dict[str, dict[str, Any]]]:
    """Returns all results, and by the names of the parts what else they have."""
    results, others = [], {}
    for name in ALL:
        others[name] = json.loads((FOLDER / f"{name}.json").read_text())
        results += [Result(**result) for result in others[name].pop("results")]
    return results, others


if __name__ == "__main__":
    # dieharder waits in one thread for its process; NumPy and the op release the interpreter.
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(save, sys.argv[1:] or ALL))
