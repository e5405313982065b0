"""Tests of the word stream by dieharder, a program that Debian has."""

from __future__ import annotations

import contextlib
import shutil
import subprocess

from tests.randomness import words
from tests.randomness.p_values import Result

# What dieharder calls raw 32-bit words from its standard input.
_STANDARD_INPUT = "200"
# Every test reads blocks of the stream that no other reads.
_BLOCKS_PER_TEST = 2**32

# Arguments of the tests: the test, its bits or dimensions, and the number of samples, each of which
# gives a p-value; dieharder then tests whether these are uniform. It calls its own tests 5 to 7
# suspect and 14 unusable. For a few samples, its p-values lean towards one with any generator, its
# own included: only small ones say something.
TESTS = (
    "-d 0 -p 100",
    "-d 1 -p 10",
    "-d 2 -p 10",
    "-d 3 -p 10",
    "-d 4 -p 10",
    "-d 8 -p 10",
    "-d 9 -p 10",
    "-d 10 -p 100",
    "-d 11 -p 100",
    "-d 12 -p 50",
    "-d 13 -p 10",
    "-d 15 -p 100",
    "-d 16 -p 10",
    "-d 17 -p 2",
    "-d 100 -p 100",
    "-d 101 -p 10",
    "-d 102 -p 10",
    "-d 200 -n 1 -p 10",
    "-d 200 -n 6 -p 10",
    "-d 200 -n 12 -p 10",
    "-d 201 -n 2 -p 100",
    "-d 201 -n 5 -p 100",
    "-d 202 -n 5 -p 10",
    "-d 203 -n 1 -p 10",
    "-d 203 -n 16 -p 3",
    "-d 204 -p 100",
    "-d 205 -p 1",
    "-d 206 -p 1",
    "-d 207 -p 1",
    "-d 208 -p 1",
    "-d 209 -p 1",
)


def is_installed() -> bool:
    return shutil.which("dieharder") is not None


def run(order: str, stream: words.Words, arguments: str) -> list[Result]:
    """Runs one of dieharder's tests on words. Some tests give several p-values."""
    command = ["dieharder", "-g", _STANDARD_INPUT, "-c", ","]
    for column in ("test_name", "ntuple", "psamples", "pvalues"):
        command += ["-D", column]
    command += arguments.split()
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin and process.stdout
    # dieharder stops reading when it has enough.
    with contextlib.suppress(BrokenPipeError):
        for part in stream:
            process.stdin.write(part.astype("<u4"))
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()
    output = process.stdout.read().decode()
    process.stdout.close()
    if process.wait() or not output:
        raise RuntimeError(f"{' '.join(command)} failed with the output {output!r}")
    results = []
    for line in output.splitlines():
        name, ntuple, samples, p = (column.strip() for column in line.split(",")[:4])
        test = name if ntuple == "0" else f"{name} {ntuple}"
        results.append(Result("dieharder", order, test, f"{samples} samples", float(p)))
    return results


def run_test(order: str, number: int) -> list[Result]:
    """Runs one of TESTS on the words in an order."""
    return run(order, words.ORDERS[order](number * _BLOCKS_PER_TEST), TESTS[number])
