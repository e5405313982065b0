"""Compares a draw of random rows with a contiguous draw of as many elements.

make bench BENCH=benchmarks/rows.py
"""

import os
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf

import tf_vsinit

ROWS, ROW_SIZE = 10**6, 64
TABLES = (10**7, 2**57 - 1)
DISTRIBUTIONS = ("truncated_normal", "untruncated_normal", "uniform")
STREAMS = ("vsinit", "tensorflow")
RUNS = 9


def seconds(function):
    """Returns the time of a run."""
    start = time.perf_counter()
    result = function()
    time_taken = time.perf_counter() - start
    del result
    return time_taken


def relative_rate(table, **options):
    """Returns the rate of a draw of random rows of a table over that of a contiguous draw."""
    rows = tf.constant(np.random.default_rng(0).integers(0, table, ROWS))

    def contiguous():
        return tf_vsinit.stateless_variance_scaling([ROWS, ROW_SIZE], [1, 2], **options)

    def random():
        return tf_vsinit.stateless_variance_scaling_rows([table, ROW_SIZE], [1, 2], rows, **options)

    seconds(contiguous), seconds(random)
    # Each ratio is of two consecutive runs, which see the same load of the machine.
    return statistics.median(seconds(contiguous) / seconds(random) for _ in range(RUNS))


def main():
    """Prints a table."""
    print("| draw of 10^6 rows of 64 float32 |", *(f"of {table} rows |" for table in TABLES))
    print("|---|" + "--:|" * len(TABLES))
    for stream in STREAMS:
        for distribution in DISTRIBUTIONS:
            rates = [
                relative_rate(table, mode="fan_out", stream=stream, distribution=distribution)
                for table in TABLES
            ]
            print(f"| {distribution}, {stream} |", *(f"{rate:.2f} |" for rate in rates), flush=True)


if __name__ == "__main__":
    main()
