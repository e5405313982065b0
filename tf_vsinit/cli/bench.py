"""`python -m tf_vsinit bench`: how long draws take, beside the draws of stock TensorFlow."""

import argparse
import functools
import math
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import tensorflow as tf

import tf_vsinit
from tf_vsinit import arguments, loading
from tf_vsinit.cli import model_shapes, output

MILLION = 1e6
GIB = 2**30
MODULES = ("tf_vsinit", "tf.keras.initializers")
# The most processes that make a model with each initializer: ten of the larger one take minutes.
MODEL_REPEATS = 3

# Defines `kib`, for code of fresh processes. VmHWM is the process's own peak; getrusage's starts
# from its parent's.
_DEFINE_KIB = (
    "import re\n"
    "def kib(name):\n"
    "    return int(re.search(name + r':\\s+(\\d+)', open('/proc/self/status').read())[1])\n"
)


class _Table(NamedTuple):
    """A table: its key in the JSON object, what measures its rows, and how they are shown."""

    key: str
    measure: Callable[[argparse.Namespace], Iterator[dict[str, Any]]]
    headings: Sequence[str]
    cells: Callable[[dict[str, Any]], Sequence[str]]
    text_columns: int = 1


def run(options: argparse.Namespace) -> int:
    """Prints tables of speeds and memory, beside those of stock in the same run."""
    try:
        loading.use_instruction_set(options.instruction_set)
    except ValueError:
        options.error(
            "argument --instruction-set: must be one of this machine's, whose best is "
            f"{loading.instruction_set()}. Received: {options.instruction_set!r}"
        )
    settings = {
        "tensorflow_version": tf.__version__,
        "cpus": os.cpu_count(),
        "instruction_set": loading.instruction_set(),
        "extent": options.extent,
        "repeats": options.repeats,
    }
    try:
        if options.json:
            tables = {table.key: list(table.measure(options)) for table in _TABLES}
            output.print_json({**settings, **tables})
        else:
            _print_tables(options, settings)
    except tf.errors.ResourceExhaustedError:
        options.error(
            f"argument --extent: must be one that memory has room for. Received: {options.extent}"
        )
    return 0


def _print_tables(options: argparse.Namespace, settings: dict[str, Any]) -> None:
    output.print_text(
        "TensorFlow {tensorflow_version}, {cpus} CPUs, {instruction_set}; "
        "{extent} x {extent} in million values per second, medians of {repeats}".format(**settings)
    )
    for table in _TABLES:
        output.print_text("")
        rows = map(table.cells, table.measure(options))
        output.print_table(table.headings, rows, table.text_columns)


def _time_draws(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    shape = [options.extent, options.extent]
    for name, draws in _draws().items():
        for dtype in (tf.float32, tf.float64, tf.bfloat16, tf.float16):
            output.progress(f"Timing {name} in {dtype.name}")
            calls = [functools.partial(draw, shape, dtype) for draw in [*draws, _filled]]
            seconds = _medians(calls, options.repeats)
            rates = [options.extent**2 / MILLION / s for s in seconds]
            names = ("tf_vsinit", "tensorflow", "stock", "fill")
            yield {"draw": name, "dtype": dtype.name, **dict(zip(names, rates, strict=True))}


def _cells_of_draw(row: dict[str, Any]) -> list[str]:
    ours, tensorflow, stock = row["tf_vsinit"], row["tensorflow"], row["stock"]
    return [
        row["draw"],
        row["dtype"],
        f"{ours:.0f}",
        f"{ours / stock:.1f}",
        f"{tensorflow:.0f}",
        f"{tensorflow / stock:.1f}",
        f"{stock:.0f}",
        f"{row['fill']:.0f}",
    ]


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


def _time_boxes(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
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
    output.progress("Timing boxes")
    seconds_of_whole, *times = _medians(calls, options.repeats)
    for name, call, seconds in zip(names, calls[1:], times, strict=True):
        share = sum(int(tf.size(drawn)) for drawn in call()) / extent**2
        yield {"box": name, "ratio": seconds / (seconds_of_whole * share)}


def _shards(shape: Sequence[int], axis: int, count: int) -> list[tuple[list[int], list[int]]]:
    """Returns begin and size of equal shards along an axis."""
    step = max(1, shape[axis] // max(1, count))
    shards = []
    for first in range(0, shape[axis], step):
        begin, size = [0] * len(shape), list(shape)
        begin[axis], size[axis] = first, min(step, shape[axis] - first)
        shards.append((begin, size))
    return shards


def _time_small_call(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    del options
    output.progress("Timing small calls")
    ours, stock = tf_vsinit.HeNormal(seed=1), tf.keras.initializers.HeNormal(seed=1)
    seconds = _medians([lambda: ours([64, 64]), lambda: stock([64, 64])], repeats=1000)
    micros = [s * MILLION for s in seconds]
    yield {"draw": "he_normal 64 x 64", "tf_vsinit": micros[0], "stock": micros[1]}


def _time_fresh_memory(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yields the speed of draws that are kept, so that each needs fresh memory."""

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
        (seconds,) = _numbers_from_fresh_process(code)
        return options.extent**2 / MILLION / seconds

    output.progress("Timing draws into fresh memory")
    ours, stock = map(rate, MODULES)
    yield {"draw": "he_normal float32", "tf_vsinit": ours, "stock": stock}


def _measure_peak_memory(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    del options
    output.progress("Measuring peak memory")
    ours, stock = map(_peak_rise, MODULES)
    yield {"draw": "he_normal of 1 GiB in float32", "tf_vsinit": ours, "stock": stock}


def _peak_rise(module: str) -> float:
    """Returns how many GiB the peak memory of a fresh process rises by when it draws 1 GiB."""
    code = (
        f"{_DEFINE_KIB}"
        "import tensorflow as tf, tf_vsinit\n"
        f"initializer = {module}.HeNormal(seed=1)\n"
        "initializer([64, 64])\n"
        "before = kib('VmRSS')\n"
        "values = initializer([16384, 16384])\n"
        "print((kib('VmHWM') - before) * 1024)\n"
    )
    (rise,) = _numbers_from_fresh_process(code)
    return rise / GIB


def _measure_models(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    for name, shapes in model_shapes.MODELS.items():
        values = sum(map(math.prod, shapes))
        if 1.5 * 4 * values > _available_bytes():
            output.clear_progress()
            print(f"Not made: {name}. It needs {1.5 * 4 * values / GIB:.1f} GiB.", file=sys.stderr)
            continue
        output.progress(f"Making the variables of {name}")
        costs: dict[str, list[tuple[float, float]]] = {module: [] for module in MODULES}
        for _ in range(min(options.repeats, MODEL_REPEATS)):
            for module in MODULES:
                costs[module].append(_costs_of_model(module, shapes, options.instruction_set))
        (ours, our_gib), (stock, stock_gib) = (
            map(statistics.median, zip(*costs[module], strict=True)) for module in MODULES
        )
        yield {
            "model": name,
            "variables": len(shapes),
            "values": values,
            "tf_vsinit": ours,
            "stock": stock,
            "tf_vsinit_gib": our_gib,
            "stock_gib": stock_gib,
        }


def _costs_of_model(
    module: str, shapes: Sequence[model_shapes.Shape], instruction_set: str
) -> tuple[float, float]:
    """Returns seconds and the rise of peak memory, in GiB, as a layer makes variables."""
    code = (
        f"{_DEFINE_KIB}"
        "import time, tensorflow as tf, tf_vsinit\n"
        "from tf_vsinit import loading\n"
        f"loading.use_instruction_set({instruction_set!r})\n"
        f"initializer = {module}.HeNormal(seed=1)\n"
        "layer = tf.keras.layers.Layer()\n"
        "layer.add_weight(shape=[64, 64], initializer=initializer)\n"
        "before, start = kib('VmRSS'), time.perf_counter()\n"
        f"for shape in {shapes}:\n"
        "    layer.add_weight(shape=shape, initializer=initializer)\n"
        "print(time.perf_counter() - start, (kib('VmHWM') - before) * 1024)\n"
    )
    seconds, rise = _numbers_from_fresh_process(code)
    return seconds, rise / GIB


def _available_bytes() -> int:
    meminfo = Path("/proc/meminfo").read_text()
    return 1024 * int(re.search(r"MemAvailable:\s+(\d+)", meminfo)[1])  # type: ignore[index]


def _numbers_from_fresh_process(code: str) -> list[float]:
    """Returns the numbers that Python code prints in a new process."""
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    if process.returncode:
        # Otherwise this holds only what TensorFlow logs when it is imported.
        sys.stderr.write(process.stderr)
        process.check_returncode()
    return [float(number) for number in process.stdout.split()]


_TABLES = (
    _Table(
        "draws_million_values_per_second",
        _time_draws,
        (
            "draw",
            "dtype",
            "tf_vsinit",
            "times stock",
            "`tensorflow`",
            "times stock",
            "stock",
            "tf.fill",
        ),
        _cells_of_draw,
        text_columns=2,
    ),
    _Table(
        "boxes_time_over_share_of_whole",
        _time_boxes,
        ("box of a truncated normal in float32, by eager calls", "over its share of the whole"),
        lambda row: [row["box"], f"{row['ratio']:.2f}"],
    ),
    _Table(
        "small_call_microseconds",
        _time_small_call,
        ("one eager call", "tf_vsinit", "stock", "stock over tf_vsinit"),
        lambda row: [
            f"{row['draw']}, microseconds",
            f"{row['tf_vsinit']:.1f}",
            f"{row['stock']:.1f}",
            f"{row['stock'] / row['tf_vsinit']:.1f}",
        ],
    ),
    _Table(
        "fresh_memory_million_values_per_second",
        _time_fresh_memory,
        ("into memory not used before", "tf_vsinit", "stock", "times stock"),
        lambda row: [
            f"{row['draw']}, million values per second",
            f"{row['tf_vsinit']:.0f}",
            f"{row['stock']:.0f}",
            f"{row['tf_vsinit'] / row['stock']:.1f}",
        ],
    ),
    _Table(
        "peak_memory_gib",
        _measure_peak_memory,
        ("peak resident memory", "tf_vsinit", "stock"),
        lambda row: [
            f"{row['draw']}, GiB more",
            f"{row['tf_vsinit']:.3f}",
            f"{row['stock']:.3f}",
        ],
    ),
    _Table(
        "models",
        _measure_models,
        (
            "kernels of a model, he_normal float32",
            "values",
            "tf_vsinit, seconds",
            "stock, seconds",
            "stock over tf_vsinit",
            "tf_vsinit, GiB more",
            "stock, GiB more",
        ),
        lambda row: [
            f"{row['model']}, {row['variables']} variables",
            f"{row['values']}",
            f"{row['tf_vsinit']:.2f}",
            f"{row['stock']:.2f}",
            f"{row['stock'] / row['tf_vsinit']:.1f}",
            f"{row['tf_vsinit_gib']:.2f}",
            f"{row['stock_gib']:.2f}",
        ],
    ),
)
