"""`python -m tf_vsinit bench`: how long draws take, beside the draws of stock TensorFlow."""

import argparse
import functools
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

import tf_vsinit
from tf_vsinit import arguments, loading

MILLION = 1e6
GIB = 2**30


def add_to(commands: Any) -> None:
    """Adds the command to a parser's subcommands."""
    command = commands.add_parser("bench", help="time the draws beside those of stock TensorFlow")
    command.add_argument("--extent", type=int, default=8192, help="of both axes (default: 8192)")
    command.add_argument("--repeats", type=int, default=5, help="to take the median of")
    command.add_argument("--instruction-set", default="", help="such as AVX2 (default: the best)")
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Prints Markdown tables of speeds and memory, beside those of stock in the same run."""
    shape = [options.extent, options.extent]
    loading.use_instruction_set(options.instruction_set)
    print(
        f"TensorFlow {tf.__version__}, {os.cpu_count()} CPUs, {loading.instruction_set()}; "
        f"{options.extent} x {options.extent} in million values per second, "
        f"medians of {options.repeats}\n"
    )
    print(
        "| draw | dtype | tf_vsinit | times stock | `tensorflow` | times stock | stock | tf.fill |"
    )
    print("|---|---|--:|--:|--:|--:|--:|--:|")
    for name, draws in _draws().items():
        for dtype in (tf.float32, tf.float64, tf.bfloat16, tf.float16):
            calls = [functools.partial(draw, shape, dtype) for draw in [*draws, _filled]]
            seconds = _medians(calls, options.repeats)
            ours, tensorflow, stock, fill = (options.extent**2 / MILLION / s for s in seconds)
            print(
                f"| {name} | {dtype.name} | {ours:.0f} | {ours / stock:.1f} | {tensorflow:.0f} "
                f"| {tensorflow / stock:.1f} | {stock:.0f} | {fill:.0f} |",
                flush=True,
            )
    _bench_boxes(options)
    _bench_small_call()
    _bench_fresh_memory(options)
    _bench_peak_memory()
    return 0


def _draws() -> dict[str, list[Callable]]:
    """Returns for each draw ours by both streams, and its baseline: the stock draw of the same."""

    def by_both_streams(make: Callable) -> list[Callable]:
        return [make(seed=1, stream=stream) for stream in arguments.STREAMS]

    def stock_normal(shape: Sequence[int], dtype: tf.DType) -> tf.Tensor:
        return tf.random.stateless_normal(shape, [1, 0], dtype=dtype)

    untruncated = functools.partial(tf_vsinit.VarianceScaling, distribution="untruncated_normal")
    stock = tf.keras.initializers
    return {
        "he_normal": [*by_both_streams(tf_vsinit.HeNormal), stock.HeNormal(seed=1)],
        "glorot_uniform": [*by_both_streams(tf_vsinit.GlorotUniform), stock.GlorotUniform(seed=1)],
        "untruncated normal": [*by_both_streams(untruncated), stock_normal],
    }


def _filled(shape: Sequence[int], dtype: tf.DType) -> tf.Tensor:
    return tf.fill(shape, tf.constant(1.0, dtype))


def _medians(calls: Sequence[Callable], repeats: int) -> list[float]:
    """Returns the median seconds of each call, taken in turns so that all see the same machine."""
    seconds: list[list[float]] = [[] for _ in calls]
    for call in calls:
        call()
    for _ in range(repeats):
        for times, call in zip(seconds, calls, strict=True):
            start = time.perf_counter()
            result = call()
            times.append(time.perf_counter() - start)
            del result
    return [statistics.median(times) for times in seconds]


def _bench_boxes(options: argparse.Namespace) -> None:
    extent = options.extent
    square, narrow = [extent, extent], [16, extent**2 // 2048, 128]
    mib = extent**2 >> 18
    small_shards = _shards(square, 0, mib)
    boxes = {
        "its first half, by rows": (square, [([0, 0], [extent // 2, -1])]),
        "half of the columns": (square, [([0, extent // 4 + 1], [-1, extent // 2])]),
        "half of it in runs of 64": (narrow, [([0, 0, 33], [-1, -1, 64])]),
        "a box in runs of 64": (narrow, [([4, 1, 33], [8, -1, 64])]),
        "all of it, in 8 shards by columns": (square, _shards(square, 1, 8)),
        "all of it, in shards of 16 MiB by rows": (square, _shards(square, 0, mib // 16)),
        "all of it, in shards of 4 MiB by rows": (square, _shards(square, 0, mib // 4)),
    }
    initializer = tf_vsinit.HeNormal(seed=1)

    def draw(shape: Sequence[int], boxes: Sequence[tuple]) -> list[tf.Tensor]:
        return [initializer(shape, partition_offset=b, partition_shape=s) for b, s in boxes]

    whole_box = (square, [([0, 0], [-1, -1])])
    calls = [lambda s=s: draw(*s) for s in [whole_box, *boxes.values()]]
    calls.append(tf.function(lambda: draw(square, small_shards), autograph=False))
    names = [*boxes, "all of it, in shards of 1 MiB by rows, by one graph"]
    seconds_of_whole, *times = _medians(calls, options.repeats)
    print(
        "\n| box of a truncated normal in float32, by eager calls | over its share of the whole |"
    )
    print("|---|--:|")
    for name, call, seconds in zip(names, calls[1:], times, strict=True):
        share = sum(int(tf.size(drawn)) for drawn in call()) / extent**2
        print(f"| {name} | {seconds / (seconds_of_whole * share):.2f} |", flush=True)


def _shards(shape: Sequence[int], axis: int, count: int) -> list[tuple[list[int], list[int]]]:
    """Returns begin and size of equal shards along an axis."""
    step = max(1, shape[axis] // max(1, count))
    shards = []
    for first in range(0, shape[axis], step):
        begin, size = [0] * len(shape), list(shape)
        begin[axis], size[axis] = first, min(step, shape[axis] - first)
        shards.append((begin, size))
    return shards


def _bench_small_call() -> None:
    ours, stock = tf_vsinit.HeNormal(seed=1), tf.keras.initializers.HeNormal(seed=1)
    seconds = _medians([lambda: ours([64, 64]), lambda: stock([64, 64])], repeats=1000)
    micros = [s * MILLION for s in seconds]
    print("\n| one eager call | tf_vsinit | stock | stock over tf_vsinit |")
    print("|---|--:|--:|--:|")
    print(
        f"| he_normal 64 x 64, microseconds | {micros[0]:.1f} | {micros[1]:.1f} "
        f"| {micros[1] / micros[0]:.1f} |",
        flush=True,
    )


def _bench_fresh_memory(options: argparse.Namespace) -> None:
    """Prints the speed of draws that are kept, so that each needs fresh memory."""

    def rate(module: str) -> float:
        code = (
            "import statistics, time, tensorflow as tf, tf_vsinit\n"
            "from tf_vsinit import loading\n"
            f"loading.use_instruction_set({options.instruction_set!r})\n"
            f"initializer = {module}.HeNormal(seed=1)\n"
            "initializer([64, 64])\n"
            "kept, times = [], [time.perf_counter()]\n"
            f"for _ in range({options.repeats}):\n"
            f"    kept.append(initializer([{options.extent}, {options.extent}]))\n"
            "    times.append(time.perf_counter())\n"
            "print(statistics.median(b - a for a, b in zip(times, times[1:])))\n"
        )
        return options.extent**2 / MILLION / _number_from_fresh_process(code)

    rates = [rate(module) for module in ("tf_vsinit", "tf.keras.initializers")]
    print("\n| into memory not used before | tf_vsinit | stock | times stock |")
    print("|---|--:|--:|--:|")
    print(
        f"| he_normal float32, million values per second | {rates[0]:.0f} | {rates[1]:.0f} "
        f"| {rates[0] / rates[1]:.1f} |",
        flush=True,
    )


def _bench_peak_memory() -> None:
    peaks = [_peak_rise(module) for module in ("tf_vsinit", "tf.keras.initializers")]
    print("\n| peak resident memory | tf_vsinit | stock |")
    print("|---|--:|--:|")
    print(f"| he_normal of 1 GiB in float32, GiB more | {peaks[0]:.3f} | {peaks[1]:.3f} |")


def _peak_rise(module: str) -> float:
    """Returns how many GiB the peak memory of a fresh process rises by when it draws 1 GiB."""
    # VmHWM is the process's own peak; getrusage's starts from its parent's.
    code = (
        "import re, tensorflow as tf, tf_vsinit\n"
        "def kib(name):\n"
        "    return int(re.search(name + r':\\s+(\\d+)', open('/proc/self/status').read())[1])\n"
        f"initializer = {module}.HeNormal(seed=1)\n"
        "initializer([64, 64])\n"
        "before = kib('VmRSS')\n"
        "values = initializer([16384, 16384])\n"
        "print((kib('VmHWM') - before) * 1024)\n"
    )
    return _number_from_fresh_process(code) / GIB


def _number_from_fresh_process(code: str) -> float:
    """Returns the number that Python code prints in a new process."""
    process = [sys.executable, "-c", code]
    return float(subprocess.run(process, stdout=subprocess.PIPE, text=True, check=True).stdout)
