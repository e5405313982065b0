"""Times the GPU fill beside memset, torch, jax and cuRAND, on one card in one run.

Needs no TensorFlow. Writes NAME.json, and what report.py makes of it, into the folder given:

    python3 benchmarks/gpu/bench.py benchmarks/gpu/results

Every time is the median of batches, each of which keeps the card busy for 20 milliseconds or more;
it is measured by the clock of the host from before the first call to after the last has finished.
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

import cuda_driver
import gpu_fill
import peers as peers_module
import report

SECONDS_PER_BATCH = 0.02
BATCHES = 5
SIZES_LOG2 = (12, 16, 20, 24, 28, 32)
SLICE_LOG2 = 28
SEED = (1, 2)
# Full row length, and the columns that are drawn, of slices of 2048 columns.
SLICES = {
    "whole": (2048, 0),
    "half of the columns": (4096, 1024),
    "half of the columns, off the blocks": (4099, 1023),
}
SLICE_COLUMNS = 2048


def seconds_per_call(call: Callable[[], object], finish: Callable[[], None]) -> float:
    """Seconds that one call takes when many follow one another."""

    def batch(calls: int) -> float:
        start = time.perf_counter()
        for _ in range(calls):
            call()
        finish()
        return time.perf_counter() - start

    batch(1)  # Compiles, loads and allocates.
    calls = 1
    while (seconds := batch(calls)) < SECONDS_PER_BATCH:
        calls = max(2 * calls, int(1.2 * calls * SECONDS_PER_BATCH / max(seconds, 1e-6)))
    return statistics.median([seconds, *(batch(calls) for _ in range(BATCHES - 1))]) / calls


class Benchmark:
    """Collects rows: what was timed, and how long a call took."""

    def __init__(self, library: gpu_fill.GpuFill) -> None:
        """Takes the fill to time."""
        self.library = library
        self.peers, self.left_out = peers_module.find_peers()
        self.rows: list[dict] = []

    def add(self, seconds: float, **what: object) -> None:
        """Keeps a row, and shows it."""
        self.rows.append(what | {"seconds": seconds})
        print(
            " ".join(str(value) for value in what.values()), f"{seconds * 1e6:.2f} us", flush=True
        )

    def time_sizes(self, sizes: list[int]) -> None:
        """Times whole tensors of 2^n elements, ours and the peers'."""
        for log2, dtype in ((log2, dtype) for log2 in sizes for dtype in gpu_fill.DTYPES):
            size = gpu_fill.ITEM_SIZE[dtype] << log2
            if size > 0.9 * cuda_driver.free_bytes():
                self.left_out.append(f"2^{log2} {dtype} is left out: it needs {size} bytes")
                continue
            what = {"layout": "whole", "dtype": dtype, "log2": log2}
            self.time_ours(what, cuda_driver.Memory(size))
            self.time_peers(what)

    def time_ours(self, what: dict, memory: cuda_driver.Memory) -> None:
        """Times memset and our fill of the same memory."""
        seconds = seconds_per_call(lambda: memory.fill(0), cuda_driver.synchronize)
        self.add(seconds, name="memset", distribution="zero", **what)
        for distribution in gpu_fill.DISTRIBUTIONS:
            shape = [1 << what["log2"]]
            launch = self.library.prepare(
                distribution, what["dtype"], 0.05, SEED, shape, output=memory.address
            )
            seconds = seconds_per_call(launch, cuda_driver.synchronize)
            self.add(seconds, name="tf_vsinit", distribution=distribution, **what)

    def time_peers(self, what: dict) -> None:
        """Times what the peers have of a kind."""
        for peer in self.peers:
            for distribution in gpu_fill.DISTRIBUTIONS:
                # A peer may lack memory, or the dtype; that is no reason to stop.
                try:
                    draw = peer.prepare(distribution, what["dtype"], 1 << what["log2"])
                    if draw is None:
                        continue
                    seconds = seconds_per_call(draw, peer.finish)
                except Exception as error:
                    line = str(error).splitlines()[0] if str(error) else type(error).__name__
                    kind = f"{distribution} {what['dtype']} 2^{what['log2']}"
                    self.left_out.append(f"{peer.name} {kind} is left out: {line}")
                    continue
                finally:
                    draw = None
                    peer.release()
                self.add(seconds, name=peer.name, distribution=distribution, **what)

    def time_slices(self, log2: int) -> None:
        """Times slices that have 2^n elements."""
        rows = (1 << log2) // SLICE_COLUMNS
        for dtype in gpu_fill.DTYPES:
            memory = cuda_driver.Memory(gpu_fill.ITEM_SIZE[dtype] << log2)
            for distribution in gpu_fill.DISTRIBUTIONS:
                for layout, (columns, first) in SLICES.items():
                    launch = self.library.prepare(
                        distribution,
                        dtype,
                        0.05,
                        SEED,
                        [rows, columns],
                        [0, first],
                        [rows, SLICE_COLUMNS],
                        output=memory.address,
                    )
                    seconds = seconds_per_call(launch, cuda_driver.synchronize)
                    what = {"name": "tf_vsinit", "distribution": distribution}
                    self.add(seconds, **what, layout=f"slice: {layout}", dtype=dtype, log2=log2)


def description(benchmark: Benchmark, compiler: str) -> Iterator[tuple[str, str]]:
    """What the figures were made on and with."""
    yield "card", cuda_driver.device_name()
    yield "compute capability", cuda_driver.compute_capability()
    yield "CUDA of the driver", cuda_driver.driver_cuda_version()
    yield "compiler", compiler
    yield "host", f"{platform.machine()}, Python {platform.python_version()}"
    yield "date", datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    for peer in benchmark.peers:
        yield peer.name, peer.version


def main() -> int:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path, help="where the results go")
    parser.add_argument("--name", help="of the files; by default the card's")
    parser.add_argument("--compiler", default="not known", help="what made the library")
    parser.add_argument(
        "--sizes",
        type=lambda text: [int(item) for item in text.split(",")],
        default=list(SIZES_LOG2),
        help="base-2 logarithms of the element counts (default: %(default)s)",
    )
    parser.add_argument("--slices", type=int, default=SLICE_LOG2, help="the same of the slices")
    arguments = parser.parse_args()
    path, why_not = gpu_fill.find_library(), cuda_driver.why_no_gpu()
    if why_not or path is None:
        print(why_not or "libvsinit_gpu.so is not built", file=sys.stderr)
        return 1
    benchmark = Benchmark(gpu_fill.GpuFill(path))
    benchmark.time_sizes(arguments.sizes)
    benchmark.time_slices(arguments.slices)
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
