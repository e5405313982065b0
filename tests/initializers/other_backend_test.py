"""With another backend of Keras, the initializers give its arrays, with the same bits."""

import importlib.util
import pathlib
import tempfile
import unittest

import numpy as np
from absl.testing import absltest

import tf_vsinit
from tests.support import bits, processes

# Building a model within `fit` calls the initializer while JAX traces.
PROGRAM = """
import sys

import keras
import numpy as np

import tf_vsinit

initializer = tf_vsinit.HeNormal(seed=1)
values = initializer((4, 3))
dense = keras.layers.Dense(3, kernel_initializer=initializer)
model = keras.Sequential([dense, keras.layers.Lambda(lambda x: 0 * x)])
model.compile(optimizer="sgd", loss="mse")
model.fit(np.ones((2, 4)), np.ones((2, 3)), verbose=0)
half = keras.layers.Dense(3, kernel_initializer=initializer, dtype="bfloat16")
half.build((None, 4))
print(type(values) is type(keras.ops.ones(())))
np.savez(
    sys.argv[1], values=values, kernel=dense.kernel.value, half=half.kernel.value.astype("float32")
)
"""


@unittest.skipUnless(importlib.util.find_spec("jax"), "needs jax, which is for Python from 3.11 on")
class OtherBackendTest(absltest.TestCase):
    def test_jax(self):
        file = pathlib.Path(self.enter_context(tempfile.TemporaryDirectory())) / "values.npz"
        output = processes.output_of("-c", PROGRAM, file, KERAS_BACKEND="jax")
        self.assertEqual(output.split(), ["True"])
        wanted = tf_vsinit.HeNormal(seed=1)((4, 3))
        found = np.load(file)
        bits.assert_same_bits(found["values"], wanted)
        bits.assert_same_bits(found["kernel"], wanted)
        half = tf_vsinit.HeNormal(seed=1)((4, 3), "bfloat16").numpy()
        bits.assert_same_bits(found["half"], half.astype(np.float32))


if __name__ == "__main__":
    absltest.main()
