"""A SavedModel whose initialisation XLA compiles draws the same bits in another process."""

import tempfile

import numpy as np
import tensorflow as tf
from absl.testing import absltest

import tf_vsinit
from tests.support import processes

LOADING_PROGRAM = """
import sys
import numpy as np
import tensorflow as tf
import tf_vsinit

tf_vsinit.load()
model = tf.saved_model.load(sys.argv[1])
for seed in ([1, 2], [-3, 2**40]):
    model.initialize(tf.constant(seed, tf.int64))
    np.save(f"{sys.argv[1]}/{seed[0]}.npy", model.weights.numpy())
    print(model.initialize._list_all_concrete_functions_for_serialization()[0]
          .function_def.attr["_XlaMustCompile"].b)
"""


class Model(tf.Module):
    """Draws a shard of a variable in compiled functions."""

    def __init__(self):
        super().__init__()
        self.weights = tf.Variable(tf.zeros([30, 20]))

    @tf.function(jit_compile=True, input_signature=[tf.TensorSpec([2], tf.int64)])
    def initialize(self, seed):
        self.weights.assign(self.rows(seed) * 0.5)

    @tf.function(jit_compile=True, input_signature=[tf.TensorSpec([2], tf.int64)])
    def rows(self, seed):
        return tf_vsinit.stateless_variance_scaling(
            [90, 20], seed, begin=[40, 0], size=[30, -1], mode="fan_avg"
        )


class SavedModelTest(absltest.TestCase):
    def test_a_fresh_process_draws_the_same_bits(self):
        with tempfile.TemporaryDirectory() as folder:
            tf.saved_model.save(Model(), folder)
            output = processes.output_of("-c", LOADING_PROGRAM, folder)
            self.assertEqual(output.split(), ["True", "True"])
            for seed in ([1, 2], [-3, 2**40]):
                whole = tf_vsinit.stateless_variance_scaling([90, 20], seed, mode="fan_avg")
                found = np.load(f"{folder}/{seed[0]}.npy")
                # Halving is exact.
                np.testing.assert_array_equal(found, whole[40:70] * 0.5)


if __name__ == "__main__":
    absltest.main()
