"""The Keras initializers against the stock ones of the same names, with Keras 3 and tf_keras."""

import copy
import functools
import inspect
import itertools
import pickle
import warnings

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized
from tensorflow.python.util import tf_inspect

import tf_vsinit
from tests.support import legacy_keras
from tests.support.bits import assert_same_bits, same_bits
from tests.support.initializer_names import CLASSES, NAMES, SNAKE_NAMES

LEGACY = legacy_keras.IN_USE
stock = tf.keras.initializers

UNIFORMS = ("GlorotUniform", "HeUniform", "LecunUniform")
OPTIONS = {
    name: dict(zip(("scale", "mode", "distribution"), meaning, strict=True))
    for name, meaning in {**CLASSES, "VarianceScaling": (1.0, "fan_in", "truncated_normal")}.items()
}
STREAMS = ("vsinit", "tensorflow")
SHAPES = ((), (5,), (64, 32), (3, 3, 16, 8), (0, 3))


def ours(name, *args, **kwargs):
    return getattr(tf_vsinit, name)(*args, **kwargs)


def stocks(name, *args, **kwargs):
    return getattr(stock, name)(*args, **kwargs)


class ValuesTest(parameterized.TestCase):
    @parameterized.parameters(itertools.product(UNIFORMS, SHAPES, (0, 7, 123456789)))
    def test_float32_uniforms_have_the_stock_bits(self, name, shape, seed):
        assert_same_bits(ours(name, seed=seed)(shape), stocks(name, seed=seed)(shape))

    @parameterized.parameters(itertools.product(NAMES, (7, -1, 2**31, 2**40 + 3, -(2**63))))
    def test_int_seed_s_means_the_pair_s_0(self, name, seed):
        drawn = tf_vsinit.stateless_variance_scaling([4, 5, 6], [seed, 0], **OPTIONS[name])
        assert_same_bits(ours(name, seed=seed)([4, 5, 6]), drawn)

    @parameterized.parameters(-1, 2**31 - 3, 2**31 - 2, 2**31, 2**40 + 3)
    def test_seeds_that_keras_3_reduces_are_not_reduced(self, seed):
        # Keras 3 takes seeds modulo 2^31 - 2. tf_keras and tf_vsinit use all 64 bits.
        reduced = seed if LEGACY else seed % (2**31 - 2)
        expected = stock.GlorotUniform(seed=seed)([8, 8])
        assert_same_bits(tf_vsinit.GlorotUniform(seed=reduced)([8, 8]), expected)

    @parameterized.parameters("float16", "bfloat16", "float32", "float64")
    def test_every_form_of_dtype_is_accepted(self, dtype):
        initializer = tf_vsinit.HeNormal(seed=1)
        for spelling in (dtype, tf.as_dtype(dtype), tf.as_dtype(dtype).as_numpy_dtype):
            self.assertEqual(initializer([4, 4], dtype=spelling).dtype, dtype)
            self.assertEqual(initializer([4, 4], spelling).dtype, dtype)

    def test_dtype_none_means_floatx(self):
        initializer = tf_vsinit.HeNormal(seed=1)
        self.assertEqual(initializer([4]).dtype, tf.float32)
        tf.keras.backend.set_floatx("float64")
        self.addCleanup(tf.keras.backend.set_floatx, "float32")
        self.assertEqual(initializer([4]).dtype, tf.float64)
        assert_same_bits(initializer([4]), initializer([4], "float64"))

    @parameterized.parameters(tf.int32, "int64", tf.bool, tf.complex64, tf.string, "quux", int)
    def test_an_error_names_a_dtype_that_is_not_floating_point(self, dtype):
        with self.assertRaises(ValueError) as caught:
            tf_vsinit.HeNormal(seed=1)([4], dtype=dtype)
        self.assertIn("`dtype`", str(caught.exception))
        self.assertIn(repr(dtype), str(caught.exception))


class SeedTest(parameterized.TestCase):
    @parameterized.parameters(*NAMES)
    def test_an_int_seed_gives_the_same_values_at_every_call(self, name):
        initializer = ours(name, seed=3)
        first = initializer([8, 8])
        assert_same_bits(initializer([8, 8]), first)
        assert_same_bits(ours(name, seed=3)([8, 8]), first)
        self.assertFalse(same_bits(ours(name, seed=4)([8, 8]), first))

    @parameterized.parameters(*NAMES)
    def test_seed_none_is_drawn_once_for_each_object(self, name):
        initializer = ours(name)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # tf_keras warns at the second call.
            assert_same_bits(initializer([8, 8]), initializer([8, 8]))
        self.assertFalse(same_bits(ours(name)([8, 8]), ours(name)([8, 8])))

    @parameterized.parameters(*UNIFORMS)
    def test_seed_none_is_drawn_when_stock_draws_it(self, name):
        drawn = []
        for make in (ours, stocks):
            tf.keras.utils.set_random_seed(1)
            first, second = make(name), make(name)
            tf.keras.utils.set_random_seed(2)
            drawn.append([second([8]), first([8])])
        for found, expected in zip(*drawn, strict=True):
            assert_same_bits(found, expected)
        self.assertFalse(same_bits(*drawn[0]))

    @parameterized.parameters(*UNIFORMS)
    def test_seed_none_is_drawn_from_the_source_that_keras_uses(self, name):
        tf.keras.utils.set_random_seed(11)
        drawn = ours(name)([8, 8]), ours(name)([8, 8])
        tf.keras.utils.set_random_seed(11)
        expected = stocks(name)([8, 8]), stocks(name)([8, 8])
        assert_same_bits(drawn[0], expected[0])
        assert_same_bits(drawn[1], expected[1])

    def test_an_error_names_a_seed_beyond_64_bits(self):
        with self.assertRaisesRegex(ValueError, "`seed`.*18446744073709551616"):
            tf_vsinit.HeNormal(seed=2**64)([4])

    @parameterized.parameters("7", 1.5, ([1, 2],))
    def test_an_error_names_a_seed_of_a_wrong_type(self, seed):
        with self.assertRaises(ValueError) as caught:
            tf_vsinit.HeNormal(seed=seed)
        self.assertIn("`seed`", str(caught.exception))
        self.assertIn(str(seed), str(caught.exception))

    @absltest.skipUnless(LEGACY, "Keras 3 refuses NumPy integers as seeds")
    def test_a_seed_may_be_a_numpy_integer(self):
        assert_same_bits(tf_vsinit.HeNormal(seed=np.int64(7))([4]), tf_vsinit.HeNormal(seed=7)([4]))

    @absltest.skipUnless(LEGACY, "Keras 3 gives no such warning")
    def test_a_second_call_without_a_seed_warns_as_stock_does(self):
        for make in (ours, stocks):
            initializer = make("HeUniform")
            initializer([4])
            with self.assertWarnsRegex(UserWarning, "HeUniform is unseeded"):
                initializer([4])
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            seeded = tf_vsinit.HeUniform(seed=1)
            seeded([4])
            seeded([4])
            sharded = tf_vsinit.HeUniform()
            for row in range(4):
                sharded([4, 2], partition_shape=(1, 2), partition_offset=(row, 0))

    @absltest.skipIf(LEGACY, "tf_keras has no SeedGenerator")
    def test_seed_generator_gives_its_next_seed_at_every_call(self):
        initializer = tf_vsinit.GlorotUniform(seed=tf.keras.random.SeedGenerator(5))
        twin = stock.GlorotUniform(seed=tf.keras.random.SeedGenerator(5))
        drawn = [initializer([8, 8]) for _ in range(3)]
        for ours_, stocks_ in zip(drawn, [twin([8, 8]) for _ in range(3)], strict=True):
            assert_same_bits(ours_, stocks_)
        self.assertFalse(same_bits(drawn[0], drawn[1]))
        self.assertFalse(same_bits(drawn[1], drawn[2]))

    @absltest.skipIf(LEGACY, "tf_keras has no SeedGenerator")
    def test_seed_generator_advances_in_a_function(self):
        initializer = tf_vsinit.HeNormal(seed=tf.keras.random.SeedGenerator(5))
        step = tf.function(lambda: initializer([8]))
        drawn = [step() for _ in range(3)]
        twin = tf_vsinit.HeNormal(seed=tf.keras.random.SeedGenerator(5))
        for values in drawn:
            assert_same_bits(values, twin([8]))

    @absltest.skipIf(LEGACY, "tf_keras has no SeedGenerator")
    def test_seed_generators_survive_serialisation(self):
        initializer = tf_vsinit.HeNormal(seed=tf.keras.random.SeedGenerator(5))
        revived = stock.deserialize(stock.serialize(initializer))
        self.assertIsInstance(revived.seed, tf.keras.random.SeedGenerator)
        assert_same_bits(revived([8]), initializer([8]))


class DropInTest(parameterized.TestCase):
    @parameterized.parameters(*NAMES)
    def test_is_an_instance_of_the_stock_class_of_its_name(self, name):
        initializer = ours(name)
        for cls in ("Initializer", "VarianceScaling", name):
            self.assertIsInstance(initializer, getattr(stock, cls))
        self.assertIsInstance(initializer, tf_vsinit.VarianceScaling)

    @parameterized.parameters(*NAMES)
    def test_snake_case_name_is_the_class(self, name):
        self.assertIs(getattr(tf_vsinit, SNAKE_NAMES[name]), getattr(tf_vsinit, name))

    @parameterized.parameters(*NAMES)
    def test_constructor_has_the_stock_signature_and_the_keyword_stream(self, name):
        signature = inspect.signature(getattr(tf_vsinit, name))
        *others, stream = signature.parameters.values()
        self.assertEqual(
            signature.replace(parameters=others), inspect.signature(getattr(stock, name))
        )
        self.assertEqual(
            (stream.name, stream.kind, stream.default), ("stream", stream.KEYWORD_ONLY, "vsinit")
        )

    @parameterized.parameters(*NAMES)
    def test_call_has_the_signature_that_tf_distribute_asks_for(self, name):
        # tf.distribute looks at the signature of an initializer with bound shape and dtype.
        bound = functools.partial(ours(name, seed=1), [8, 6], dtype=tf.float32)
        self.assertIn("partition_shape", tf_inspect.getfullargspec(bound).kwonlyargs)
        part = bound(partition_shape=(2, 6), partition_offset=(3, 0))
        assert_same_bits(part, bound()[3:5])
        arguments = list(inspect.signature(ours(name, seed=1)).parameters)
        self.assertEqual(arguments[:3], ["shape", "dtype", "layout"])

    @parameterized.parameters(*NAMES)
    def test_defaults_are_those_of_stock_and_the_papers(self, name):
        initializer, twin = ours(name), stocks(name)
        for attribute, value in OPTIONS[name].items():
            self.assertEqual(getattr(initializer, attribute), value)
            self.assertEqual(getattr(twin, attribute), value)
        self.assertEqual(initializer.get_config(), twin.get_config())

    @parameterized.parameters(*NAMES)
    def test_config_equals_the_stock_config(self, name):
        kwargs = dict(seed=5)
        if legacy_keras.HAS_AXES:
            kwargs.update(input_axes=[0], output_axes=[1, 2])
        if name == "VarianceScaling":
            kwargs.update(scale=3, mode="fan_out", distribution="Normal")
        config = stocks(name, **kwargs).get_config()
        self.assertEqual(ours(name, **kwargs).get_config(), config)
        self.assertEqual(ours(name, **kwargs, stream="vsinit").get_config(), config)
        self.assertEqual(
            ours(name, **kwargs, stream="tensorflow").get_config(),
            {**config, "stream": "tensorflow"},
        )

    @parameterized.parameters(
        dict(scale=0.0),
        dict(scale=-1),
        dict(mode="fan_max"),
        dict(mode=None),
        dict(mode="fan_geo_avg"),
        dict(distribution="cauchy"),
        dict(distribution=None),
        dict(scale=None),
        dict(wrong=1),
    )
    def test_the_constructor_raises_the_errors_of_stock(self, **kwargs):
        with self.assertRaises(Exception) as expected:  # noqa: B017  (the errors of stock differ in type)
            stock.VarianceScaling(**kwargs)
        with self.assertRaises(type(expected.exception)) as caught:
            tf_vsinit.VarianceScaling(**kwargs)
        self.assertEqual(
            str(caught.exception),
            str(expected.exception),
        )

    @parameterized.parameters("fan_in", "fan_out", "fan_avg")
    def test_variance_scaling_takes_every_mode(self, mode):
        initializer = tf_vsinit.VarianceScaling(3.0, mode, "uniform", 5)
        twin = stock.VarianceScaling(3.0, mode, "uniform", 5)
        assert_same_bits(initializer([3, 5, 7]), twin([3, 5, 7]))

    def test_normal_means_truncated_normal_in_any_case(self):
        initializer = tf_vsinit.VarianceScaling(distribution="Normal", seed=1)
        self.assertEqual(initializer.distribution, "truncated_normal")
        assert_same_bits(initializer([64]), tf_vsinit.VarianceScaling(seed=1)([64]))

    def test_an_error_names_an_unknown_keyword(self):
        # Stock raises a TypeError. Other bad arguments raise a ValueError here.
        for error in (TypeError, ValueError):
            with self.assertRaisesRegex(error, "Argument `colour` is not known.*colour='red'"):
                tf_vsinit.HeNormal(seed=1)([4], colour="red")

    def test_a_subclass_can_change_the_scale(self):
        class Tenth(tf_vsinit.HeNormal):
            def __init__(self, seed=None):
                super().__init__(seed=seed)
                self.scale = 0.2

        drawn = tf_vsinit.stateless_variance_scaling([9, 9], [1, 0], scale=0.2)
        assert_same_bits(Tenth(seed=1)([9, 9]), drawn)


class AxesTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        if not legacy_keras.HAS_AXES:
            self.skipTest("this Keras has no axes")

    @parameterized.parameters(
        dict(input_axes=[0], output_axes=[1, 2]),
        dict(input_axes=(1,), output_axes=(0,)),
        dict(input_axes=[-1], output_axes=[-2]),
        dict(input_axes=[], output_axes=[2]),
        dict(input_axes=[], output_axes=[]),
        dict(input_axes=[0], output_axes=None),
        dict(input_axes=None, output_axes=[0]),
    )
    def test_fans_from_axes_are_those_of_stock(self, **axes):
        for name, kwargs in (
            *((name, {}) for name in UNIFORMS),
            ("HeNormal", dict(stream="tensorflow")),
            ("GlorotUniform", dict(stream="tensorflow")),
        ):
            expected = stocks(name, seed=5, **axes)([4, 3, 5])
            assert_same_bits(ours(name, seed=5, **axes, **kwargs)([4, 3, 5]), expected)

    def test_an_error_names_an_axis_outside_the_shape(self):
        with self.assertRaisesRegex(ValueError, r"`input_axes`.*\[3\]"):
            tf_vsinit.HeNormal(seed=1, input_axes=[3], output_axes=[0])([4, 3, 5])


class PartitionTest(parameterized.TestCase):
    @parameterized.parameters(itertools.product(NAMES, ((8, 6), (3, 4, 6))))
    def test_partitions_join_to_the_whole(self, name, shape):
        initializer = ours(name, seed=2)
        whole = initializer(shape)
        for axis, extent in enumerate(shape):
            parts = []
            for offset in range(0, extent, 2):
                part_shape, part_offset = list(shape), [0] * len(shape)
                part_shape[axis], part_offset[axis] = min(2, extent - offset), offset
                parts.append(
                    initializer(
                        tf.TensorShape(shape),
                        partition_shape=tuple(part_shape),
                        partition_offset=tuple(part_offset),
                    )
                )
            assert_same_bits(tf.concat(parts, axis), whole)

    @parameterized.named_parameters(
        ("offset_alone", dict(partition_offset=(0, 0)), "partition_shape"),
        ("shape_alone", dict(partition_shape=(2, 6)), "partition_offset"),
        ("rank", dict(partition_shape=(2,), partition_offset=(0,)), r"\[2\]|\[0\]"),
        ("outside", dict(partition_shape=(4, 6), partition_offset=(5, 0)), r"\[4, 6\]"),
        ("begins_outside", dict(partition_shape=(1, 6), partition_offset=(9, 0)), r"\[9, 0\]"),
        ("negative", dict(partition_shape=(1, 6), partition_offset=(-1, 0)), r"\[-1, 0\]"),
    )
    def test_an_error_names_a_bad_partition(self, partition, named):
        with self.assertRaisesRegex(ValueError, named):
            tf_vsinit.HeNormal(seed=1)((8, 6), **partition)

    def test_layout_none_is_ignored_and_others_must_be_layouts(self):
        initializer = tf_vsinit.HeNormal(seed=1)
        assert_same_bits(initializer([4, 4], layout=None), initializer([4, 4]))
        with self.assertRaisesRegex(ValueError, "`layout`.*'sharded'"):
            initializer([4, 4], layout="sharded")


class SerialisationTest(parameterized.TestCase):
    @parameterized.product(name=NAMES, stream=STREAMS)
    def test_every_round_trip_keeps_config_and_values(self, name, stream):
        initializer = ours(name, seed=9, stream=stream)
        for revived in (
            type(initializer).from_config(initializer.get_config()),
            initializer.clone(),
            stock.deserialize(stock.serialize(initializer)),
            stock.get(stock.serialize(initializer)),
            tf.keras.utils.deserialize_keras_object(
                tf.keras.utils.serialize_keras_object(initializer)
            ),
            pickle.loads(pickle.dumps(initializer)),
            copy.copy(initializer),
            copy.deepcopy(initializer),
        ):
            self.assertIs(type(revived), type(initializer))
            self.assertEqual(revived.get_config(), initializer.get_config())
            assert_same_bits(revived([8, 8]), initializer([8, 8]))

    @parameterized.parameters(*NAMES)
    def test_an_object_pickled_before_there_were_streams_has_stream_version_1(self, name):
        initializer = ours(name, seed=9)
        del initializer.__dict__["stream"]
        revived = pickle.loads(pickle.dumps(initializer))
        self.assertEqual(revived.get_config(), ours(name, seed=9).get_config())
        assert_same_bits(revived([8, 8]), ours(name, seed=9)([8, 8]))

    @parameterized.parameters(*NAMES)
    def test_classes_are_registered_under_tf_vsinit(self, name):
        cls = getattr(tf_vsinit, name)
        registered = f"tf_vsinit>{name}"
        self.assertEqual(tf.keras.utils.get_registered_name(cls), registered)
        self.assertIs(tf.keras.utils.get_registered_object(registered), cls)
        self.assertEqual(stock.serialize(cls(seed=1))["registered_name"], registered)

    @parameterized.parameters(*NAMES)
    def test_get_finds_objects_classes_and_registered_names(self, name):
        cls = getattr(tf_vsinit, name)
        initializer = cls(seed=1)
        self.assertIs(stock.get(initializer), initializer)
        self.assertIs(type(stock.get(cls)), cls)
        self.assertIs(type(stock.get(f"tf_vsinit>{name}")), cls)
        revived = stock.get({"class_name": f"tf_vsinit>{name}", "config": {"seed": 1}})
        self.assertIs(type(revived), cls)
        assert_same_bits(revived([4]), initializer([4]))

    @parameterized.parameters(*NAMES)
    def test_stock_names_still_give_the_stock_classes(self, name):
        for identifier in (name, SNAKE_NAMES[name]):
            self.assertIs(type(stock.get(identifier)), getattr(stock, name))

    def test_copies_of_an_unseeded_object_have_its_values_and_clones_have_their_own(self):
        initializer = tf_vsinit.HeNormal()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # tf_keras warns at the second call.
            values = initializer([8])
            assert_same_bits(copy.deepcopy(initializer)([8]), values)
            assert_same_bits(pickle.loads(pickle.dumps(initializer))([8]), values)
        self.assertFalse(same_bits(initializer.clone()([8]), values))


class LegacyKerasTest(legacy_keras.LegacyKerasTest):
    """Runs this file with tf_keras."""


if __name__ == "__main__":
    absltest.main()
