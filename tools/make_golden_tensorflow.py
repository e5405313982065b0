"""Writes the golden vectors of the TensorFlow stream, from the NumPy reference.

Run `python tools/make_golden_tensorflow.py` to rewrite `tests/golden/stream_tensorflow.txt`; with
`--check` nothing is written and the exit status says whether the file is up to date. The header of
the file describes its lines. `tests/stream/tensorflow_golden_test.py` compares them with
TensorFlow.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

import make_golden
import numpy as np
from make_golden import bits_of, element_line, reference

PATH = make_golden.ROOT / "tests" / "golden" / "stream_tensorflow.txt"

HEADER = """\
# Golden vectors of the TensorFlow stream, which docs/tensorflow_stream.md defines.
#
# The lines are written as in stream_v1.txt, whose kinds "philox", "key", "round" and "scale" hold
# for both streams.
#
# pair TYPE WORDS = DEVIATES
#     The two normal deviates of a pair of words: 32 bits each for float32, 64 for float64. The
#     first word gives the radius, the second one the angle.
# element TYPE DISTRIBUTION FACTOR SEED0 SEED1 INDEX = VALUES
#     Elements of a stream from INDEX on. FACTOR is the float64 that is the limit of a uniform or
#     the standard deviation, before truncation, of a normal.
# op TYPE DISTRIBUTION MODE SCALE SEED0 SEED1 SHAPE BEGIN SIZE INPUT_AXES OUTPUT_AXES = VALUES
#     A box of a variable, row-major.
"""

# Where truncated normals of the seed (7, 0) need the words of a third block.
THIRD_BLOCK = {"float16": 671844, "bfloat16": 671844, "float32": 671844, "float64": 3114}
# The second makes float16 elements subnormal or zero. The last two become 1 in float16 and in
# bfloat16, because they are rounded to float32 on the way.
FACTORS = (0.05, 3.0e-6, 1.0 / 3.0, 1000.0, 1 + 2.0**-11 + 2.0**-30, 1 + 2.0**-8 + 2.0**-30)


def words_of_interest(bits: int) -> list[int]:
    """Mantissas at both ends, where quarters of a circle meet, and some in between."""
    top = 2**bits
    eighths = [top * eighth // 8 for eighth in range(9)]
    near = {word + step for word in eighths for step in (-2, -1, 0, 1, 2)}
    between = {top * k // 37 for k in range(37)} | {1 << shift for shift in range(bits)}
    return sorted(word for word in near | between if 0 <= word < top)


def pair_lines() -> Iterator[str]:
    """Yields the deviates of words with every radius and angle of interest."""
    for dtype, width, mantissa in (("float32", 32, 23), ("float64", 64, 52)):
        words = words_of_interest(mantissa)
        for place, radius_word in enumerate(words):
            # The bits above the mantissa do not count.
            pair = np.array([radius_word, words[(place * 31 + 7) % len(words)]], f"u{width // 8}")
            pair[place % 2] |= pair.dtype.type(2**width - 2**mantissa)
            deviates = np.array(reference.reference_tensorflow.box_muller(pair[:1], pair[1:]))
            yield f"pair {dtype} {' '.join(bits_of(pair))} = {' '.join(bits_of(deviates))}"


def element_lines() -> Iterator[str]:
    """Yields elements along streams."""
    place = 0
    for dtype in reference.DTYPES:
        for distribution in reference.DISTRIBUTIONS:
            for first, count in make_golden.INDICES:
                factor = FACTORS[place % len(FACTORS)]
                seed = make_golden.SEEDS[place % len(make_golden.SEEDS)]
                place += 1
                yield element_line(dtype, distribution, factor, seed, first, count, "tensorflow")
        third = THIRD_BLOCK[dtype]
        yield element_line(dtype, "truncated_normal", 1.0, (7, 0), third, 4, "tensorflow")


def render() -> str:
    """Returns the text of the file."""
    kinds = (pair_lines(), element_lines(), make_golden.op_lines("tensorflow"))
    return HEADER + "".join("\n" + "\n".join(lines) + "\n" for lines in kinds)


def main(argv: Sequence[str] | None = None) -> int:
    """Writes or checks the file; returns the exit status."""
    return make_golden.write_or_check(PATH, render(), __doc__, argv)


if __name__ == "__main__":
    sys.exit(main())
