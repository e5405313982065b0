"""The worked example of docs/stream.md gives the bits that it shows."""

import numpy as np
from absl.testing import absltest, parameterized

from tests.support import repository
from tests.support.bits import bits
from tf_vsinit import reference


class WorkedExampleTest(parameterized.TestCase):
    DOCUMENT = (repository.ROOT / "docs" / "stream.md").read_text()

    def element(self, **options):
        values = reference.stateless_variance_scaling(
            (300, 200), (7, 0), scale=2.0, begin=(0, 5), size=(1, 1), **options
        )
        return f"{int(bits(values)[0, 0]):0{2 * values.itemsize}x}"

    @parameterized.parameters(*reference.DISTRIBUTIONS)
    def test_bits_of_the_element(self, distribution):
        in_float32, in_float64 = (
            self.element(distribution=distribution, dtype=dtype) for dtype in ("float32", "float64")
        )
        name = distribution.replace("_", " ")
        self.assertIn(f"| {name} | {in_float32} | {in_float64} |", self.DOCUMENT)

    def test_steps_of_the_truncated_normal(self):
        key = reference.stream_key((7, 0))
        self.assertIn(" ".join(f"{word:08x}" for word in key), self.DOCUMENT)
        word = reference.words(key, np.array([5], np.uint64), np.float32)
        self.assertIn(f"| {int(word[0]):08x}, below 2^31", self.DOCUMENT)
        z = reference.standard_deviate("truncated_normal", word)
        self.assertIn(f"| -0x1.3da4fp-2 = {z[0]!s} |", self.DOCUMENT)
        self.assertEqual(z[0], np.float32(float.fromhex("-0x1.3da4fp-2")))
        sigma = reference.limit_or_stddev(2.0, "fan_in", 300, 200, "truncated_normal")
        self.assertIn(f"| {sigma.hex()} |", self.DOCUMENT)
        self.assertIn(f"bits {self.element()} |", self.DOCUMENT)
        self.assertIn(
            f"bits {self.element(dtype='float16')}, bits {self.element(dtype='bfloat16')} |",
            self.DOCUMENT,
        )


if __name__ == "__main__":
    absltest.main()
