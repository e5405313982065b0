"""Writes tests/golden/checksums.txt: checksums of draws, which every backend has to match.

Run `.venv/bin/python tools/make_checksums.py` after `make build`. With `--check` nothing is
written and the exit status says whether the file is up to date.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import math
import pathlib
import struct
import sys
from collections.abc import Iterator, Sequence

import tensorflow as tf

import tf_vsinit

FILE = pathlib.Path(__file__).absolute().parent.parent / "tests" / "golden" / "checksums.txt"
HEADER = """\
# Checksums of draws, made on a CPU by tools/make_checksums.py.
#
# fill STREAM TYPE DISTRIBUTION FACTOR SEED0 SEED1 SHAPE BEGIN SIZE = SHA256
#     STREAM is the name of the stream, the other fields are as in stream_v1.txt; the checksum is of
#     the box's bytes, row-major and little-endian.
"""

STREAMS = ("vsinit", "tensorflow")
DTYPES = ("float16", "bfloat16", "float32", "float64")
DISTRIBUTIONS = ("truncated_normal", "untruncated_normal", "uniform")
SEED = (-5, 1 << 33)
# Shape, begin and size of each draw.
BOXES = (
    # More than all blocks of threads of a large card take in one turn.
    ([(1 << 24) + 13], [0], [(1 << 24) + 13]),
    # Off the blocks of the stream, and across a carry of its counter.
    ([1 << 40], [(1 << 34) - 70001], [200003]),
    # Columns: runs in step with the blocks of the stream, out of step, and short.
    ([2048, 4096], [5, 1024], [2000, 2048]),
    ([2048, 4099], [5, 1023], [2000, 2049]),
    ([1 << 18, 7], [1, 2], [(1 << 18) - 2, 3]),
    ([1 << 18, 12], [0, 11], [1 << 18, 1]),
    # Several axes, of which one is whole.
    ([9, 11, 16, 70], [2, 3, 0, 5], [6, 7, 16, 61]),
)


def fan_in(shape: Sequence[int]) -> int:
    """The op's fan_in of a shape."""
    return shape[0] if len(shape) == 1 else math.prod(shape[:-1])


def factor(distribution: str, shape: Sequence[int]) -> float:
    """The limit or standard deviation that the op takes for scale 1 and fan_in."""
    variance = 1.0 / fan_in(shape)
    if distribution == "uniform":
        return math.sqrt(3.0 * variance)
    return math.sqrt(variance) / (
        0.87962566103423978 if distribution == "truncated_normal" else 1.0
    )


def join(numbers: Sequence[int]) -> str:
    """A list as the golden files write it."""
    return ",".join(map(str, numbers))


def lines() -> Iterator[str]:
    """The lines of the file, without its header."""
    kinds = itertools.product(STREAMS, DTYPES, DISTRIBUTIONS, BOXES)
    for stream, dtype, distribution, (shape, begin, size) in kinds:
        with tf.device("/CPU:0"):
            values = tf_vsinit.stateless_variance_scaling(
                shape,
                SEED,
                distribution=distribution,
                dtype=tf.dtypes.as_dtype(dtype),
                begin=begin,
                size=size,
                stream=stream,
            )
        bits = struct.pack(">d", factor(distribution, shape)).hex()
        checksum = hashlib.sha256(values.numpy().tobytes()).hexdigest()
        yield (
            f"fill {stream} {dtype} {distribution} {bits} {SEED[0]} {SEED[1]}"
            f" {join(shape)} {join(begin)} {join(size)} = {checksum}"
        )


def main() -> int:
    """Writes or checks the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare only")
    check = parser.parse_args().check
    text = HEADER + "\n" + "\n".join(lines()) + "\n"
    if check:
        return int(not FILE.exists() or FILE.read_text() != text)
    FILE.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
