"""stateless_variance_scaling: its values, boxes, arguments and errors."""

import itertools
import math

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized
from scipy import stats

import tf_vsinit
from tests.support.bits import assert_same_bits, bits

DTYPES = (tf.float16, tf.bfloat16, tf.float32, tf.float64)
DISTRIBUTIONS = ("truncated_normal", "untruncated_normal", "uniform")
STREAMS = ("vsinit", "tensorflow")
SEEDS = ((7, 0), (0, 0), (-1, 0), (2**31, -5), (2**40 + 3, 2**33), (2**63 - 1, -(2**63)))
SHAPES = ((), (1,), (3,), (0, 4), (5, 7), (2, 3, 5), (3, 3, 16, 9), (2, 1, 3, 1, 2, 5))

draw = tf_vsinit.stateless_variance_scaling


def keras_fans(shape, input_axes=None, output_axes=None):
    """Computes fans by the definition in the documentation."""
    if input_axes is not None:
        return (
            math.prod(shape[a] for a in input_axes),
            math.prod(shape[a] for a in output_axes),
        )
    if len(shape) < 2:
        return (math.prod(shape),) * 2
    receptive_field = math.prod(shape[:-2])
    return receptive_field * shape[-2], receptive_field * shape[-1]


def fan(mode, fan_in, fan_out):
    return {
        "fan_in": fan_in,
        "fan_out": fan_out,
        "fan_avg": (fan_in + fan_out) / 2,
        "fan_geo_avg": math.sqrt(fan_in * fan_out),
    }[mode]


def stock_uniform(shape, seed, scale, n, dtype):
    limit = tf.constant(math.sqrt(3.0 * (scale / max(1.0, n))), dtype)
    return tf.random.stateless_uniform(shape, seed, -limit, limit, dtype)


class StockUniformTest(parameterized.TestCase):
    @parameterized.parameters(itertools.product(SEEDS, SHAPES, (tf.float32, tf.float64)))
    def test_uniforms_are_stock_for_every_seed_and_shape(self, seed, shape, dtype):
        ours = draw(shape, seed, scale=2.0, distribution="uniform", dtype=dtype)
        stock = stock_uniform(shape, seed, 2.0, keras_fans(shape)[0], dtype)
        assert_same_bits(ours, stock)

    @parameterized.parameters(
        itertools.product(
            ("fan_in", "fan_out", "fan_avg", "fan_geo_avg"),
            (1e-9, 0.1, 1, 2.0, 3e7),
            (tf.float32, tf.float64),
        )
    )
    def test_uniforms_are_stock_for_every_mode_and_scale(self, mode, scale, dtype):
        shape = (3, 2, 5, 7)
        ours = draw(shape, [1, 2], scale=scale, mode=mode, distribution="uniform", dtype=dtype)
        stock = stock_uniform(shape, [1, 2], scale, fan(mode, *keras_fans(shape)), dtype)
        assert_same_bits(ours, stock)

    @parameterized.parameters(
        dict(shape=(4, 3, 5), input_axes=(0,), output_axes=(1, 2)),
        dict(shape=(4, 3, 5), input_axes=[0, 1], output_axes=[2]),
        dict(shape=(4, 3, 5), input_axes=(-1,), output_axes=(-3, 1)),
        dict(shape=(4, 3, 5), input_axes=(0, 0), output_axes=(1,)),
        dict(shape=(4, 3, 5), input_axes=(), output_axes=(2,)),
        dict(shape=(4, 3, 5), input_axes=(1,), output_axes=()),
        dict(shape=(4, 3, 5), input_axes=(), output_axes=()),
        dict(shape=(), input_axes=(), output_axes=()),
        dict(shape=(9,), input_axes=[0], output_axes=[]),
    )
    def test_uniforms_are_stock_for_every_choice_of_axes(self, shape, input_axes, output_axes):
        fans = keras_fans(shape, input_axes, output_axes)
        for mode in ("fan_in", "fan_out", "fan_avg", "fan_geo_avg"):
            ours = draw(
                shape,
                [3, 4],
                mode=mode,
                distribution="uniform",
                input_axes=input_axes,
                output_axes=output_axes,
            )
            stock = stock_uniform(shape, [3, 4], 1.0, fan(mode, *fans), tf.float32)
            assert_same_bits(ours, stock)

    def test_a_box_with_empty_axes_has_the_values_of_the_whole(self):
        whole = draw([6, 5], [1, 2], input_axes=(), output_axes=())
        part = draw([6, 5], [1, 2], input_axes=(), output_axes=(), begin=[2, 1], size=[3, -1])
        assert_same_bits(part, whole[2:5, 1:])

        @tf.function
        def dynamic(shape):
            return draw(shape, [1, 2], input_axes=(), output_axes=())

        assert_same_bits(dynamic(tf.constant([6, 5])), whole)


class BoxTest(parameterized.TestCase):
    @parameterized.product(distribution=DISTRIBUTIONS, dtype=DTYPES, stream=STREAMS)
    def test_a_box_has_the_values_of_the_whole(self, distribution, dtype, stream):
        boxes = [
            ((1003,), (1,), (1001,)),
            ((1003,), (1003,), (0,)),
            ((37, 129), (5, 0), (9, 129)),
            ((37, 129), (0, 65), (37, 3)),
            ((37, 129), (36, 128), (-1, -1)),
            ((6, 5, 7), (1, 2, 3), (4, 2, 3)),
            ((6, 5, 7), (0, 0, 0), (-1, -1, -1)),
            ((3, 4, 5, 6), (2, 1, 0, 5), (1, 3, 5, 1)),
            ((2, 2, 2, 2, 2, 2, 2, 2), (1, 0, 1, 0, 1, 0, 1, 0), (1, 2, 1, 2, 1, 2, 1, 2)),
        ]
        for shape, begin, size in boxes:
            options = dict(seed=[5, 6], distribution=distribution, dtype=dtype, stream=stream)
            whole = draw(shape, **options)
            part = draw(shape, begin=begin, size=size, **options)
            assert_same_bits(part, tf.slice(whole, begin, size))

    def test_size_alone_starts_at_the_origin_and_begin_alone_goes_to_the_end(self):
        whole = draw([8, 6], [1, 2])
        assert_same_bits(draw([8, 6], [1, 2], size=[3, 4]), whole[:3, :4])
        assert_same_bits(draw([8, 6], [1, 2], begin=[3, 4]), whole[3:, 4:])

    @parameterized.parameters(*STREAMS)
    def test_a_box_of_a_tensor_too_large_to_exist(self, stream):
        options = dict(seed=[1, 2], mode="fan_out", stream=stream)
        row = draw([2**25, 2**25], begin=[2**25 - 1, 2**25 - 9], size=[1, 9], **options)
        end = draw([2**25, 2**25], begin=[2**25 - 1, 2**25 - 4], size=[1, 4], **options)
        assert_same_bits(row[:, 5:], end)
        self.assertLen(np.unique(row), 9)


class ValuesTest(parameterized.TestCase):
    @parameterized.parameters(itertools.product(DISTRIBUTIONS, (tf.float16, tf.bfloat16)))
    def test_16_bit_values_are_the_float32_values_rounded(self, distribution, dtype):
        full = draw([200, 77], [1, 2], distribution=distribution)
        half = draw([200, 77], [1, 2], distribution=distribution, dtype=dtype)
        rounded = tf.cast(full, dtype)
        if distribution == "uniform":
            # Those that leave [-limit, limit) become the nearest value inside.
            limit = np.float32(np.sqrt(3.0 / 200))
            values = np.arange(2**15, dtype=np.uint16).view(dtype.as_numpy_dtype)
            values = values.astype(np.float32)
            low, high = -values[values <= limit].max(), values[values < limit].max()
            rounded = np.clip(rounded.numpy().astype(np.float32), low, high)
            rounded = rounded.astype(dtype.as_numpy_dtype)
        assert_same_bits(half, rounded)

    @parameterized.parameters(itertools.product(DISTRIBUTIONS, (tf.float32, tf.float64)))
    def test_values_follow_the_distribution(self, distribution, dtype):
        # The seed is fixed, so this test is deterministic.
        values = draw([1000, 500], [8, 9], scale=2.0, distribution=distribution, dtype=dtype)
        values = np.ravel(values).astype(np.float64)
        stddev = math.sqrt(2.0 / 1000)
        expected = {
            "truncated_normal": stats.truncnorm(-2, 2, scale=stddev / 0.87962566103423978),
            "untruncated_normal": stats.norm(scale=stddev),
            "uniform": stats.uniform(-math.sqrt(3) * stddev, 2 * math.sqrt(3) * stddev),
        }[distribution]
        self.assertGreater(stats.kstest(values, expected.cdf).pvalue, 0.01)
        self.assertAlmostEqual(np.std(values) / stddev, 1.0, delta=0.004)
        self.assertAlmostEqual(np.mean(values) / stddev, 0.0, delta=0.005)
        if distribution == "truncated_normal":
            bound = 2 * stddev / 0.87962566103423978
            self.assertLessEqual(np.max(np.abs(values)), bound * (1 + 1e-6))

    def test_every_bit_range_of_the_seed_matters(self):
        seeds = [(1, 2), (1, 3), (2, 2), (1 + 2**32, 2), (1, 2 + 2**32), (-1, 2)]
        draws = [bits(draw([64], seed)).tobytes() for seed in seeds]
        self.assertLen(set(draws), len(seeds))

    def test_normal_means_truncated_normal(self):
        assert_same_bits(draw([64], [1, 2], distribution="normal"), draw([64], [1, 2]))


class ArgumentFormsTest(parameterized.TestCase):
    @parameterized.named_parameters(
        ("list", [6, 4]),
        ("tuple", (6, 4)),
        ("int32_array", np.array([6, 4], np.int32)),
        ("uint8_array", np.array([6, 4], np.uint8)),
        ("numpy_elements", [np.int64(6), np.int16(4)]),
        ("tensor_shape", tf.TensorShape([6, 4])),
        ("dimensions", [tf.compat.v1.Dimension(6), tf.compat.v1.Dimension(4)]),
    )
    def test_every_form_of_shape_is_accepted(self, shape):
        assert_same_bits(draw(shape, [1, 2]), draw([6, 4], [1, 2]))

    @parameterized.parameters(tf.int32, tf.int64)
    def test_every_argument_may_be_a_tensor_or_a_variable(self, dtype):
        expected = draw([6, 4], [-1, 2], scale=2.0, begin=[1, 2], size=[3, 2])

        def constant(values):
            return tf.constant(values, dtype)

        def check(shape, seed, scale, begin, size):
            part = draw(shape, seed, scale=scale, begin=begin, size=size)
            assert_same_bits(part, expected)

        arguments = [constant(v) for v in ([6, 4], [-1, 2], 2, [1, 2], [3, 2])]
        check(*arguments)
        check(*[tf.Variable(v) for v in arguments])
        shape, seed, scale, begin, size = arguments
        check([shape[0], 4], [-1, seed[1]], np.float32(2.0), [1, begin[1]], [size[0], -1])

        with_a_variable = [tf.Variable(shape[0]), 4]
        check(with_a_variable, seed, scale, begin, size)

        @tf.function
        def in_a_graph():
            return draw(with_a_variable, [-1, seed[1]], scale=2.0, begin=[1, begin[1]], size=size)

        assert_same_bits(in_a_graph(), expected)

    @parameterized.parameters(itertools.product((tf.int32, tf.int64), repeat=3))
    def test_symbolic_tensors_may_have_mixed_dtypes(self, shape_dtype, begin_dtype, seed_dtype):
        @tf.function
        def part(shape, seed, begin):
            return draw(shape, seed, begin=begin)

        ours = part(
            tf.constant([6, 4], shape_dtype),
            tf.constant([-1, 2], seed_dtype),
            tf.constant([1, 2], begin_dtype),
        )
        assert_same_bits(ours, draw([6, 4], [-1, 2])[1:, 2:])

    def test_a_static_box_beyond_int32_works_with_a_symbolic_extent(self):
        @tf.function
        def part(extent):
            return draw([extent, 2**20], [1, 2], begin=[2**33, 0], size=[1, 4])

        expected = draw([2**34, 2**20], [1, 2], begin=[2**33, 0], size=[1, 4])
        assert_same_bits(part(tf.constant(2**34, tf.int64)), expected)

    @parameterized.parameters("float16", "bfloat16", "float32", "float64")
    def test_every_form_of_dtype_is_accepted(self, name):
        dtype = tf.as_dtype(name)
        for spelling in (name, dtype, dtype.as_numpy_dtype, np.dtype(dtype.as_numpy_dtype)):
            self.assertEqual(draw([2], [1, 2], dtype=spelling).dtype, dtype)

    def test_shape_is_inferred_as_far_as_it_is_known(self):
        @tf.function(input_signature=[tf.TensorSpec([None, 3]), tf.TensorSpec([], tf.int64)])
        def partly(x, count):
            kernel = draw([tf.shape(x)[0], 5], [1, 2])
            self.assertEqual(kernel.shape.as_list(), [None, 5])
            self.assertEqual(draw([count, 5], [1, 2]).shape.as_list(), [None, 5])
            self.assertEqual(
                draw([count, 5], [1, 2], begin=[0, 1], size=[2, 3]).shape.as_list(), [2, 3]
            )
            self.assertEqual(draw([7, 5], [1, 2], begin=[2, 1]).shape.as_list(), [5, 4])
            self.assertEqual(draw(tf.shape(x), [1, 2]).shape.as_list(), [None, 3])
            return kernel

        self.assertEqual(partly(tf.zeros([2, 3]), 4).shape, [2, 5])

    def test_shape_of_unknown_rank(self):
        @tf.function(input_signature=[tf.TensorSpec([None], tf.int32)])
        def any_rank(shape):
            return draw(shape, [1, 2])

        for shape in ([], [3], [2, 3, 4]):
            drawn = any_rank(tf.constant(shape, tf.int32))
            assert_same_bits(drawn, draw(shape, [1, 2]))

    def test_name_names_the_op(self):
        with tf.Graph().as_default():
            self.assertEqual(draw([2], [1, 2], name="kernel").op.name, "kernel")


class ErrorsTest(parameterized.TestCase):
    @parameterized.named_parameters(
        ("shape_negative", dict(shape=[3, -2]), "shape", "-2"),
        ("shape_overflow", dict(shape=[2**32, 2**32]), "shape", "4294967296"),
        ("shape_overflow_and_empty", dict(shape=[2**32, 0, 2**32]), "shape", "4294967296"),
        ("shape_beyond_64_bits", dict(shape=[2**64]), "shape", "18446744073709551616"),
        ("shape_float", dict(shape=[3.0]), "shape", "3.0"),
        ("shape_scalar", dict(shape=3), "shape", "3"),
        ("shape_none", dict(shape=None), "shape", "None"),
        ("shape_unknown_extent", dict(shape=[None, 3]), "shape", "None"),
        ("shape_unknown", dict(shape=tf.TensorShape([None, 3])), "shape", "None"),
        ("shape_matrix", dict(shape=[[2, 3]]), "shape", "[[2, 3]]"),
        ("shape_string", dict(shape="ab"), "shape", "ab"),
        ("shape_float_tensor", dict(shape=tf.constant([3.0])), "shape", "3."),
        ("shape_scalar_tensor", dict(shape=tf.constant(3)), "shape", "3"),
        ("shape_float_tensor_inside", dict(shape=[tf.constant(3.0)]), "shape", "3."),
        ("shape_vector_inside", dict(shape=[tf.constant([9, 2]), 6]), "shape", "[9, 2]"),
        ("shape_vector_variable_inside", dict(shape=[tf.Variable([9, 2]), 6]), "shape", "Variable"),
        ("shape_negative_tensor_inside", dict(shape=[tf.constant(-3), 6]), "shape", "[-3, 6]"),
        (
            "shape_beyond_64_bits_beside_a_tensor",
            dict(shape=[tf.constant(1), 2**70]),
            "shape",
            f"{2**70}",
        ),
        ("shape_bytes", dict(shape=b"ab"), "shape", "b'ab'"),
        ("shape_bytearray", dict(shape=bytearray(b"ab")), "shape", "b'ab'"),
        ("shape_empty_string", dict(shape=""), "shape", "''"),
        ("seed_int", dict(seed=1), "seed", "1"),
        ("seed_none", dict(seed=None), "seed", "None"),
        ("seed_three", dict(seed=[1, 2, 3]), "seed", "[1, 2, 3]"),
        ("seed_float", dict(seed=[1.5, 0]), "seed", "1.5"),
        ("seed_beyond_64_bits", dict(seed=[2**63, 0]), "seed", "9223372036854775808"),
        ("seed_tensor_of_three", dict(seed=tf.constant([1, 2, 3])), "seed", "[1, 2, 3]"),
        ("seed_float_tensor", dict(seed=tf.constant([1.0, 2.0])), "seed", "1."),
        ("seed_vector_inside", dict(seed=[tf.constant([1]), 2]), "seed", "[1]"),
        ("seed_bytes", dict(seed=b"ab"), "seed", "b'ab'"),
        ("scale_zero", dict(scale=0.0), "scale", "0.0"),
        ("scale_negative", dict(scale=-1), "scale", "-1"),
        ("scale_nan", dict(scale=math.nan), "scale", "nan"),
        ("scale_infinite", dict(scale=math.inf), "scale", "inf"),
        ("scale_string", dict(scale="2.0"), "scale", "'2.0'"),
        ("scale_list", dict(scale=[2.0]), "scale", "[2.0]"),
        ("mode", dict(mode="fan_max"), "mode", "fan_max"),
        ("mode_none", dict(mode=None), "mode", "None"),
        ("distribution", dict(distribution="cauchy"), "distribution", "cauchy"),
        ("distribution_none", dict(distribution=None), "distribution", "None"),
        ("dtype_int", dict(dtype=tf.int32), "dtype", "int32"),
        ("dtype_complex", dict(dtype="complex64"), "dtype", "complex64"),
        ("dtype_float8", dict(dtype=tf.dtypes.experimental.float8_e5m2), "dtype", "float8"),
        ("dtype_unknown", dict(dtype="float33"), "dtype", "float33"),
        ("dtype_none", dict(dtype=None), "dtype", "None"),
        ("begin_outside", dict(begin=[5, 0]), "begin", "[5, 0]"),
        ("begin_negative", dict(begin=[-1, 0]), "begin", "[-1, 0]"),
        ("begin_rank", dict(begin=[1]), "begin", "[1]"),
        ("size_outside", dict(begin=[1, 0], size=[4, 6]), "size", "[4, 6]"),
        ("size_negative", dict(size=[-2, 6]), "size", "[-2, 6]"),
        ("size_rank", dict(size=[1, 2, 3]), "size", "[1, 2, 3]"),
        ("size_tensor_inside", dict(size=[tf.constant(20), 6]), "size", "[20, 6]"),
        ("axes_high", dict(input_axes=[2], output_axes=[0]), "input_axes", "[2]"),
        ("axes_low", dict(input_axes=[0], output_axes=[-3]), "output_axes", "[-3]"),
        ("axes_float", dict(input_axes=[0.5], output_axes=[0]), "input_axes", "0.5"),
        ("axes_int", dict(input_axes=0, output_axes=[1]), "input_axes", "0"),
        ("axes_bytes", dict(input_axes=b"\0", output_axes=[1]), "input_axes", "x00"),
        ("input_axes_alone", dict(input_axes=[0]), "output_axes", "None"),
        ("output_axes_alone", dict(output_axes=[0]), "input_axes", "None"),
    )
    def test_an_error_names_the_argument_and_its_value(self, arguments, argument, value):
        arguments = {"shape": [4, 6], "seed": [1, 2], **arguments}
        with self.assertRaises(ValueError) as caught:
            draw(**arguments)
        self.assertIn(f"`{argument}`", str(caught.exception))
        self.assertIn(value, str(caught.exception))

        @tf.function
        def in_a_graph():
            return draw(**arguments)

        with self.assertRaises(ValueError):
            in_a_graph()

    @parameterized.named_parameters(
        ("shape_vector_inside", dict(shape=[3, 4]), lambda x: dict(shape=[x, 6])),
        ("shape_beyond_64_bits", dict(shape=3), lambda x: dict(shape=[x, 2**70])),
        ("seed_vector_inside", dict(seed=[3, 4]), lambda x: dict(seed=[1, x])),
        (
            "input_axes_not_known",
            dict(input_axes=0),
            lambda x: dict(input_axes=[x], output_axes=[1]),
        ),
    )
    def test_an_error_names_an_argument_that_holds_a_symbolic_tensor(self, tensor, arguments):
        ((argument, value),) = tensor.items()

        @tf.function
        def in_a_graph(x):
            return draw(**{"shape": [4, 6], "seed": [1, 2], **arguments(x)})

        with self.assertRaisesRegex(ValueError, f"Argument `{argument}`"):
            in_a_graph(tf.constant(value))

    @parameterized.named_parameters(
        ("shape_negative", dict(shape=[3, -2]), "shape"),
        ("shape_overflow", dict(shape=[2**32, 2**32]), "shape"),
        ("scale_zero", dict(scale=0.0), "scale"),
        ("scale_negative", dict(scale=-1.0), "scale"),
        ("scale_nan", dict(scale=math.nan), "scale"),
        ("scale_infinite", dict(scale=math.inf), "scale"),
        ("scale_vector", dict(scale=[1.0, 2.0]), "scale"),
        ("seed_three", dict(seed=[1, 2, 3]), "seed"),
        ("begin_outside", dict(begin=[5, 0]), "begin"),
        ("begin_negative", dict(begin=[-1, 0]), "begin"),
        ("begin_rank", dict(begin=[1]), "begin"),
        ("size_outside", dict(size=[5, 6]), "size"),
        ("size_negative", dict(size=[-2, 6]), "size"),
        ("size_rank", dict(size=[1, 2, 3]), "size"),
    )
    def test_an_error_at_run_time_names_the_argument(self, changed, argument):
        arguments = dict(shape=[4, 6], seed=[1, 2], scale=1.0, begin=[0, 0], size=[4, 6])
        arguments = {**arguments, **changed}
        vector = tf.TensorSpec(None, tf.int64)

        @tf.function(input_signature=[vector, vector, tf.TensorSpec(None), vector, vector])
        def in_a_graph(shape, seed, scale, begin, size):
            return draw(shape, seed, scale=scale, begin=begin, size=size)

        with self.assertRaises(tf.errors.InvalidArgumentError) as caught:
            in_a_graph(*arguments.values())
        self.assertIn(argument, str(caught.exception))


class GradientTest(absltest.TestCase):
    def test_gradient_through_the_draw_is_none(self):
        scale = tf.constant(2.0)
        with tf.GradientTape() as tape:
            tape.watch(scale)
            values = draw([4, 4], [1, 2], scale=scale)
        self.assertIsNone(tape.gradient(values, scale))

        with tf.Graph().as_default():
            scale = tf.constant(2.0)
            values = draw([4, 4], [1, 2], scale=scale)
            self.assertEqual(tf.gradients(values, scale), [None])

    def test_gradient_flows_past_the_draw(self):
        x = tf.constant(3.0)
        with tf.GradientTape() as tape:
            tape.watch(x)
            kernel = draw([4, 4], [1, 2])
            loss = tf.reduce_sum(kernel * x)
        np.testing.assert_allclose(tape.gradient(loss, x), tf.reduce_sum(kernel), rtol=1e-6)


if __name__ == "__main__":
    absltest.main()
