"""Compares the speed of tf_vsinit with that of other libraries, and of writing a constant.

make bench BENCH=benchmarks/peers.py

Prints Markdown tables, and with --json FILE writes all figures. requirements-peers.txt lists the
libraries; those that are not installed are skipped by name. All libraries take turns in one
process, first with all CPUs and then in one that is bound to one CPU.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import json
import multiprocessing
import os
import pathlib
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# TensorFlow's allocator for oneDNN keeps freed memory. The other libraries get new memory for a
# large result.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import peer_libraries
from peer_libraries import DRAWS, DTYPES

SIZES_LOG2 = (4, 8, 12, 16, 20, 24)
# 1 GiB in float32. Stock takes a minute for it in all dtypes, so only one draw has it.
LARGEST_LOG2 = 28
DRAW_OF_LARGEST = "he_normal"
# The size of the table that has all draws and dtypes.
TABLE_LOG2 = 24

ROUNDS = 7
# A sample of a small draw is the mean of as many calls as take this long.
SECONDS_PER_SAMPLE = 0.003
# A library has no more turns at a size after it has taken this long there.
SECONDS_PER_SIZE = 1.0
# A library is not timed at a size where a call would take longer.
LONGEST_SECONDS = 20.0
# Of the seconds per call.
QUARTILES = ("first_quartile", "median", "third_quartile")


def measure(cpus: set[int], quick: bool) -> dict[str, Any]:
    """Returns what is installed and how long it takes, and binds the process to these CPUs."""
    os.sched_setaffinity(0, cpus)
    libraries, missing = peer_libraries.find()
    from tf_vsinit import loading

    rows = []
    kinds = [(draw, dtype) for draw in DRAWS for dtype in DTYPES]
    for draw, dtype in kinds[:1] if quick else kinds:
        progress(f"{len(cpus)} CPUs, {draw} in {dtype}")
        sizes = SIZES_LOG2[:2] if quick else SIZES_LOG2
        if draw == DRAW_OF_LARGEST and not quick:
            sizes = (*sizes, LARGEST_LOG2)
        for library, cells in time_sizes(libraries, draw, dtype, sizes).items():
            row = {"cpus": len(cpus), "draw": draw, "dtype": dtype, "library": library}
            rows.append(row | cells)
    return {
        "cpu": cpu_name(),
        "instruction_set": loading.instruction_set(),
        "versions": {name: library.version for name, library in libraries.items()},
        "missing": missing,
        "rows": rows,
    }


def time_sizes(
    libraries: dict[str, peer_libraries.Library], draw: str, dtype: str, sizes: Sequence[int]
) -> dict[str, dict[str, list]]:
    """Returns the quartiles of the seconds per call by library, for each size."""
    cells: dict[str, dict[str, list]] = {
        name: {"log2_elements": [], **{key: [] for key in QUARTILES}}
        for name, library in libraries.items()
        if dtype in library.dtypes
    }
    for log2 in sizes:
        if 4 * 2**log2 * peer_libraries.ITEMSIZES[dtype] > available_bytes():
            print(f"Skipped: 2^{log2} elements in {dtype}, for want of memory", file=sys.stderr)
            continue
        shape = [2**log2 // peer_libraries.COLUMNS, peer_libraries.COLUMNS]
        calls = {
            name: libraries[name].prepare(DRAWS[draw], dtype, shape)
            for name, cell in cells.items()
            if not takes_too_long(cell, log2)
        }
        for name, times in time_in_turns(calls, log2).items():
            cell = cells[name]
            cell["log2_elements"].append(log2)
            for key, value in zip(QUARTILES, quartiles(times), strict=True):
                cell[key].append(float(f"{value:.4g}"))
    return cells


def quartiles(times: Sequence[float]) -> Sequence[float]:
    # One sample has no quartiles for Python before 3.13.
    return statistics.quantiles(times, method="inclusive") if len(times) > 1 else 3 * [times[0]]


def takes_too_long(cell: dict[str, list], log2: int) -> bool:
    """Returns whether a call would take longer than is allowed, judging by the size before."""
    if not cell["median"]:
        return False
    growth = 2 ** (log2 - cell["log2_elements"][-1])
    return growth * cell["median"][-1] > LONGEST_SECONDS


def time_in_turns(calls: dict[str, Callable], log2: int) -> dict[str, list[float]]:
    """Returns samples of the seconds per call, taken in turns so that all see the same machine."""
    counts = dict.fromkeys(calls, 1)
    if log2 < TABLE_LOG2:
        for name, call in calls.items():
            call()
            counts[name] = max(1, int(SECONDS_PER_SAMPLE / seconds_per_call(call, 1)))
    times: dict[str, list[float]] = {name: [] for name in calls}
    names = list(calls)
    for start in range(ROUNDS):
        # None has the same turn in every round: the first one can be slower.
        for name in names[start:] + names[:start]:
            if sum(times[name]) < SECONDS_PER_SIZE:
                times[name].append(seconds_per_call(calls[name], counts[name]))
    return times


def seconds_per_call(call: Callable, calls: int) -> float:
    start = time.perf_counter()
    for _ in range(calls - 1):
        call()
    result = call()
    seconds = (time.perf_counter() - start) / calls
    del result
    return seconds


def progress(doing: str) -> None:
    if sys.stderr.isatty():
        print(f"Timing {doing} ...", file=sys.stderr)


def cpu_name() -> str:
    names = re.findall(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    return names[0] if names else "unknown CPU"


def available_bytes() -> int:
    meminfo = pathlib.Path("/proc/meminfo").read_text()
    return 1024 * int(re.search(r"MemAvailable:\s+(\d+)", meminfo)[1])


def tables(results: dict[str, Any]) -> Iterator[str]:
    """Yields the lines of the report in Markdown."""
    versions = (f"{name} {version}" for name, version in results["versions"].items())
    yield f"{results['cpu']}, {results['instruction_set']}; {', '.join(versions)}"
    for cpus in dict.fromkeys(row["cpus"] for row in results["rows"]):
        rows = [row for row in results["rows"] if row["cpus"] == cpus]
        with_cpus = f"with {cpus} CPU{'s' if cpus > 1 else ''}"
        yield from ("", f"he_normal in float32 {with_cpus}, by elements:", "")
        yield from _table_of_sizes(rows)
        if any(TABLE_LOG2 in row["log2_elements"] for row in rows):
            yield from ("", f"2^{TABLE_LOG2} elements {with_cpus}:", "")
            yield from _table_of_draws(rows)


def _table_of_sizes(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    rows = [row for row in rows if (row["draw"], row["dtype"]) == ("he_normal", "float32")]
    sizes = rows[0]["log2_elements"]
    yield from _head(["million values per second"], [f"2^{log2}" for log2 in sizes])
    for row in rows:
        yield _line([row["library"], *(_cell(row, log2) for log2 in sizes)])


def _table_of_draws(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    libraries = list(dict.fromkeys(row["library"] for row in rows))
    yield from _head(["million values per second", "dtype"], libraries)
    by_kind = {(row["draw"], row["dtype"], row["library"]): row for row in rows}
    for draw, dtype in dict.fromkeys((row["draw"], row["dtype"]) for row in rows):
        of_libraries = [by_kind.get((draw, dtype, library)) for library in libraries]
        cells = [_cell(row, TABLE_LOG2) if row else "-" for row in of_libraries]
        yield _line([draw, dtype, *cells])


def _head(texts: Sequence[str], numbers: Sequence[str]) -> Iterator[str]:
    yield _line([*texts, *numbers])
    yield "|" + "---|" * len(texts) + "--:|" * len(numbers)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(row: dict[str, Any], log2: int) -> str:
    """Returns million values per second; and half of the range between quartiles, in per cent."""
    if log2 not in row["log2_elements"]:
        return "-"
    i = row["log2_elements"].index(log2)
    low, seconds, high = (row[key][i] for key in QUARTILES)
    rate = 2**log2 / seconds / 1e6
    shown = f"{rate:.0f}" if rate >= 100 else f"{rate:.3g}"
    return shown if low == high else f"{shown} ±{50 * (high - low) / seconds:.0f}%"


def write_json(path: pathlib.Path, results: dict[str, Any]) -> None:
    """Writes the results, with a line for each row."""
    rows = ",\n".join(map(json.dumps, results["rows"]))
    head = json.dumps({**results, "rows": []}, indent=1)
    path.write_text(head.replace('"rows": []', f'"rows": [\n{rows}\n]') + "\n")


def write_tables(path: pathlib.Path, results: dict[str, Any]) -> None:
    """Puts the tables into a document, between the comments that name this program."""
    begin, end = (
        f"<!-- The output of `benchmarks/peers.py`: {what}. -->" for what in ("begin", "end")
    )
    before, rest = path.read_text().split(begin)
    lines = [before + begin, *tables(results), end + rest.split(end)[1]]
    path.write_text("\n".join(lines))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="also write all figures")
    parser.add_argument(
        "--document",
        type=pathlib.Path,
        metavar="FILE",
        help="also put the tables into a document, such as docs/peers.md",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="time two small draws with one CPU, to see whether it runs",
    )
    options = parser.parse_args()
    cpus = os.sched_getaffinity(0)
    one_cpu = {min(cpus)}
    results: dict[str, Any] = {}
    # In a process each, because libraries count the CPUs when they are imported.
    for some in (one_cpu,) if options.quick or cpus == one_cpu else (cpus, one_cpu):
        with concurrent.futures.ProcessPoolExecutor(
            1, mp_context=multiprocessing.get_context("spawn")
        ) as pool:
            measured = pool.submit(measure, some, options.quick).result()
        results = measured | {"rows": results.get("rows", []) + measured["rows"]}
    for name, reason in results["missing"].items():
        print(f"Skipped: {name}, which is not installed ({reason})", file=sys.stderr)
    print("\n".join(tables(results)))
    if options.json:
        write_json(options.json, results)
    if options.document:
        write_tables(options.document, results)


if __name__ == "__main__":
    main()
