"""The tables of the TensorFlow stream: one set of numbers, and what they stand for."""

import re

import mpmath
from absl.testing import absltest

from tests.support.repository import ROOT


def table(name):
    """Returns the rows of a table in docs/tensorflow_stream_constants.txt."""
    text = (ROOT / "docs" / "tensorflow_stream_constants.txt").read_text()
    for section in text.split("\n\n"):
        title, *rows = section.strip().split("\n")
        if title == name:
            return [[float.fromhex(number) for number in row.split()] for row in rows]
    raise AssertionError(f"no table {name}")


class TensorFlowConstantsTest(absltest.TestCase):
    def test_the_header_has_the_same_numbers(self):
        header = (ROOT / "cc" / "stream" / "glibc_float64_tables.h").read_text()
        macros = header.split("#define TF_VSINIT_GLIBC_")[1:]
        self.assertLen(macros, 2)
        for macro in macros:
            name = macro.split("_ROWS")[0]
            rows = [
                [float.fromhex(number) for number in row.split(",")]
                for row in re.findall(r"\{(.*)\}", macro)
            ]
            self.assertEqual(rows, table(name))

    def test_logarithms_belong_to_their_reciprocals(self):
        rows = table("LOG64")
        self.assertLen(rows, 128)
        for row, (reciprocal, logarithm) in enumerate(rows):
            self.assertLess(abs(logarithm + mpmath.log(reciprocal)), 2.0**-60, row)

    def test_sines_and_cosines(self):
        rows = table("SINCOS64")
        self.assertLen(rows, 111)
        with mpmath.workdps(60):
            for k, (sine, sine_rest, cosine, cosine_rest) in enumerate(rows):
                for exact, high, rest in (
                    (mpmath.sin(mpmath.mpf(k) / 128), sine, sine_rest),
                    (mpmath.cos(mpmath.mpf(k) / 128), cosine, cosine_rest),
                ):
                    self.assertEqual(high, float(exact))
                    self.assertEqual(rest, float(exact - high))


if __name__ == "__main__":
    absltest.main()
