"""The NumPy reference, the op and TensorFlow agree with the vectors of the TensorFlow stream."""

import collections

import numpy as np
import tensorflow as tf
from absl.testing import absltest

import tf_vsinit
from tests.support import golden, processes, repository
from tf_vsinit import reference, reference_tensorflow

# TensorFlow draws the elements up to this index: it has to draw all those before them as well.
LARGEST_INDEX = 2**20


def vectors(kind):
    return golden.vectors("stream_tensorflow.txt", kind)


def draw_with_tensorflow(count, seed, factor, distribution, dtype):
    seed = tf.constant(seed, tf.int64)
    if distribution == "uniform":
        return tf.random.stateless_uniform([count], seed, -factor, factor, dtype)
    if distribution == "truncated_normal":
        return tf.random.stateless_truncated_normal([count], seed, 0.0, factor, dtype)
    return tf.random.stateless_normal([count], seed, 0.0, factor, dtype)


class TensorFlowGoldenTest(absltest.TestCase):
    def test_reference_pairs(self):
        for arguments, results in vectors("pair"):
            words = [golden.word(field) for field in arguments[1:]]
            deviates = np.array(reference_tensorflow.box_muller(*words))
            self.assertEqual(golden.hexadecimal(deviates), results, arguments)

    def test_reference_elements(self):
        for arguments, results in vectors("element"):
            dtype, distribution, factor, seed0, seed1, first = arguments
            index = np.arange(len(results), dtype=np.uint64) + np.uint64(first)
            key = reference.stream_key((int(seed0), int(seed1)))
            values = reference.elements(
                key, index, golden.double(factor), distribution, dtype, "tensorflow"
            )
            self.assertEqual(golden.hexadecimal(values), results, arguments)

    def test_tensorflow_elements(self):
        checked = collections.Counter()
        for arguments, results in vectors("element"):
            dtype, distribution, factor, seed0, seed1, first = arguments
            if int(first) > LARGEST_INDEX:
                continue
            values = draw_with_tensorflow(
                int(first) + len(results),
                (int(seed0), int(seed1)),
                golden.double(factor),
                distribution,
                dtype,
            )
            self.assertEqual(golden.hexadecimal(values[int(first) :]), results, arguments)
            checked[dtype, distribution] += 1
        self.assertLen(checked, 12)

    def test_reference_boxes(self):
        self.check_boxes(reference.stateless_variance_scaling)

    def test_op_boxes(self):
        self.check_boxes(lambda **options: tf_vsinit.stateless_variance_scaling(**options).numpy())

    def check_boxes(self, draw):
        for arguments, results in vectors("op"):
            values = draw(**golden.draw_arguments(arguments), stream="tensorflow")
            self.assertEqual(golden.hexadecimal(values), results, arguments)

    def test_the_script_makes_the_committed_file(self):
        processes.output_of(repository.ROOT / "tools" / "make_golden_tensorflow.py", "--check")


if __name__ == "__main__":
    absltest.main()
