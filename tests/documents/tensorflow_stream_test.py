"""The worked example of docs/tensorflow_stream.md gives the bits that it shows."""

import numpy as np
from absl.testing import absltest, parameterized

from tests.support import repository
from tests.support.bits import bits
from tf_vsinit import reference, reference_tensorflow


class WorkedExampleTest(parameterized.TestCase):
    DOCUMENT = (repository.ROOT / "docs" / "tensorflow_stream.md").read_text()

    def element(self, distribution, dtype):
        values = reference.stateless_variance_scaling(
            (300, 200),
            (7, 0),
            scale=2.0,
            begin=(0, 5),
            size=(1, 1),
            distribution=distribution,
            dtype=dtype,
            stream="tensorflow",
        )
        return f"{int(bits(values)[0, 0]):0{2 * values.itemsize}x}"

    @parameterized.parameters(*reference.DISTRIBUTIONS)
    def test_bits_of_the_element(self, distribution):
        row = " | ".join(self.element(distribution, dtype) for dtype in reference.DTYPES)
        self.assertIn(f"| {distribution.replace('_', ' ')} | {row} |", self.DOCUMENT)

    def test_steps_of_the_truncated_normal(self):
        block = reference.blocks(reference.stream_key((7, 0)), np.array([256], np.uint64))
        self.assertIn("| " + " ".join(f"{word:08x}" for word in block[0]) + " |", self.DOCUMENT)
        deviates = reference_tensorflow.box_muller(block[0, :1], block[0, 1:2])
        for deviate, text in zip(deviates, ("-0x1.73534p-1", "0x1.854da2p-1"), strict=True):
            self.assertEqual(deviate[0], np.float32(float.fromhex(text)))
            self.assertIn(text, self.DOCUMENT)
        self.assertIn(f"bits {self.element('truncated_normal', 'float32')} |", self.DOCUMENT)


if __name__ == "__main__":
    absltest.main()
