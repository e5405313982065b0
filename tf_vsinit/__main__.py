"""The command line: what is installed and works here, and bench, inspect and plot."""

import argparse
import math
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import tensorflow as tf

import tf_vsinit
from tf_vsinit import functional, loading, reference

# The standard deviation of a standard normal truncated at two.
TRUNCATED_STDDEV = 0.87962566103423978
MILLION = 1e6
GIB = 2**30


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a subcommand, by default the report on the installation; returns the exit status."""
    options = _parser().parse_args(arguments)
    return options.run(options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tf_vsinit", description=__doc__)
    parser.set_defaults(run=report)
    commands = parser.add_subparsers(metavar="{bench,inspect,plot}")

    command = commands.add_parser("bench", help="time the draws beside those of stock TensorFlow")
    command.add_argument("--extent", type=int, default=8192, help="of both axes (default: 8192)")
    command.add_argument("--repeats", type=int, default=5, help="to take the median of")
    command.add_argument("--instruction-set", default="", help="such as AVX2 (default: the best)")
    command.set_defaults(run=bench)

    command = commands.add_parser("inspect", help="show what each initializer does for a shape")
    command.add_argument("shape", type=int, nargs="*", help="of the variable, such as 3 3 64 128")
    command.add_argument("--seed", type=int, default=0)
    command.add_argument("--dtype", default="float32")
    command.set_defaults(run=inspect)

    command = commands.add_parser("plot", help="plot values drawn against their densities")
    command.add_argument("--output", default="tf_vsinit.png", help="the PNG to write")
    command.add_argument("--values", type=int, default=1_000_000, help="to draw of each kind")
    command.set_defaults(run=plot)
    return parser


# The report.


def report(options: argparse.Namespace) -> int:
    """Prints what is installed, and whether it draws what it should."""
    del options
    keras = tf.keras.initializers.Initializer.__module__.partition(".")[0]
    built_for = loading.built_for_tensorflow() or "a version that the build did not note"
    wrong = list(_wrong_draws())
    for name, value in (
        ("tf_vsinit", tf_vsinit.__version__),
        ("TensorFlow", tf.__version__),
        ("tf.keras", f"{keras} {sys.modules[keras].__version__}"),
        ("Python, NumPy", f"{platform.python_version()}, {np.__version__}"),
        ("op library", loading.LIBRARY_PATH),
        ("built for", f"TensorFlow {built_for}"),
        ("instruction set", loading.instruction_set()),
        ("GPU kernels", _gpu_kernels()),
        ("devices", ", ".join(device.name for device in tf.config.list_logical_devices())),
        ("self check", "WRONG, see below" if wrong else "passed: the values are those promised"),
    ):
        print(f"{name:16} {value}")
    for line in wrong:
        print(line)
    return 1 if wrong else 0


def _gpu_kernels() -> str:
    reason = loading.why_no_gpu_kernels()
    if reason:
        return f"none: {reason}"
    if not tf.config.list_logical_devices("GPU"):
        return "loaded, but TensorFlow sees no GPU here"
    return "loaded"


# seed, first index, dtype, distribution, and in hexadecimal the values that stream version 1 has
# there for a standard deviation of 1.
_GOLDEN = (
    ((1, 2), 0, "float32", "truncated_normal", "bf33a264 be85ee05 3fbcb98b bfb65a6d"),
    ((1, 2), 0, "float32", "untruncated_normal", "bf26ab0b be771023 3fb578b8 bfae9e6e"),
    ((1, 2), 0, "float32", "uniform", "3f988ee1 bf888c74 3fdc0721 bf9695ff"),
    (
        (-1, 1099511627776),
        8589934593,
        "float64",
        "truncated_normal",
        "bfe2d2467a429c88 3ff14c42476d3bf3 3fee24b997107f0b",
    ),
    (
        (-1, 1099511627776),
        8589934593,
        "float64",
        "untruncated_normal",
        "bfe16cedb64b28b2 3ff03c5ed8686fc7 3fec25933d0e4422",
    ),
    (
        (-1, 1099511627776),
        8589934593,
        "float64",
        "uniform",
        "bfea71fce0ada921 3fe0711818b24c3c 3fde83858236b6a0",
    ),
    ((1, 2), 3, "bfloat16", "truncated_normal", "bfb6 c00e 3fcf bf3b"),
    ((1, 2), 3, "float16", "uniform", "bcb5 ba52 3824 bd72"),
)


def _wrong_draws() -> Iterator[str]:
    """Yields a line for each draw on a device that is not what stream version 1 defines."""
    for device in tf.config.list_logical_devices():
        if device.device_type not in ("CPU", "GPU"):
            continue
        with tf.device(device.name):
            for *draw, expected in _GOLDEN:
                try:
                    got = _drawn_bits(*draw, count=len(expected.split()))
                except tf.errors.OpError as error:
                    got = error.message
                if got != expected:
                    yield f"  {device.name}: {draw} gave {got}, not {expected}"


def _drawn_bits(seed: Sequence[int], first: int, dtype: str, distribution: str, count: int) -> str:
    drawn = tf_vsinit.stateless_variance_scaling(
        [2**40, 1],
        seed,
        mode="fan_out",
        distribution=distribution,
        dtype=dtype,
        begin=[first, 0],
        size=[count, 1],
    )
    values = np.ravel(drawn)
    bits = values.view(f"u{values.itemsize}")
    return " ".join(f"{int(value):0{2 * values.itemsize}x}" for value in bits)


# bench.


def bench(options: argparse.Namespace) -> int:
    """Prints a Markdown table of speeds, each beside stock's in the same run."""
    shape = [options.extent, options.extent]
    loading.use_instruction_set(options.instruction_set)
    print(
        f"TensorFlow {tf.__version__}, {os.cpu_count()} CPUs, {loading.instruction_set()}; "
        f"{options.extent} x {options.extent} in million values per second, "
        f"medians of {options.repeats}\n"
    )
    print("| draw | dtype | tf_vsinit | stock | times stock | tf.fill |")
    print("|---|---|--:|--:|--:|--:|")
    for name, ours, stock in _rivals():
        for dtype in (tf.float32, tf.float64, tf.bfloat16, tf.float16):
            seconds = _medians(
                [
                    lambda ours=ours, dtype=dtype: ours(shape, dtype),
                    lambda stock=stock, dtype=dtype: stock(shape, dtype),
                    lambda dtype=dtype: tf.fill(shape, tf.constant(1.0, dtype)),
                ],
                options.repeats,
            )
            rates = [options.extent**2 / MILLION / s for s in seconds]
            print(
                f"| {name} | {dtype.name} | {rates[0]:.0f} | {rates[1]:.0f} "
                f"| {rates[0] / rates[1]:.1f} | {rates[2]:.0f} |",
                flush=True,
            )
    _bench_slices(options)
    _bench_small_call()
    _bench_fresh_memory(options)
    _bench_peak_memory()
    return 0


def _rivals() -> list[tuple[str, Callable, Callable]]:
    """Returns name, our draw and the stock draw of the same thing."""
    untruncated = tf_vsinit.VarianceScaling(distribution="untruncated_normal", seed=1)
    return [
        ("he_normal", tf_vsinit.HeNormal(seed=1), tf.keras.initializers.HeNormal(seed=1)),
        (
            "glorot_uniform",
            tf_vsinit.GlorotUniform(seed=1),
            tf.keras.initializers.GlorotUniform(seed=1),
        ),
        (
            "untruncated normal",
            untruncated,
            lambda shape, dtype: tf.random.stateless_normal(shape, [1, 0], dtype=dtype),
        ),
    ]


def _medians(calls: Sequence[Callable], repeats: int) -> list[float]:
    """Returns the median seconds of each call, taken in turns so that all see the same machine."""
    seconds = [[] for _ in calls]
    for call in calls:
        call()
    for _ in range(repeats):
        for times, call in zip(seconds, calls, strict=True):
            start = time.perf_counter()
            result = call()
            times.append(time.perf_counter() - start)
            del result
    return [statistics.median(times) for times in seconds]


def _bench_slices(options: argparse.Namespace) -> None:
    extent = options.extent
    square, narrow = [extent, extent], [16, extent**2 // 2048, 128]
    mib = extent**2 >> 18
    rows, columns = _shards(square, 0, mib), _shards(square, 1, 8)
    slices = {
        "its first half, by rows": (square, [([0, 0], [extent // 2, -1])]),
        "half of the columns": (square, [([0, extent // 4 + 1], [-1, extent // 2])]),
        "half of it in runs of 64": (narrow, [([0, 0, 33], [-1, -1, 64])]),
        "a box in runs of 64": (narrow, [([4, 1, 33], [8, -1, 64])]),
        "all of it, in 8 shards by columns": (square, columns),
        "all of it, in shards of 16 MiB by rows": (square, _shards(square, 0, mib // 16)),
        "all of it, in shards of 4 MiB by rows": (square, _shards(square, 0, mib // 4)),
        "all of it, in shards of 1 MiB by rows": (square, rows),
    }
    initializer = tf_vsinit.HeNormal(seed=1)

    def draw(shape: Sequence[int], boxes: Sequence[tuple]) -> list[tf.Tensor]:
        return [initializer(shape, partition_offset=b, partition_shape=s) for b, s in boxes]

    whole_slice = (square, [([0, 0], [-1, -1])])
    calls = [lambda s=s: draw(*s) for s in [whole_slice, *slices.values()]]
    calls.append(tf.function(lambda: draw(square, rows), autograph=False))
    names = [*slices, "the same shards of 1 MiB, by one graph"]
    whole, *parts = _medians(calls, options.repeats)
    print(
        "\n| part of a truncated normal in float32, by eager calls | over its share of the whole |"
    )
    print("|---|--:|")
    for name, call, seconds in zip(names, calls[1:], parts, strict=True):
        share = sum(int(tf.size(part)) for part in call()) / extent**2
        print(f"| {name} | {seconds / (whole * share):.2f} |", flush=True)


def _shards(shape: Sequence[int], axis: int, count: int) -> list[tuple[list[int], list[int]]]:
    """Returns the first element and the extents of equal shards along an axis."""
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
    """Prints the speed of draws that are kept, so that each needs memory from the system."""

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
    """Returns by how many GiB a fresh process rises, at most, when it draws 1 GiB."""
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
    """Returns what Python code prints when it is a process of its own."""
    process = [sys.executable, "-c", code]
    return float(subprocess.run(process, stdout=subprocess.PIPE, text=True, check=True).stdout)


# inspect.


def inspect(options: argparse.Namespace) -> int:
    """Prints the fans of a shape, and the spread and first values that each initializer gives."""
    shape = options.shape
    names = [n + d for n in ("Glorot", "He", "Lecun") for d in ("Normal", "Uniform")]
    try:
        lines = [_inspected(name, options) for name in names]
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    fan_in, fan_out = reference.fans(shape)
    print(f"shape {shape}, {math.prod(shape)} elements: fan_in {fan_in}, fan_out {fan_out}\n")
    print(*lines, sep="\n")
    return 0


def _inspected(name: str, options: argparse.Namespace) -> str:
    initializer = getattr(tf_vsinit, name)(seed=options.seed)
    values = _first_values(initializer, options)
    is_uniform = initializer.distribution == "uniform"
    spread = reference.limit_or_stddev(
        initializer.scale,
        initializer.mode,
        *reference.fans(options.shape),
        # Truncation is a matter of the values, not of the standard deviation they end up with.
        "uniform" if is_uniform else "untruncated_normal",
    )
    return f"{name:14} {'limit' if is_uniform else 'stddev'} {spread:<12.6g} {values}"


def _first_values(initializer, options: argparse.Namespace) -> str:
    """Draws no more than it shows: the start of the first row."""
    shape = options.shape
    size = [min(1, extent) for extent in shape[:-1]] + [min(6, extent) for extent in shape[-1:]]
    values = initializer(
        shape, options.dtype, partition_shape=size, partition_offset=[0] * len(shape)
    )
    return " ".join(f"{value:+.6g}" for value in np.ravel(values).tolist())


# plot.


def plot(options: argparse.Namespace) -> int:
    """Writes a PNG with a histogram of each distribution under its density."""
    try:
        import matplotlib
    except ModuleNotFoundError:
        print("plot needs matplotlib: pip install matplotlib", file=sys.stderr)
        return 2
    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 3, figsize=(15, 4), layout="constrained")
    for axis, distribution in zip(axes, functional.DISTRIBUTIONS, strict=True):
        drawn = tf_vsinit.stateless_variance_scaling(
            [options.values, 1], [0, 0], mode="fan_out", distribution=distribution
        )
        axis.hist(np.ravel(drawn), bins=201, density=True, alpha=0.5, label="drawn")
        x = np.linspace(*axis.get_xlim(), 1001)
        axis.plot(x, _density(distribution, x), linewidth=1, label="density")
        axis.set_title(f"{distribution}, standard deviation 1")
        axis.legend()
    figure.savefig(options.output, dpi=120)
    print(f"{options.values} values of each distribution: {os.path.abspath(options.output)}")
    return 0


def _density(distribution: str, x: np.ndarray) -> np.ndarray:
    """Returns the density of the distribution scaled to a standard deviation of 1."""
    if distribution == "uniform":
        return np.where(np.abs(x) < math.sqrt(3), 1 / (2 * math.sqrt(3)), 0.0)
    z = x * TRUNCATED_STDDEV if distribution == "truncated_normal" else x
    normal = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    if distribution == "untruncated_normal":
        return normal
    mass = math.erf(math.sqrt(2))  # of the standard normal between -2 and 2
    return np.where(np.abs(z) < 2, normal * TRUNCATED_STDDEV / mass, 0.0)


if __name__ == "__main__":
    sys.exit(main())
