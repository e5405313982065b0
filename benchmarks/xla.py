"""Compares compiled draws with eager ones, and a draw of many seeds in one call with a loop.

make bench BENCH=benchmarks/xla.py
"""

import os
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf

import tf_vsinit

DISTRIBUTIONS = ("truncated_normal", "uniform", "untruncated_normal")
DTYPES = ("float32", "float64", "bfloat16", "float16")
BATCHES = ((100_000, [8]), (1000, [64, 64]), (100, [512, 512]))
RUNS = 15


def seconds(*functions):
    """Returns the times of `RUNS` runs of each function, taken in turns to see the same machine."""
    for function in functions:
        function()
    times = [[] for _ in functions]
    for _ in range(RUNS):
        for function, record in zip(functions, times, strict=True):
            start = time.perf_counter()
            result = function()
            record.append(time.perf_counter() - start)
            del result
    return times


def print_table(*rows):
    head, *body = rows
    for row in (head, ["---", *["--:"] * (len(head) - 1)], *body):
        print("|", " | ".join(row), "|")


def compiled_over_eager(distribution, dtype):
    """Returns a row: the time of a compiled draw of 8192 x 8192 over that of an eager one."""
    seed = tf.constant([1, 2], tf.int64)

    def draw(seed):
        return tf_vsinit.stateless_variance_scaling(
            [8192, 8192], seed, distribution=distribution, dtype=dtype
        )

    compiled = tf.function(draw, jit_compile=True)
    times = seconds(lambda: draw(seed), lambda: compiled(seed))
    # Each ratio is of two consecutive runs, which see the same load of the machine.
    ratios = [under_xla / eager for eager, under_xla in zip(*times, strict=True)]
    return [f"{distribution}, {dtype}", f"{statistics.median(ratios):.2f}"]


def loop_and_batch(count, shape):
    """Returns a row: the least microseconds per draw, of `count` in a loop and in one call."""
    seeds = tf.constant([[i, 0] for i in range(count)], tf.int64)

    def draw(seed):
        return tf_vsinit.stateless_variance_scaling(shape, seed)

    def loop(seeds):
        return tf.map_fn(draw, seeds, fn_output_signature=tf.float32)

    def batch(seeds):
        return tf.vectorized_map(draw, seeds)

    functions = [
        tf.function(function, jit_compile=jit_compile)
        for jit_compile in (False, True)
        for function in (loop, batch)
    ]
    times = seconds(*[lambda f=function: f(seeds) for function in functions])
    per_draw = [f"{1e6 * min(record) / count:.1f}" for record in times]
    return [f"{count} of shape {shape}", *per_draw]


def main():
    print_table(
        ["8192 x 8192", "compiled over eager"],
        *[compiled_over_eager(name, dtype) for name in DISTRIBUTIONS for dtype in DTYPES],
    )
    print()
    print_table(
        ["draws", "loop in a graph", "one call", "loop, compiled", "one call, compiled"],
        *[loop_and_batch(count, shape) for count, shape in BATCHES],
    )


if __name__ == "__main__":
    main()
