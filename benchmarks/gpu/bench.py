"""Compares the speed of the GPU fill with memset, torch, jax and cuRAND, on one card in one run.

    python3 benchmarks/gpu/bench.py benchmarks/gpu/results

writes NAME.json and the files that report.py makes from it into the given folder. Does not need
TensorFlow.

Every time is the median of five batches. A batch keeps the card busy for at least 20 milliseconds.
The host's clock measures it from before the first call until the last call has finished.
"""

from __future__ import annotations

import argparse
import datetime
import json
import pathlib
import platform
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterator

import baselines
import cuda_driver
import gpu_fill
import report

SECONDS_PER_BATCH = 0.02
BATCHES = 5
SIZES_LOG2 = (12, 16, 20, 24, 28, 32)
BOX_LOG2 = 28
SEED = (1, 2)
# What the rows of each stream are called. The report compares the second with the first.
NAMES = {"vsinit": "tf_vsinit", "tensorflow": "tf_vsinit, TensorFlow stream"}
# The boxes that are timed, by name: the number of columns of the full shape, and the first column
# of the box, which has 2048.
BOXES = {
    "whole": (2048, 0),
    "half of the columns": (4096, 1024),
    "half of the columns, not aligned with Philox blocks": (4099, 1023),
}
BOX_COLUMNS = 2048


def seconds_per_call(call: Callable[[], object], finish: Callable[[], None]) -> float:
    """Returns the seconds per call when many calls follow one another."""

    def batch(calls: int) -> float:
        start = time.perf_counter()
        for _ in range(calls):
            call()
        finish()
        return time.perf_counter() - start

    batch(1)  # Warms up: compiles, loads and allocates.
    calls = 1
    while (seconds := batch(calls)) < SECONDS_PER_BATCH:
        calls = max(2 * calls, int(1.2 * calls * SECONDS_PER_BATCH / max(seconds, 1e-6)))
    return statistics.median([seconds, *(batch(calls) for _ in range(BATCHES - 1))]) / calls


class Benchmark:
    """Times calls and collects a row for each: what was timed, and the seconds per call."""

    def __init__(self, library: gpu_fill.GpuFill) -> None:
        """Takes the library to time."""
        self.library = library
        self.baselines, self.left_out = baselines.find()
        self.rows: list[dict] = []

    def add(self, seconds: float, **what: object) -> None:
        """Adds a row and prints it."""
        self.rows.append(what | {"seconds": seconds})
        print(
            " ".join(str(value) for value in what.values()), f"{seconds * 1e6:.2f} us", flush=True
        )

    def time_sizes(self, sizes: list[int]) -> None:
        """Times draws of whole tensors of 2^n elements, for each n in `sizes`."""
        for log2, dtype in ((log2, dtype) for log2 in sizes for dtype in gpu_fill.DTYPES):
            size = gpu_fill.ITEM_SIZE[dtype] << log2
            if size > 0.9 * cuda_driver.free_bytes():
                self.left_out.append(f"2^{log2} {dtype}: needs {size} bytes")
                continue
            what = {"layout": "whole", "dtype": dtype, "log2": log2}
            self.time_fill(what, cuda_driver.Memory(size))
            self.time_baselines(what)

    def time_fill(self, what: dict, memory: cuda_driver.Memory) -> None:
        """Times memset and the fill of both streams on the same memory."""
        seconds = seconds_per_call(lambda: memory.fill(0), cuda_driver.synchronize)
        self.add(seconds, name="memset", distribution="zero", **what)
        for stream, name in NAMES.items():
            for distribution in gpu_fill.DISTRIBUTIONS:
                launch = self.library.prepare(
                    distribution,
                    what["dtype"],
                    0.05,
                    SEED,
                    [1 << what["log2"]],
                    stream=stream,
                    output=memory.address,
                )
                seconds = seconds_per_call(launch, cuda_driver.synchronize)
                self.add(seconds, name=name, distribution=distribution, **what)

    def time_baselines(self, what: dict) -> None:
        """Times each distribution that a baseline has."""
        for baseline in self.baselines:
            for distribution in gpu_fill.DISTRIBUTIONS:
                # A baseline may lack the dtype or the memory. Note that, and go on.
                try:
                    draw = baseline.prepare(distribution, what["dtype"], 1 << what["log2"])
                    if draw is None:
                        continue
                    seconds = seconds_per_call(draw, baseline.finish)
                except Exception as error:
                    line = str(error).splitlines()[0] if str(error) else type(error).__name__
                    kind = f"{distribution} {what['dtype']} 2^{what['log2']}"
                    self.left_out.append(f"{baseline.name} {kind}: {line}")
                    continue
                finally:
                    draw = None
                    baseline.release()
                self.add(seconds, name=baseline.name, distribution=distribution, **what)

    def time_boxes(self, log2: int) -> None:
        """Times boxes of 2^log2 elements."""
        rows = (1 << log2) // BOX_COLUMNS
        for dtype in gpu_fill.DTYPES:
            memory = cuda_driver.Memory(gpu_fill.ITEM_SIZE[dtype] << log2)
            for distribution in gpu_fill.DISTRIBUTIONS:
                for layout, (columns, first) in BOXES.items():
                    launch = self.library.prepare(
                        distribution,
                        dtype,
                        0.05,
                        SEED,
                        [rows, columns],
                        [0, first],
                        [rows, BOX_COLUMNS],
                        output=memory.address,
                    )
                    seconds = seconds_per_call(launch, cuda_driver.synchronize)
                    what = {"name": "tf_vsinit", "distribution": distribution}
                    self.add(seconds, **what, layout=f"box: {layout}", dtype=dtype, log2=log2)


def description(benchmark: Benchmark, compiler: str) -> Iterator[tuple[str, str]]:
    """Yields the names and values that describe the hardware and the software."""
    yield "card", cuda_driver.device_name()
    yield "compute capability", cuda_driver.compute_capability()
    yield "CUDA of the driver", cuda_driver.driver_cuda_version()
    yield "compiler", compiler
    yield "host", f"{platform.machine()}, Python {platform.python_version()}"
    yield "date", datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    for baseline in benchmark.baselines:
        yield baseline.name, baseline.version


def main() -> int:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path, help="folder to write the results to")
    parser.add_argument("--name", help="name of the result files (default: the name of the card)")
    parser.add_argument("--compiler", default="unknown", help="what built the library")
    parser.add_argument(
        "--sizes",
        type=lambda text: [int(item) for item in text.split(",")],
        default=list(SIZES_LOG2),
        help="base-2 logarithms of the element counts (default: %(default)s)",
    )
    parser.add_argument(
        "--box-size",
        type=int,
        default=BOX_LOG2,
        help="base-2 logarithm of the element count of the boxes (default: %(default)s)",
    )
    arguments = parser.parse_args()
    path, why_not = gpu_fill.find_library(), cuda_driver.why_no_gpu()
    if why_not or path is None:
        print(why_not or "libvsinit_gpu.so is not built: see docs/gpu.md", file=sys.stderr)
        return 1
    benchmark = Benchmark(gpu_fill.GpuFill(path))
    benchmark.time_sizes(arguments.sizes)
    benchmark.time_boxes(arguments.box_size)
    results = {
        "made on": dict(description(benchmark, arguments.compiler)),
        "left out": benchmark.left_out,
        "rows": benchmark.rows,
    }
    name = arguments.name or re.sub(r"\W+", "_", cuda_driver.device_name()).lower()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    file = arguments.folder / f"{name}.json"
    file.write_text(json.dumps(results, indent=1) + "\n")
    report.write(file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
