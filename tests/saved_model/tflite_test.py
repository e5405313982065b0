"""The TFLite converter puts the values of a seeded draw into the model."""

import pathlib
import tempfile

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

import tf_vsinit


class TFLiteTest(parameterized.TestCase):
    # The larger result, 4 MiB, is one that Grappler does not fold.
    @parameterized.parameters(16, 1024)
    def test_a_converted_model_holds_the_values(self, units):
        class Model(tf.Module):
            @tf.function(input_signature=[tf.TensorSpec([1, units])])
            def __call__(self, inputs):
                return inputs @ tf_vsinit.HeNormal(seed=1)((units, units))

        model = Model()
        directory = self.enter_context(tempfile.TemporaryDirectory())
        path = pathlib.Path(directory) / "model"
        tf.saved_model.save(model, str(path), signatures=model.__call__)
        converted = tf.lite.TFLiteConverter.from_saved_model(str(path)).convert()
        self.assertGreater(len(converted), 4 * units * units)

        interpreter = tf.lite.Interpreter(model_content=converted)
        interpreter.allocate_tensors()
        values = tf_vsinit.HeNormal(seed=1)((units, units)).numpy()
        for row in (0, units - 1):
            one_hot = np.eye(units, dtype=np.float32)[row : row + 1]
            interpreter.set_tensor(interpreter.get_input_details()[0]["index"], one_hot)
            interpreter.invoke()
            output = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
            np.testing.assert_array_equal(output[0], values[row])


if __name__ == "__main__":
    absltest.main()
