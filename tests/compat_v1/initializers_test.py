"""tf_vsinit.compat.v1 has the names, errors, warnings and seeds of tf.compat.v1."""

import concurrent.futures
import inspect
import itertools
import re

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized
from tensorflow.python.framework import config as tf_config
from tensorflow.python.ops import init_ops as stock
from tensorflow.python.util import deprecation

import tf_vsinit
from tests.support import legacy_keras, processes
from tests.support.bits import assert_same_bits, same_bits
from tests.support.initializer_names import CLASSES, SNAKE_NAMES
from tf_vsinit import reference
from tf_vsinit.compat import v1
from tf_vsinit.compat.v1 import seeds

tf1 = tf.compat.v1

FUNCTIONS = ("he_normal", "he_uniform", "lecun_normal", "lecun_uniform")
DTYPES = ("float16", "bfloat16", "float32", "float64")
DISTRIBUTIONS = ("truncated_normal", "untruncated_normal", "uniform", "normal")
MODES = ("fan_in", "fan_out", "fan_avg")
SHAPES = ((), (7,), (5, 3), (3, 3, 4, 6))

# Scale, mode and distribution of each name but VarianceScaling.
MEANINGS = {
    **CLASSES,
    **{SNAKE_NAMES[name]: meaning for name, meaning in CLASSES.items()},
    "glorot_normal_initializer": CLASSES["GlorotNormal"],
    "glorot_uniform_initializer": CLASSES["GlorotUniform"],
}


def setUpModule():
    # Another test in this process may have set a global seed.
    tf.random.set_seed(None)


def is_ours(name, value):
    """Says whether a name of TensorFlow is a variance-scaling initializer."""
    is_class = inspect.isclass(value) and issubclass(value, stock.VarianceScaling)
    return is_class or name in FUNCTIONS


def parameters(function):
    """Returns the name and the default of each parameter that can be positional."""
    return [
        (p.name, p.default)
        for p in inspect.signature(function).parameters.values()
        if p.kind == p.POSITIONAL_OR_KEYWORD
    ]


def keywords(function):
    """Returns the default of each keyword-only parameter."""
    return {
        p.name: p.default
        for p in inspect.signature(function).parameters.values()
        if p.kind == p.KEYWORD_ONLY
    }


def evaluated(tensors, runs=1):
    """Runs tensors of the default graph in one session. Returns one item for each run."""
    with tf1.Session() as session:
        return [session.run(tensors) for _ in range(runs)]


class NamesTest(parameterized.TestCase):
    @parameterized.named_parameters(
        ("top", tf1, v1), ("initializers", tf1.initializers, v1.initializers)
    )
    def test_every_name_of_tensorflow_exists(self, theirs, ours):
        names = [name for name in dir(theirs) if is_ours(name, getattr(theirs, name))]
        self.assertGreaterEqual(len(names), 3)
        for name in names:
            with self.subTest(name):
                original, replacement = getattr(theirs, name), getattr(ours, name)
                self.assertIn(name, ours.__all__)
                self.assertEqual(replacement.__name__, original.__name__)
                self.assertEqual(inspect.isclass(replacement), inspect.isclass(original))
                self.assertEqual(parameters(replacement), parameters(original))
                self.assertEqual(keywords(replacement), {"stream": "vsinit"})
                if inspect.isclass(original):
                    self.assertTrue(issubclass(replacement, original))
                self.assertIsInstance(replacement(), stock.VarianceScaling)

    def test_names_of_keras_are_those_of_tensorflow(self):
        theirs, ours = tf1.keras.initializers, v1.keras.initializers
        values = {name: getattr(theirs, name) for name in dir(theirs)}
        originals = {
            name: value
            for name, value in values.items()
            if inspect.isclass(value) and issubclass(value, theirs.VarianceScaling)
        }
        self.assertLen(originals, 7 if legacy_keras.IN_USE else 14)
        self.assertContainsSubset(originals, ours.__all__)
        for name, original in originals.items():
            with self.subTest(name):
                replacement = getattr(ours, name)
                self.assertIs(replacement, getattr(v1, original.__name__))
                if not legacy_keras.IN_USE:
                    continue  # The classes of Keras 3 are not those of TensorFlow 1.
                self.assertEqual(parameters(replacement), parameters(original))
                self.assertEqual(replacement(seed=1).get_config(), original(seed=1).get_config())
                self.assertIsInstance(replacement(), theirs.VarianceScaling)
                # tf_keras derives those in FUNCTIONS from VarianceScaling, as tf_vsinit does.
                self.assertEqual(issubclass(replacement, original), name not in FUNCTIONS)

    def test_one_namespace_has_all_names(self):
        for ours in (v1.initializers, v1.keras.initializers):
            self.assertContainsSubset(ours.__all__, v1.__all__)
        for name in v1.__all__:
            self.assertTrue(hasattr(v1, name), name)

    def test_importing_the_package_is_enough(self):
        self.assertIs(tf_vsinit.compat.v1, v1)

    @parameterized.parameters(*MEANINGS)
    def test_name_means_this_scale_mode_and_distribution(self, name):
        initializer = getattr(v1, name)(seed=3)
        self.assertEqual(
            (initializer.scale, initializer.mode, initializer.distribution), MEANINGS[name]
        )
        scale, mode, distribution = MEANINGS[name]
        expected = v1.VarianceScaling(scale, mode, distribution, seed=3)
        assert_same_bits(initializer([40, 30]), expected([40, 30]))


class ErrorsTest(parameterized.TestCase):
    @parameterized.parameters(
        dict(scale=0),
        dict(scale=-1.5),
        dict(mode="fan"),
        dict(mode="fan_geo_avg"),
        dict(distribution="cauchy"),
        dict(dtype=tf.int32),
        dict(dtype="complex64"),
        dict(scale=0, mode="fan", distribution="cauchy"),
    )
    def test_a_bad_argument_raises_the_error_of_tensorflow(self, **arguments):
        with self.assertRaises(ValueError) as theirs:
            tf1.variance_scaling_initializer(**arguments)
        with self.assertRaises(ValueError) as ours:
            v1.variance_scaling_initializer(**arguments)
        self.assertEqual(str(ours.exception), str(theirs.exception))

    def test_a_scale_assigned_later_is_checked(self):
        initializer = v1.VarianceScaling(seed=1)
        with self.assertRaisesRegex(ValueError, "`scale` must be a positive finite number.*-2.0"):
            initializer.scale = -2.0

    @parameterized.parameters("GlorotNormal", "GlorotUniform")
    def test_glorot_checks_its_dtype(self, name):
        with self.assertRaisesRegex(ValueError, "`dtype` is expected to be floating point.*int32"):
            getattr(v1, name)(dtype=tf.int32)

    @parameterized.parameters(dict(seed=1.5), dict(seed="1"), dict(seed=[1]))
    def test_seed_must_be_an_integer(self, seed):
        for partition_info in (None, Info([4, 2], [0, 0])):
            with self.assertRaisesRegex(ValueError, "Argument `seed` must be an integer or None"):
                v1.he_normal(seed=seed)([2, 2], partition_info=partition_info)

    @parameterized.parameters(tf.int32, "string", tf.complex64, "nonsense")
    def test_the_dtype_of_a_call_must_be_one_the_op_draws(self, dtype):
        with self.assertRaisesRegex(ValueError, "Argument `dtype` must be one of float16"):
            v1.he_normal(seed=1)([2, 2], dtype=dtype)

    def test_shape_must_not_be_negative(self):
        with self.assertRaisesRegex(ValueError, "Argument `shape` must not have negative"):
            v1.he_normal(seed=1)([2, -2])


class Info:
    """Has the attributes of partition_info that an initializer reads."""

    def __init__(self, full_shape, var_offset):
        self.full_shape, self.var_offset = full_shape, var_offset


class DeprecationTest(parameterized.TestCase):
    def logged(self, make):
        """Returns where each warning in graph mode comes from, and what it says.

        The text names the module of tf_vsinit where TensorFlow's names its own.
        """
        deprecation._PRINTED_WARNING.clear()
        with tf.Graph().as_default(), self.assertLogs("tensorflow", "WARNING") as logs:
            tf.get_logger().warning("the first warning, which is not counted")
            make()
        found = []
        for record in logs.records[1:]:
            place, text = re.fullmatch(r"From (.*?): (.*)", record.getMessage(), re.DOTALL).groups()
            found.append((place, text.replace(stock.__name__, v1.init_ops.__name__)))
        return found

    def warnings(self, make):
        return [text for _, text in self.logged(make)]

    @parameterized.parameters(
        dict(dtype="float32"),
        dict(distribution="normal"),
        dict(distribution="normal", dtype="float16"),
        dict(distribution="Normal"),
        dict(seed=1),
    )
    def test_variance_scaling_warns_as_in_tensorflow(self, **arguments):
        ours = self.warnings(lambda: v1.VarianceScaling(**arguments))
        theirs = self.warnings(lambda: tf1.variance_scaling_initializer(**arguments))
        self.assertEqual(ours, theirs)
        self.assertLen(ours, sum(value in ("normal", *DTYPES) for value in arguments.values()))

    def test_the_warning_of_a_dtype_names_the_line_of_the_caller(self):
        for make in (
            lambda: v1.VarianceScaling(dtype=tf.float16),
            lambda: v1.VarianceScaling(
                1.0, "fan_in", "uniform", 1, tf.float16, stream="tensorflow"
            ),
            lambda: v1.GlorotNormal(dtype=tf.float16),
            lambda: v1.GlorotUniform(1, tf.float16),
        ):
            line = make.__code__.co_firstlineno
            self.assertEqual([place for place, _ in self.logged(make)], [f"{__file__}:{line}"])

    def test_the_warning_of_a_distribution_names_the_place_that_tensorflow_names(self):
        # That is a line of TensorFlow's: its decorator for a value is inside the one for a dtype.
        ours = self.logged(lambda: v1.VarianceScaling(distribution="normal"))
        theirs = self.logged(lambda: tf1.variance_scaling_initializer(distribution="normal"))
        self.assertLen(ours, 1)
        self.assertEqual(ours, theirs)

    @parameterized.parameters("glorot_normal", "glorot_uniform")
    def test_glorot_warns_as_in_tensorflow(self, name):
        ours = self.warnings(lambda: getattr(v1.initializers, name)(dtype=tf.float32))
        theirs = self.warnings(lambda: getattr(tf1.initializers, name)(dtype=tf.float32))
        self.assertLen(ours, 1)
        self.assertEqual(ours, theirs)
        self.assertEmpty(self.warnings(lambda: getattr(v1.initializers, name)(seed=1)))

    @parameterized.parameters(*FUNCTIONS, "HeNormal", "LecunUniform")
    def test_the_others_do_not_warn(self, name):
        self.assertEmpty(self.warnings(lambda: getattr(v1, name)(seed=1)([2, 2])))


class ValuesTest(parameterized.TestCase):
    @parameterized.parameters(itertools.product(DISTRIBUTIONS, MODES, DTYPES))
    def test_values_equal_those_of_the_functional_op(self, distribution, mode, dtype):
        initializer = v1.VarianceScaling(0.7, mode, distribution, seed=11)
        seed = seeds.stateless_seed(87654321, 11)
        for shape in SHAPES:
            expected = tf_vsinit.stateless_variance_scaling(
                shape, seed, scale=0.7, mode=mode, distribution=distribution, dtype=dtype
            )
            assert_same_bits(initializer(shape, dtype), expected)
            assert_same_bits(initializer(tf.TensorShape(shape), dtype=dtype), expected)

    @parameterized.parameters("float32", "float64")
    def test_uniforms_equal_the_first_draw_of_the_stock_initializer(self, dtype):
        for graph_seed, seed in itertools.product((None, 0, 5, -3, 2**40), (None, 0, 7, 2**33 + 1)):
            if graph_seed is seed is None:
                continue
            drawn = []
            for package in (v1, tf1):
                with tf.Graph().as_default():
                    tf1.set_random_seed(graph_seed)
                    tensors = [
                        package.variance_scaling_initializer(0.3, mode, "uniform", seed)(
                            shape, dtype
                        )
                        for mode, shape in itertools.product(MODES, SHAPES)
                    ]
                    drawn += evaluated(tensors)
            for ours, theirs in zip(*drawn, strict=True):
                assert_same_bits(ours, theirs, f"{graph_seed} {seed}")

    @parameterized.parameters(*DTYPES)
    def test_dtype_comes_from_the_call_then_from_the_constructor(self, dtype):
        for initializer in (
            v1.VarianceScaling(seed=1, dtype=dtype),
            v1.GlorotNormal(seed=1, dtype=dtype),
            v1.GlorotUniform(seed=1, dtype=dtype),
        ):
            self.assertEqual(initializer([2, 2]).dtype, dtype)
            self.assertEqual(initializer([2, 2], tf.float32).dtype, tf.float32)
        self.assertEqual(v1.he_normal(seed=1)([2, 2]).dtype, tf.float32)

    def test_dtype_of_a_reference_variable_is_accepted(self):
        with tf.Graph().as_default():
            first = tf1.get_variable("a", [2, 2], initializer=v1.he_normal(), use_resource=False)
            self.assertEqual(first.dtype, tf.float32._as_ref)
            second = tf1.get_variable("b", [2, 2], first.dtype, v1.he_normal(), use_resource=False)
            self.assertEqual(second.dtype.base_dtype, tf.float32)

    def test_shape_may_be_known_only_at_run_time(self):
        initializer = v1.he_normal(seed=1)
        with tf.Graph().as_default():
            shape = tf1.placeholder(tf.int32, [2])
            values = initializer(shape)
            with tf1.Session() as session:
                drawn = session.run(values, {shape: [9, 5]})
        assert_same_bits(drawn, initializer([9, 5]))


class SeedTest(parameterized.TestCase):
    def draw(self, graph_seed, seed, runs=1):
        """Makes two variables with one initializer and a third with another."""
        with tf.Graph().as_default():
            tf1.set_random_seed(graph_seed)
            shared, alone = v1.he_normal(seed=seed), v1.he_normal(seed=seed)
            variables = [
                tf1.get_variable(name, [6, 4], initializer=initializer)
                for name, initializer in (("a", shared), ("b", shared), ("c", alone))
            ]
            results = []
            with tf1.Session() as session:
                for _ in range(runs):
                    session.run(tf1.global_variables_initializer())
                    results.append(session.run(variables))
        return results if runs > 1 else results[0]

    def test_without_seeds_all_values_differ(self):
        drawn = self.draw(None, None) + self.draw(None, None)
        for a, b in itertools.combinations(drawn, 2):
            self.assertFalse(same_bits(a, b))

    def test_a_graph_seed_alone_gives_each_variable_repeatable_values(self):
        first, second = self.draw(1, None), self.draw(1, None)
        np.testing.assert_array_equal(first, second)
        for a, b in itertools.combinations(first + self.draw(2, None), 2):
            self.assertFalse(same_bits(a, b))

    def test_an_op_seed_alone_gives_repeatable_values(self):
        first = self.draw(None, 1)
        np.testing.assert_array_equal(first, self.draw(None, 1))
        # As with the stock initializer, an op seed alone is the whole seed.
        np.testing.assert_array_equal(first[0], first[1])
        np.testing.assert_array_equal(first[0], first[2])
        self.assertFalse(same_bits(first[0], self.draw(None, 2)[0]))

    def test_values_depend_on_both_seeds(self):
        first = self.draw(1, 1)
        np.testing.assert_array_equal(first, self.draw(1, 1))
        for graph_seed, seed in ((1, 2), (2, 1), (None, 1), (1, None)):
            self.assertFalse(same_bits(first[0], self.draw(graph_seed, seed)[0]))

    @parameterized.parameters(itertools.product((None, 1), (None, 1)))
    def test_a_second_run_of_the_init_op_gives_the_same_values(self, graph_seed, seed):
        first, second = self.draw(graph_seed, seed, runs=2)
        np.testing.assert_array_equal(first, second)

    @parameterized.parameters(itertools.product((None, 1), (None, 1)))
    def test_another_session_of_the_graph_gives_the_same_values(self, graph_seed, seed):
        with tf.Graph().as_default():
            tf1.set_random_seed(graph_seed)
            values = v1.he_normal(seed=seed)([6, 4])
            np.testing.assert_array_equal(evaluated(values), evaluated(values))

    def test_eager_calls_follow_the_global_seed(self):
        self.addCleanup(tf1.set_random_seed, None)

        def draw(graph_seed, seed):
            tf1.set_random_seed(graph_seed)
            initializer = v1.he_normal(seed=seed)
            return [initializer([6, 4]).numpy() for _ in range(2)]

        np.testing.assert_array_equal(draw(1, None), draw(1, None))
        self.assertFalse(same_bits(*draw(1, None)))
        self.assertFalse(same_bits(draw(1, None)[0], draw(2, None)[0]))
        np.testing.assert_array_equal(draw(1, 5)[0], draw(1, 5)[1])
        np.testing.assert_array_equal(draw(1, 5)[0], SeedTest.draw(self, 1, 5)[0])
        self.assertFalse(same_bits(draw(1, 5)[0], draw(2, 5)[0]))

    def test_a_function_fixes_its_seed_when_it_is_traced(self):
        initializer = v1.he_normal()
        function = tf.function(lambda: initializer([6, 4]))
        np.testing.assert_array_equal(function(), function())
        self.assertFalse(same_bits(function(), tf.function(lambda: initializer([6, 4]))()))

    def test_op_determinism_requires_a_seed(self):
        tf_config.enable_op_determinism()
        self.addCleanup(tf_config.disable_op_determinism)
        with tf.Graph().as_default():
            with self.assertRaisesRegex(RuntimeError, "require a seed"):
                v1.he_normal()([2, 2])
            v1.he_normal(seed=1)([2, 2])

    @parameterized.parameters((0, 0), (87654321, 7), (2**31 - 2, 2**31 - 1), (2**64 - 1, 2**63))
    def test_stateless_seed_has_the_key_and_counter_asked_for(self, key, counter):
        words = [value >> shift & 0xFFFFFFFF for value in (key, counter) for shift in (0, 32)]
        seed = seeds.stateless_seed(key, counter)
        self.assertSequenceEqual(reference.stream_key(seed), words)


class ProgramTest(absltest.TestCase):
    def test_unseeded_programs_differ_and_seeded_ones_repeat(self):
        program = (
            "import tensorflow as tf, tf_vsinit\n"
            "tf1 = tf.compat.v1\n"
            "for seed in (None, 3):\n"
            "  with tf.Graph().as_default(), tf1.Session() as session:\n"
            "    tf1.set_random_seed(seed)\n"
            "    variable = tf1.get_variable(\n"
            "        'v', [4], initializer=tf_vsinit.compat.v1.he_normal())\n"
            "    session.run(variable.initializer)\n"
            "    print(session.run(variable).tobytes().hex())\n"
        )
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            outputs = pool.map(processes.output_of, ["-c"] * 2, [program] * 2)
        (unseeded, seeded), (unseeded_again, seeded_again) = (
            output.split()[-2:] for output in outputs
        )
        self.assertNotEqual(unseeded, unseeded_again)
        self.assertEqual(seeded, seeded_again)

    @absltest.skipUnless(legacy_keras.IN_USE, "Keras 3 has no layers for a v1 graph")
    def test_layers_of_a_v1_graph_take_the_initializers(self):
        initializer = v1.HeNormal(seed=1)
        dense = tf.keras.layers.Dense(4, kernel_initializer=initializer)
        dense.build([None, 6])
        expected = initializer([6, 4])
        np.testing.assert_array_equal(dense.kernel, expected)
        with tf.Graph().as_default(), tf1.Session() as session:
            for axis in (0, 1):
                partitioner = tf1.fixed_size_partitioner(2, axis)
                with tf1.variable_scope(f"axis{axis}", partitioner=partitioner):
                    tf1.layers.dense(
                        tf.ones([1, 6]), 4, use_bias=False, kernel_initializer=initializer
                    )
            session.run(tf1.global_variables_initializer())
            for axis in (0, 1):
                kernels = tf1.global_variables(f"axis{axis}.*kernel")
                self.assertLen(kernels, 2)
                whole = np.concatenate(session.run(kernels), axis)
                np.testing.assert_array_equal(whole, expected)

    def test_keras_layers_take_the_initializers(self):
        initializer = v1.VarianceScaling(2.0, distribution="uniform", seed=1)
        dense = tf.keras.layers.Dense(4, kernel_initializer=initializer)
        dense.build([None, 6])
        np.testing.assert_array_equal(dense.kernel, initializer([6, 4]))


class LegacyKerasTest(legacy_keras.LegacyKerasTest):
    """Runs this file with tf_keras."""


if __name__ == "__main__":
    absltest.main()
