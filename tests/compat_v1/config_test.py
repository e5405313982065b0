"""The initializers of tf_vsinit.compat.v1 have the configs of tf.compat.v1, and survive copying."""

import copy
import pickle

import tensorflow as tf
from absl.testing import absltest, parameterized

from tests.support import legacy_keras
from tests.support.bits import assert_same_bits
from tests.support.initializer_names import CLASSES
from tf_vsinit.compat import v1

tf1 = tf.compat.v1

STREAMS = ("vsinit", "tensorflow")
FUNCTIONS = ("he_normal", "he_uniform", "lecun_normal", "lecun_uniform")
NAMES = ("VarianceScaling", *CLASSES, *FUNCTIONS)


def setUpModule():
    # Another test in this process may have set a global seed.
    tf.random.set_seed(None)


class ConfigTest(parameterized.TestCase):
    @parameterized.parameters(
        ("variance_scaling", {}),
        ("variance_scaling", dict(scale=0.5, mode="fan_out", distribution="UNIFORM", seed=4)),
        ("variance_scaling", dict(distribution="normal", dtype=tf.float64)),
        ("glorot_normal", dict(seed=5)),
        ("glorot_uniform", {}),
        *((name, dict(seed=6)) for name in FUNCTIONS),
    )
    def test_config_is_that_of_tensorflow(self, name, arguments):
        ours = getattr(v1.initializers, name)(**arguments)
        theirs = getattr(tf1.initializers, name)(**arguments)
        self.assertEqual(ours.get_config(), theirs.get_config())
        self.assertIn("dtype", ours.get_config())

    @parameterized.product(
        name=("VarianceScaling", "GlorotNormal", "GlorotUniform"), dtype=(tf.float16, "float64")
    )
    def test_config_keeps_the_dtype(self, name, dtype):
        config = getattr(v1, name)(seed=2, dtype=dtype).get_config()
        self.assertEqual(config["dtype"], tf.as_dtype(dtype).name)
        again = getattr(v1, name).from_config(config)
        self.assertEqual(again([3, 2]).dtype, dtype)

    @parameterized.product(name=NAMES, stream=STREAMS)
    def test_an_initializer_comes_back_from_its_config_and_as_a_copy(self, name, stream):
        initializer = getattr(v1, name)(seed=7, stream=stream)
        for again in (
            type(initializer).from_config(initializer.get_config()),
            pickle.loads(pickle.dumps(initializer)),
            copy.deepcopy(initializer),
        ):
            self.assertIs(type(again), type(initializer))
            self.assertEqual(again.get_config(), initializer.get_config())
            assert_same_bits(again([9, 5]), initializer([9, 5]))

    @parameterized.parameters(*NAMES)
    def test_config_has_the_stream_only_if_it_is_not_the_default(self, name):
        config = getattr(v1, name)(seed=7).get_config()
        self.assertNotIn("stream", config)
        self.assertEqual(getattr(v1, name)(seed=7, stream="vsinit").get_config(), config)
        self.assertEqual(
            getattr(v1, name)(seed=7, stream="tensorflow").get_config(),
            {**config, "stream": "tensorflow"},
        )

    @parameterized.parameters(*NAMES)
    def test_an_object_pickled_before_there_were_streams_has_stream_version_1(self, name):
        initializer = getattr(v1, name)(seed=7)
        del initializer.__dict__["stream"]
        again = pickle.loads(pickle.dumps(initializer))
        expected = getattr(v1, name)(seed=7)
        self.assertEqual(again.get_config(), expected.get_config())
        assert_same_bits(again([9, 5]), expected([9, 5]))

    @parameterized.product(name=tuple(CLASSES), stream=STREAMS)
    def test_keras_saves_and_loads_our_classes_as_ours(self, name, stream):
        initializer = getattr(v1, name)(seed=7, stream=stream)
        again = tf.keras.initializers.deserialize(tf.keras.initializers.serialize(initializer))
        self.assertIs(type(again), type(initializer))
        self.assertEqual(again.get_config(), initializer.get_config())


class LegacyKerasTest(legacy_keras.LegacyKerasTest):
    """Runs this file with tf_keras."""


if __name__ == "__main__":
    absltest.main()
