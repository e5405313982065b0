"""Writes the golden vectors of stream version 1, from the NumPy reference.

Run `python tools/make_golden.py` to rewrite `tests/golden/stream_v1.txt`; with `--check` nothing is
written and the exit status says whether the file is up to date. The header of the file describes
its lines.
"""

from __future__ import annotations

import argparse
import importlib
import pathlib
import struct
import sys
from collections.abc import Iterator, Sequence

import numpy as np

ROOT = pathlib.Path(__file__).absolute().parent.parent
PATH = ROOT / "tests" / "golden" / "stream_v1.txt"

# At the end of the path: no module beside the reference may hide one of Python's own.
sys.path.append(str(ROOT / "tf_vsinit"))
reference = importlib.import_module("reference")

HEADER = """\
# Golden vectors of tf_vsinit's stream version 1, which docs/stream.md defines.
#
# One vector to a line, fields separated by spaces: its kind, the arguments, "=", the results.
# Seeds, indices, counts and axes are decimal. All else that is a number is hexadecimal: the bits of
# an integer word or of an IEEE value, with as many digits as the type has. A list of integers is
# joined by commas; "-" is the empty list, and where both lists of axes are empty, none were given.
#
# philox C0 C1 C2 C3 K0 K1 = R0 R1 R2 R3
#     Philox4x32-10 of a counter (C0 lowest) and a key. The first three are the known answers in
#     Random123's kat_vectors.
# key SEED0 SEED1 = K0 K1 C2 C3
#     What a seed fixes: the Philox key and the high words of every counter. TensorFlow's
#     StatelessRandomGetKeyCounter returns them as key = K0 + 2^32 K1, counter = (0, C2 + 2^32 C3).
# deviate TYPE DISTRIBUTION WORD = DEVIATE
#     The standard deviate of a word: 32 bits for float32, 64 for float64.
# round TYPE FLOAT32 = ROUNDED
#     A float32 rounded to a 16-bit type.
# scale MODE DISTRIBUTION SCALE SHAPE INPUT_AXES OUTPUT_AXES = FAN_IN FAN_OUT FACTOR
#     Fans (decimal), and the float64 that is the limit of a uniform or the standard deviation,
#     before truncation, of a normal. SCALE is a float64.
# element TYPE DISTRIBUTION FACTOR SEED0 SEED1 INDEX = VALUES
#     Elements of a stream from INDEX on. FACTOR is a float64, as in "scale".
# op TYPE DISTRIBUTION MODE SCALE SEED0 SEED1 SHAPE BEGIN SIZE INPUT_AXES OUTPUT_AXES = VALUES
#     A box of a variable, row-major.
"""

# Counters and keys. A test compares the reference's answers with Random123's.
PHILOX_INPUTS = (
    ((0,) * 4, (0,) * 2),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2),
    ((0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344), (0xA4093822, 0x299F31D0)),
    ((1, 0, 0, 0), (0, 0)),
    ((0, 0, 0, 0x80000000), (0x80000000, 1)),
)
SEEDS = (
    (0, 0),
    (1, 0),
    (0, 1),
    (7, 0),
    (-1, 0),
    (-1, -1),
    (-(2**31), 2**31 - 1),
    (2**32, -(2**32)),
    (2**40 + 3, 2**33),
    (2**63 - 1, -(2**63)),
)
# First indices and counts: odd offsets, runs that pass 2^32 elements and 2^32 blocks (of two and of
# four elements), and runs that end near 2^63.
INDICES = (
    (0, 9),
    (13, 6),
    (2**31 - 3, 6),
    (2**32 - 3, 6),
    (2**33 - 3, 6),
    (2**34 - 5, 7),
    (2**50 + 12345, 5),
    (2**63 - 6, 5),
)
# From small to large; the second leads to float16 subnormals.
FACTORS = (0.05, 3.0e-6, 1.0 / 3.0, 1000.0)
# Limits of 16-bit uniforms: some that the dtype can hold and some that it cannot, next to powers of
# two, subnormal, below the smallest positive value, and the largest.
LIMITS = {
    "float16": (
        (0.5, 0.06**0.5, 0.5 + 2.0**-24, 0.5 - 2.0**-25, 2.0**-14, 3.0e-6, 2.0**-23, 2.0**-24)
        + (1.5 * 2.0**-24, 2.0**-25, 1.0e-30, 65504.0, 65503.0)
    ),
    "bfloat16": (
        (0.5, 0.06**0.5, 0.5 + 2.0**-24, 0.5 - 2.0**-25, 2.0**-126, 1.0e-39, 2.0**-132, 2.0**-133)
        + (1.5 * 2.0**-133, 2.0**-134, 2.0**-149, 2.0**126, 1.7e38)
    ),
}


def words_of_interest(bits: int) -> list[int]:
    """Returns words at the ends, in the middle, next to changes of formula, and in between."""
    top, half = 2**bits, 2 ** (bits - 1)
    lower = {0, 1, 2, 3, half - 1, half - 2, half - 3, half // 2, half // 3}
    lower |= {half >> shift for shift in range(bits)}
    # float64 changes from the central rational to the tail at 2 p = 0.15.
    switch = int(0.15 * half)
    lower |= {switch + step for step in (-2, -1, 0, 1, 2)}
    # float32 changes rows of the truncated table at 8 u^2 = row + 1/2.
    for row in range(1, 15):
        t = (((row + 0.5) / 8) ** 0.5 - 49 / 128) ** 0.5
        lower |= {int((1 - t) * half) + step * (half >> 24) for step in (-1, 0, 1)}
    return sorted(lower | {top - 1 - word for word in lower})


def bits_of(values: np.ndarray) -> list[str]:
    """Returns the bits of each value in hexadecimal."""
    width = values.dtype.itemsize
    return [f"{int(word):0{2 * width}x}" for word in values.ravel().view(f"u{width}")]


def double_bits(value: float) -> str:
    """Returns the bits of a float64 in hexadecimal."""
    return struct.pack(">d", value).hex()


def listed(integers: Sequence[int] | None) -> str:
    """Returns a list of integers as one field."""
    return ",".join(map(str, integers)) if integers else "-"


def philox_lines() -> Iterator[str]:
    """Yields Philox blocks of counters and keys."""
    for counter, key in PHILOX_INPUTS:
        drawn = reference.philox([np.array([word], np.uint32) for word in counter], key)
        arguments = " ".join(f"{word:08x}" for word in counter + key)
        yield f"philox {arguments} = {' '.join(bits_of(np.array(drawn)))}"


def key_lines() -> Iterator[str]:
    """Yields the keys of seeds."""
    for seed in SEEDS:
        words = " ".join(f"{word:08x}" for word in reference.stream_key(seed))
        yield f"key {seed[0]} {seed[1]} = {words}"


def deviate_lines() -> Iterator[str]:
    """Yields deviates of chosen words, which few seeds have near their start."""
    for dtype, bits in (("float32", 32), ("float64", 64)):
        words = np.array(words_of_interest(bits), f"u{bits // 8}")
        for distribution in reference.DISTRIBUTIONS:
            deviates = reference.standard_deviate(distribution, words)
            for word, deviate in zip(bits_of(words), bits_of(deviates), strict=True):
                yield f"deviate {dtype} {distribution} {word} = {deviate}"


def round_lines() -> Iterator[str]:
    """Yields roundings: ties, carries, subnormals, and values next to zero and infinity."""
    halves = [0.0, 2.0**-25, 2.0**-24, 1.5 * 2.0**-24, 2.5 * 2.0**-24, 2.0**-14, 1.0, 65504.0]
    halves += [1 + 2.0**-11, 1 + 3 * 2.0**-11, 2 - 2.0**-11, 65519.0, 65520.0, 2.0**-14 - 2.0**-25]
    brains = [0.0, 1.0, 1 + 2.0**-8, 1 + 3 * 2.0**-8, 2 - 2.0**-8, 2.0**-133, 2.0**-149, 3.0e38]
    for dtype, values in (("float16", halves), ("bfloat16", brains)):
        exact = np.array(values, np.float32)
        below = np.nextafter(exact, np.float32(-1))
        above = np.nextafter(exact, np.float32(np.inf))
        wide = np.concatenate([exact, below, above])
        wide = np.concatenate([wide, -wide])
        with np.errstate(over="ignore"):
            rounded = (
                wide.astype(np.float16) if dtype == "float16" else reference.round_to_bfloat16(wide)
            )
        for value, result in zip(bits_of(wide), bits_of(rounded), strict=True):
            yield f"round {dtype} {value} = {result}"


def scale_lines() -> Iterator[str]:
    """Yields fans and factors."""
    cases = (
        ((), None, None),
        ((5,), None, None),
        ((100, 77), None, None),
        ((3, 3, 16, 32), None, None),
        ((2, 3, 5, 7, 11), None, None),
        ((0, 4), None, None),
        ((64, 8, 32), (0,), (1, 2)),
        ((64, 8, 32), (-3, 1), (-1,)),
        ((64, 8, 32), (), (2,)),
        ((3037000499, 3037000499), None, None),
        ((2**62, 1), (0, 1), (0,)),
    )
    for shape, input_axes, output_axes in cases:
        fan_in, fan_out = reference.fans(shape, input_axes, output_axes)
        for mode in reference.MODES:
            for distribution in reference.DISTRIBUTIONS:
                scale = 0.1 if distribution == "uniform" else 2.0
                factor = reference.limit_or_stddev(scale, mode, fan_in, fan_out, distribution)
                yield (
                    f"scale {mode} {distribution} {double_bits(scale)} {listed(shape)} "
                    f"{listed(input_axes)} {listed(output_axes)} "
                    f"= {fan_in} {fan_out} {double_bits(factor)}"
                )


def element_lines() -> Iterator[str]:
    """Yields elements along streams."""
    place = 0
    for dtype in reference.DTYPES:
        for distribution in reference.DISTRIBUTIONS:
            for first, count in INDICES:
                factor = FACTORS[place % len(FACTORS)]
                seed = SEEDS[place % len(SEEDS)]
                place += 1
                yield element_line(dtype, distribution, factor, seed, first, count)


def element_line(
    dtype: str,
    distribution: str,
    factor: float,
    seed: tuple[int, int],
    first: int,
    count: int,
    stream: str = "vsinit",
) -> str:
    """Returns the line of `count` elements from the index `first` on."""
    index = np.arange(first, first + count, dtype=np.uint64)
    key = reference.stream_key(seed)
    values = reference.elements(key, index, factor, distribution, dtype, stream)
    return (
        f"element {dtype} {distribution} {double_bits(factor)} {seed[0]} {seed[1]} "
        f"{first} = {' '.join(bits_of(values))}"
    )


def range_lines() -> Iterator[str]:
    """Yields the elements next to both ends of 16-bit uniforms."""
    key = reference.stream_key(SEEDS[1])
    index = np.arange(2**16, dtype=np.uint64)
    deviate = reference.standard_deviate("uniform", reference.words(key, index, np.float32))
    for dtype, limits in LIMITS.items():
        for limit in limits:
            for first in (deviate.argmin(), deviate.argmax()):
                yield element_line(dtype, "uniform", limit, SEEDS[1], first, 3)


def op_lines(stream: str = "vsinit") -> Iterator[str]:
    """Yields boxes of variables: every mode, ranks 0 to 5, named axes, boxes far from the start."""
    cases = (
        ((), (), (), None, None),
        ((7,), (0,), (7,), None, None),
        ((64, 48), (61, 43), (3, 5), None, None),
        ((3, 3, 16, 32), (1, 0, 14, 3), (2, 2, 2, 3), None, None),
        ((64, 8, 32), (5, 2, 29), (2, 2, 3), (0,), (1, 2)),
        ((2, 3, 4, 5, 6), (1, 1, 1, 1, 1), (1, 2, 1, 2, 3), (-1, 0), (2,)),
        ((2**17, 2**18), (2**16 - 1, 2**18 - 3), (3, 3), None, None),
        ((2**10, 2**40), (1023, 2**40 - 7), (1, 7), None, None),
        ((12, 0), (4, 0), (3, 0), None, None),
    )
    place = 0
    for shape, begin, size, input_axes, output_axes in cases:
        for dtype in reference.DTYPES:
            for distribution in reference.DISTRIBUTIONS:
                mode = reference.MODES[place % len(reference.MODES)]
                seed = SEEDS[place % len(SEEDS)]
                scale = (1.0, 2.0, 0.37)[place % 3]
                place += 1
                values = reference.stateless_variance_scaling(
                    shape,
                    seed,
                    scale=scale,
                    mode=mode,
                    distribution=distribution,
                    dtype=dtype,
                    input_axes=input_axes,
                    output_axes=output_axes,
                    begin=begin,
                    size=size,
                    stream=stream,
                )
                line = (
                    f"op {dtype} {distribution} {mode} {double_bits(scale)} {seed[0]} {seed[1]} "
                    f"{listed(shape)} {listed(begin)} {listed(size)} {listed(input_axes)} "
                    f"{listed(output_axes)} = {' '.join(bits_of(values))}"
                )
                yield line.rstrip()


def render() -> str:
    """Returns the text of the file."""
    kinds = (
        philox_lines,
        key_lines,
        deviate_lines,
        round_lines,
        scale_lines,
        element_lines,
        range_lines,
        op_lines,
    )
    return HEADER + "".join("\n" + "\n".join(lines()) + "\n" for lines in kinds)


def write_or_check(
    path: pathlib.Path, text: str, description: str, argv: Sequence[str] | None
) -> int:
    """Writes or checks a file as the command line says; returns the exit status."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    arguments = parser.parse_args(argv)
    if not arguments.check:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return 0
    if path.read_text() == text:
        return 0
    print(f"{path.relative_to(ROOT)} differs from what this script computes")
    return 1


def main(argv: Sequence[str] | None = None) -> int:
    """Writes or checks the file; returns the exit status."""
    return write_or_check(PATH, render(), __doc__, argv)


if __name__ == "__main__":
    sys.exit(main())
