"""What the constructors refuse, before any call, and what their errors say."""

import functools
import math

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

import tf_vsinit
from tests.support import processes
from tests.support.initializer_names import CLASSES, NAMES
from tf_vsinit import reference
from tf_vsinit.compat import v1


class ScaleTest(parameterized.TestCase):
    @parameterized.product(
        make=(tf_vsinit.VarianceScaling, v1.VarianceScaling),
        scale=(math.nan, math.inf, 10**400, np.float32("inf"), 0.0),
    )
    def test_must_be_positive_and_finite(self, make, scale):
        with self.assertRaisesRegex(ValueError, "`scale` must be .*Received"):
            make(scale=scale)

    @parameterized.parameters(tf_vsinit.VarianceScaling, v1.VarianceScaling)
    def test_may_be_any_real_number(self, make):
        for scale in (2, True, np.float32(2), np.array(2.0), tf.constant(2.0)):
            initializer = make(scale=scale)
            self.assertIs(initializer.scale, scale)
            self.assertEqual(initializer.get_config()["scale"], scale)
            self.assertEqual(initializer([2]).shape, [2])


class SeedTest(parameterized.TestCase):
    @parameterized.product(name=NAMES, seed=(2**63, -(2**63) - 1, True))
    def test_must_be_an_integer_of_64_bits(self, name, seed):
        with self.assertRaises(ValueError) as caught:
            getattr(tf_vsinit, name)(seed=seed)
        message = str(caught.exception)
        self.assertIn("Argument `seed` must be an integer of 64 bits", message)
        self.assertEndsWith(message, f"Received: seed={seed}")

    def test_may_be_any_of_64_bits(self):
        for seed in (2**63 - 1, -(2**63)):
            self.assertEqual(tf_vsinit.HeNormal(seed=seed)([2]).shape, [2])

    def test_numpy_bools_are_refused(self):
        with self.assertRaisesRegex(ValueError, "`seed` .*True"):
            tf_vsinit.HeNormal(seed=np.True_)

    def test_bools_are_integers_in_compat_v1_as_in_tensorflow(self):
        expected = v1.HeNormal(seed=1)
        for seed in (True, np.True_):
            with tf.Graph().as_default(), tf.compat.v1.Session() as session:
                np.testing.assert_array_equal(
                    *session.run([v1.HeNormal(seed=seed)([9]), expected([9])])
                )


class StreamTest(parameterized.TestCase):
    """`stream` of every constructor, function and config."""

    @parameterized.product(
        make=(
            *(getattr(tf_vsinit, name) for name in NAMES),
            *(getattr(v1, name) for name in NAMES),
            *(getattr(v1, name) for name in ("he_normal", "he_uniform")),
            *(getattr(v1, name) for name in ("lecun_normal", "lecun_uniform")),
            functools.partial(tf_vsinit.stateless_variance_scaling, [2], [1, 2]),
            functools.partial(reference.stateless_variance_scaling, [2], [1, 2]),
            *(getattr(tf_vsinit, name).from_config for name in CLASSES),
            *(getattr(v1, name).from_config for name in CLASSES),
        ),
        stream=(
            *("TensorFlow", "keras_3", "stock", None, 1, b"tensorflow", ["tensorflow"]),
            *(np.array("tensorflow"), np.array(["vsinit", "tensorflow"])),
        ),
    )
    def test_must_be_one_of_two(self, make, stream):
        is_from_config = getattr(make, "__name__", "") == "from_config"
        with self.assertRaises(ValueError) as caught:
            make(dict(stream=stream)) if is_from_config else make(stream=stream)
        message = str(caught.exception)
        self.assertRegex(message, r"`stream` must be one of .*vsinit.*tensorflow")
        self.assertIn(repr(stream), message)

    @parameterized.parameters(tf_vsinit, v1)
    def test_an_assigned_one_is_checked_at_the_call(self, module):
        initializer = module.HeNormal(seed=1)
        initializer.stream = "keras_3"
        with self.assertRaisesRegex(ValueError, "`stream` must be one of vsinit, tensorflow"):
            initializer([2, 3])


class TfKerasTest(absltest.TestCase):
    def test_the_same_holds_in_tf_keras(self):
        code = (
            "import math, numpy as np, tf_vsinit\n"
            "for arguments in (dict(scale=math.nan), dict(scale=math.inf), dict(scale=10**400),\n"
            "                  dict(seed=2**63), dict(seed=True), dict(seed=np.True_),\n"
            "                  dict(stream='stock'), dict(stream=None)):\n"
            "    try:\n"
            "        tf_vsinit.VarianceScaling(**arguments)\n"
            "    except ValueError as error:\n"
            "        (name, value), = arguments.items()\n"
            "        assert f'Argument `{name}` must be' in str(error), error\n"
            "        assert str(value)[:9] in str(error), error\n"
            "    else:\n"
            "        raise AssertionError(arguments)\n"
            "assert tf_vsinit.HeNormal(seed=np.int64(5))([2]).shape == [2]\n"
        )
        processes.output_of("-c", code, TF_USE_LEGACY_KERAS="1")


if __name__ == "__main__":
    absltest.main()
