"""Times draws into new memory, with and without huge pages, and two ways to write a constant.

sudo .venv/bin/python benchmarks/fresh_memory.py

The calls take turns in one process. Root is needed to forbid huge pages in Linux's settings, which
are restored at the end. Before each call, the process uses and frees a gibibyte, so that the host
of a virtual machine has memory ready. `tf.fill` uses small pages. `np.ones`, of as many bytes,
allows huge pages, and shows how fast one thread gets and writes them.
"""

import os
import pathlib
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# The allocator that TensorFlow uses with oneDNN keeps freed memory, so that none would be new.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import numpy as np
import tensorflow as tf

import tf_vsinit

SETTING = pathlib.Path("/sys/kernel/mm/transparent_hugepage/enabled")
EXTENT = 8192
ROUNDS = 11
DRAWS = {"he_normal": tf_vsinit.HeNormal(seed=1), "glorot_uniform": tf_vsinit.GlorotUniform(seed=1)}


def main() -> None:
    """Prints a table in Markdown."""
    print(
        "| draw | dtype | small pages | huge pages | ratio | tf.fill | np.ones |\n"
        "|---|---|--:|--:|--:|--:|--:|"
    )
    (before,) = (word.strip("[]") for word in SETTING.read_text().split() if "[" in word)
    try:
        for name, draw in DRAWS.items():
            for dtype in ("float32", "float64", "bfloat16", "float16"):
                small, huge, fill, ones = rates(draw, tf.as_dtype(dtype))
                cells = f"{small:.0f} | {huge:.0f} | {huge / small:.2f} | {fill:.0f} | {ones:.0f}"
                print(f"| {name} | {dtype} | {cells} |", flush=True)
    finally:
        SETTING.write_text(before)


def rates(draw: tf_vsinit.VarianceScaling, dtype: tf.DType) -> list[float]:
    """Returns million values per second: without huge pages, with them, tf.fill, np.ones."""
    one = tf.cast(1, dtype)
    calls = [
        ("never", lambda: draw([EXTENT, EXTENT], dtype)),
        ("madvise", lambda: draw([EXTENT, EXTENT], dtype)),
        ("madvise", lambda: tf.fill([EXTENT, EXTENT], one)),
        ("madvise", lambda: np.ones(EXTENT**2 * dtype.size, np.uint8)),
    ]
    seconds: list[list[float]] = [[] for _ in calls]
    for _ in range(ROUNDS):
        for (setting, call), times in zip(calls, seconds, strict=True):
            SETTING.write_text("madvise")
            np.ones(2**27)
            SETTING.write_text(setting)
            start = time.perf_counter()
            result = call()
            times.append(time.perf_counter() - start)
            del result
    return [EXTENT**2 / 1e6 / statistics.median(times) for times in seconds]


if __name__ == "__main__":
    main()
