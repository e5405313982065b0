"""stateless_variance_scaling_rows: the bits of the same rows of the whole, and its errors."""

import itertools

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

import tf_vsinit
from tests.support import xla
from tests.support.bits import assert_same_bits
from tf_vsinit import reference

DTYPES = ("float16", "bfloat16", "float32", "float64")
DISTRIBUTIONS = ("truncated_normal", "untruncated_normal", "uniform")
STREAMS = ("vsinit", "tensorflow")
# With and without jit_compile.
JIT = (False, True) if xla.IS_SUPPORTED else (False,)
SEED = (5, -6)
# Unsorted, with repeats, neighbours in both directions, and the first and last row of 37.
ROWS = np.array([17, 3, 36, 3, 3, 0, 35, 34, 36, 18, 19, 20, 0, 17] + list(range(37)) * 3)

draw = tf_vsinit.stateless_variance_scaling
draw_rows = tf_vsinit.stateless_variance_scaling_rows


def compiled(function):
    return tf.function(function, jit_compile=True)


def in_graphs(function):
    """Returns the function in a graph, and compiled."""
    return [tf.function(function, jit_compile=jit) for jit in JIT]


class ValuesTest(parameterized.TestCase):
    @parameterized.product(dtype=DTYPES, distribution=DISTRIBUTIONS, stream=STREAMS)
    def test_rows_have_the_bits_of_the_whole(self, dtype, distribution, stream):
        options = dict(dtype=dtype, distribution=distribution, stream=stream, scale=0.7)
        for row_size, integer in itertools.product((1, 2, 3, 5, 64, 1000), (np.int32, np.int64)):
            whole = draw([37, row_size], SEED, **options).numpy()
            rows = draw_rows([37, row_size], SEED, ROWS.astype(integer), **options)
            assert_same_bits(rows, whole[ROWS], row_size)

    @parameterized.parameters(
        ([37],), ([37, 0],), ([37, 1, 5],), ([37, 2, 3, 4],), ([1, 9],), ([37, 70_001],)
    )
    def test_every_shape(self, shape):
        rows = ROWS[:20] % shape[0]
        assert_same_bits(draw_rows(shape, SEED, rows), draw(shape, SEED).numpy()[rows])

    def test_axes_and_modes(self):
        for mode in ("fan_in", "fan_out", "fan_avg", "fan_geo_avg"):
            options = dict(mode=mode, input_axes=[0], output_axes=[1, 2])
            whole = draw([37, 2, 3], SEED, **options).numpy()
            assert_same_bits(draw_rows([37, 2, 3], SEED, ROWS, **options), whole[ROWS])

    def test_many_rows(self):
        # Enough for several threads, whose chunks start inside rows.
        rows = np.random.default_rng(1).integers(0, 1000, 70_001)
        for row_size in (1, 7, 64):
            whole = draw([1000, row_size], SEED).numpy()
            assert_same_bits(draw_rows([1000, row_size], SEED, rows), whole[rows])

    def test_no_rows(self):
        for rows in ([], np.zeros([0], np.int32), tf.zeros([0], tf.int64)):
            self.assertEqual(draw_rows([37, 5], SEED, rows).shape, [0, 5])
        self.assertEqual(draw_rows([0, 5], SEED, []).shape, [0, 5])
        self.assertEqual(draw_rows([3, 2**61], SEED, []).shape, [0, 2**61])

    @parameterized.product(dtype=DTYPES, distribution=DISTRIBUTIONS, stream=STREAMS)
    def test_tables_of_nearly_2_63_elements(self, dtype, distribution, stream):
        options = dict(dtype=dtype, distribution=distribution, stream=stream, mode="fan_out")
        # Rows on both sides of each carry between the words of a counter, and of the last one.
        for row_size in (1, 3, 64):
            extent = (2**63 - 1) // row_size
            rows = [extent - 1, 0, extent // 2]
            for bit in (25, 26, 27, 31, 32, 33, 34, 40, 57):
                row = min(2**bit // row_size, extent - 3)
                rows += [row - 1, row + 2, row, row + 1]
            drawn = draw_rows([extent, row_size], SEED, rows, **options)
            for row, found in zip(rows, drawn.numpy(), strict=True):
                box = draw([extent, row_size], SEED, begin=[row, 0], size=[1, -1], **options)
                assert_same_bits(found, box.numpy()[0], (row, row_size))

    @parameterized.product(dtype=DTYPES, distribution=DISTRIBUTIONS, stream=STREAMS)
    def test_random_rows_of_a_huge_table(self, dtype, distribution, stream):
        options = dict(dtype=dtype, distribution=distribution, stream=stream)
        rows = np.random.default_rng(2).integers(0, 2**57 - 1, 40)
        for row_size in (1, 6, 64):
            found = draw_rows([2**57 - 1, row_size], SEED, rows, **options)
            wanted = reference.stateless_variance_scaling_rows(
                [2**57 - 1, row_size], SEED, rows.tolist(), **{**options, "dtype": dtype}
            )
            if dtype == "bfloat16":
                wanted = wanted.view(tf.bfloat16.as_numpy_dtype)
            assert_same_bits(found, wanted, row_size)


class FormsTest(parameterized.TestCase):
    @parameterized.named_parameters(
        ("list", [4, 1, 4]),
        ("tuple", (4, 1, 4)),
        ("range", range(1, 5)),
        ("numpy_elements", [np.int64(4), np.uint8(1)]),
        ("int32", np.array([4, 1, 4], np.int32)),
        ("strided", np.arange(12)[1::3]),
        ("tensor", tf.constant([4, 1, 4])),
        ("variable", tf.Variable([4, 1, 4], dtype=tf.int64)),
        ("tensor_elements", [tf.constant(4), 1]),
    )
    def test_every_form_of_rows(self, rows):
        shape = [11, 3]
        numbers = rows.numpy() if isinstance(rows, tf.Variable) else np.array(rows)
        wanted = draw(shape, SEED).numpy()[numbers]
        assert_same_bits(draw_rows(shape, SEED, rows), wanted)
        for in_a_graph in in_graphs(lambda: draw_rows(shape, SEED, rows)):
            assert_same_bits(in_a_graph(), wanted)

    def test_other_arguments_as_tensors(self):
        wanted = draw([11, 3], SEED, scale=2.0).numpy()[[4, 1]]
        for dtype in (tf.int32, tf.int64):
            shape, seed = tf.constant([11, 3], dtype), tf.constant(SEED, dtype)
            assert_same_bits(draw_rows(shape, seed, [4, 1], scale=tf.constant(2)), wanted)

            @tf.function(input_signature=[tf.TensorSpec(None, dtype)] * 2)
            def in_a_graph(shape, seed):
                return draw_rows(shape, seed, [4, 1], scale=2.0)

            assert_same_bits(in_a_graph(shape, seed), wanted)


class GraphTest(parameterized.TestCase):
    def test_a_number_of_rows_known_only_at_run_time(self):
        @tf.function(input_signature=[tf.TensorSpec([None], tf.int64)])
        def some(rows):
            drawn = draw_rows([37, 5], SEED, rows)
            self.assertEqual(drawn.shape.as_list(), [None, 5])
            return drawn

        whole = draw([37, 5], SEED).numpy()
        for count in (0, 1, 20):
            assert_same_bits(some(ROWS[:count]), whole[ROWS[:count]])

    def test_the_shape_is_inferred_as_far_as_it_is_known(self):
        @tf.function(input_signature=[tf.TensorSpec([None, 3]), tf.TensorSpec(None, tf.int32)])
        def partly(x, rows):
            extent = tf.shape(x)[0]
            drawn = draw_rows([9, extent, 4], SEED, [1, 2])
            self.assertEqual(drawn.shape.as_list(), [2, None, 4])
            self.assertEqual(draw_rows([extent, 4], SEED, [1]).shape.as_list(), [1, 4])
            self.assertEqual(draw_rows([9, 4], SEED, rows).shape.as_list(), [None, 4])
            self.assertEqual(draw_rows(tf.shape(x), SEED, [1]).shape.as_list(), [1, 3])
            return drawn

        self.assertEqual(partly(tf.zeros([5, 3]), tf.constant([1])).shape, [2, 5, 4])

    @xla.needs_xla
    @parameterized.product(dtype=DTYPES, distribution=DISTRIBUTIONS, stream=STREAMS)
    def test_xla_gives_the_same_bits_for_rows_of_run_time(self, dtype, distribution, stream):
        @compiled
        def some(rows):
            options = dict(dtype=dtype, distribution=distribution, stream=stream)
            return draw_rows([37, 5], SEED, rows * 2, **options)

        whole = draw([37, 5], SEED, dtype=dtype, distribution=distribution, stream=stream).numpy()
        for integer, _ in itertools.product((np.int32, np.int64), range(2)):
            rows = np.random.default_rng(3).integers(0, 18, 50).astype(integer)
            assert_same_bits(some(tf.constant(rows)), whole[2 * rows])
        self.assertEqual(some.experimental_get_tracing_count(), 2)

    def test_a_graph_of_version_1(self):
        with tf.Graph().as_default(), tf.compat.v1.Session() as session:
            rows = tf.compat.v1.placeholder(tf.int64, [None])
            drawn = draw_rows([37, 5], SEED, rows, name="new_rows")
            self.assertEqual(drawn.op.name, "new_rows")
            found = session.run(drawn, {rows: ROWS})
        assert_same_bits(found, draw([37, 5], SEED).numpy()[ROWS])

    @parameterized.parameters(False, True)
    def test_vectorized_map(self, in_a_graph):
        rows = ROWS[:24].reshape(4, 3, 2)
        seeds = tf.constant([[i, 7] for i in range(4)], tf.int64)

        def over_rows(rows):
            inner = lambda r: tf.vectorized_map(  # noqa: E731
                lambda pair: draw_rows([37, 5], SEED, pair), r, fallback_to_while_loop=False
            )
            return tf.vectorized_map(inner, rows, fallback_to_while_loop=False)

        def over_both(rows, seeds):
            return tf.vectorized_map(
                lambda pair: draw_rows([37, 5], pair[1], pair[0][0]),
                (rows, seeds),
                fallback_to_while_loop=False,
            )

        if in_a_graph:
            over_rows, over_both = tf.function(over_rows), tf.function(over_both)
        assert_same_bits(over_rows(tf.constant(rows)), draw([37, 5], SEED).numpy()[rows])
        wanted = [draw([37, 5], seed).numpy()[r[0]] for r, seed in zip(rows, seeds, strict=True)]
        assert_same_bits(over_both(tf.constant(rows), seeds), np.stack(wanted))

    @xla.needs_xla
    def test_the_rows_of_all_members_are_one_call(self):
        rows = tf.constant(ROWS[:24].reshape(12, 2))
        function = compiled(
            lambda rows: tf.vectorized_map(lambda r: draw_rows([37, 5], SEED, r), rows)
        )
        hlo = function.experimental_get_compiler_ir(rows)(stage="optimized_hlo")
        self.assertEqual(hlo.count("custom-call("), 1)
        self.assertIn('custom_call_target="tf_vsinit.variance_scaling_rows"', hlo)
        self.assertNotIn("while(", hlo)

    def test_there_is_no_gradient(self):
        scale = tf.Variable(2.0)
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(draw_rows([37, 5], SEED, [1, 2], scale=scale))
        self.assertIsNone(tape.gradient(loss, scale))


class EmbeddingTest(absltest.TestCase):
    def test_mod_shards_serve_embedding_lookup(self):
        vocabulary, shards = 37, 4
        tables = [
            draw_rows([vocabulary, 5], SEED, range(shard, vocabulary, shards))
            for shard in range(shards)
        ]
        found = tf.compat.v1.nn.embedding_lookup(tables, ROWS, partition_strategy="mod")
        assert_same_bits(found, draw_rows([vocabulary, 5], SEED, ROWS))
        assert_same_bits(found, draw([vocabulary, 5], SEED).numpy()[ROWS])


class ErrorsTest(parameterized.TestCase):
    @parameterized.named_parameters(
        ("beyond", [3, 37, 1], r"`rows` .*below shape\[0\] = 37\. Received: rows\[1\]=37"),
        ("negative", [3, 1, -1], r"`rows` .*below shape\[0\] = 37\. Received: rows\[2\]=-1"),
        ("array", np.array([3, 2**62]), r"`rows` .*Received: rows\[1\]=4611686018427387904"),
        ("beyond_64_bits", [2**63], "`rows` .*9223372036854775808"),
        ("float", [1.0], r"`rows` must be a sequence of integers. .*\[1\.0\]"),
        ("bool", [True], "`rows` must be a sequence of integers. .*True"),
        ("string", "12", "`rows` must be a sequence of integers. .*12"),
        ("none", None, "`rows` must be a sequence of integers. .*None"),
        ("scalar", 3, "`rows` must be a sequence of integers. .*3"),
        ("matrix", [[3, 4]], r"`rows` must be a sequence of integers. .*\[\[3, 4\]\]"),
        ("float_array", np.array([1.5]), r"`rows` must be of dtype int32 or int64 .*1\.5"),
        ("uint8_array", np.array([7], np.uint8), "`rows` must be of dtype int32 or int64 .*7"),
        ("matrix_array", np.array([[3, 4]]), r"`rows` must be .* of shape \[n\].*3, 4"),
        ("scalar_array", np.array(3), r"`rows` must be .* of shape \[n\].*3"),
        ("float_tensor", tf.constant([1.5]), r"`rows` must be of dtype int32 or int64.*1\.5"),
        ("uint8_tensor", tf.constant([7], tf.uint8), "`rows` must be of dtype int32 or .*7"),
        ("matrix_tensor", tf.constant([[3, 4]]), r"`rows` must have shape \[n\].*3, 4"),
        ("scalar_tensor", tf.constant(3), r"`rows` must have shape \[n\].*3"),
    )
    def test_bad_rows_known_in_python(self, rows, message):
        call = lambda: draw_rows([37, 5], SEED, rows)  # noqa: E731
        for function in (call, tf.function(call)):
            with self.assertRaisesRegex(ValueError, f"(?s)Argument {message}"):
                function()

    @parameterized.parameters(
        ([3, 37, 1], r"rows\[1\] must be at least 0 and below shape\[0\] = 37, got 37"),
        ([3, 1, -1], r"rows\[2\] must be at least 0 and below shape\[0\] = 37, got -1"),
    )
    def test_rows_out_of_range_at_run_time(self, rows, message):
        call = lambda rows: draw_rows([37, 5], SEED, rows)  # noqa: E731
        without_elements = lambda rows: draw_rows([37, 0], SEED, rows)  # noqa: E731
        for function in (call, without_elements, *in_graphs(call)):
            for dtype in (tf.int32, tf.int64):
                with self.assertRaisesRegex(tf.errors.InvalidArgumentError, message):
                    function(tf.constant(rows, dtype))

    def test_an_empty_table_has_no_rows(self):
        with self.assertRaisesRegex(ValueError, r"`rows` .*shape\[0\] = 0. Received: rows\[0\]=0"):
            draw_rows([0, 5], SEED, [0])
        with self.assertRaisesRegex(tf.errors.InvalidArgumentError, r"shape\[0\] = 0, got 0"):
            draw_rows([0, 5], SEED, tf.constant([0]))

    def test_a_shape_without_axes(self):
        with self.assertRaisesRegex(ValueError, r"`shape` must have at least one axis.*shape=\[\]"):
            draw_rows([], SEED, [0])
        # The shape function does not see this shape, or sees its rank alone.
        for rank in (None, [None], [0]):
            signature = [tf.TensorSpec(rank, tf.int32)]
            function = tf.function(lambda shape: draw_rows(shape, SEED, [0]))
            with self.assertRaisesRegex(
                (ValueError, tf.errors.InvalidArgumentError), "shape.* must have at least one axis"
            ):
                tf.function(function, input_signature=signature)(tf.zeros([0], tf.int32))

    def test_too_many_elements(self):
        with self.assertRaisesRegex(
            (ValueError, tf.errors.InvalidArgumentError),
            r"rows must ask for fewer than 2\^60 elements, got 2 rows of shape \[46116",
        ):
            draw_rows([1, 2**62], SEED, [0, 0])

    @parameterized.parameters(
        (dict(shape=[3, -2]), "shape"),
        (dict(shape=[2**32, 2**32]), "shape"),
        (dict(shape=[3.0]), "shape"),
        (dict(shape=[None, 3]), "shape"),
        (dict(seed=[1]), "seed"),
        (dict(seed=7), "seed"),
        (dict(scale=0.0), "scale"),
        (dict(scale=float("nan")), "scale"),
        (dict(mode="fan"), "mode"),
        (dict(distribution="gamma"), "distribution"),
        (dict(stream="keras_3"), "stream"),
        (dict(dtype="int32"), "dtype"),
        (dict(input_axes=[0]), "output_axes"),
        (dict(input_axes=[2], output_axes=[0]), "input_axes"),
        (dict(begin=[0, 0]), "begin"),
    )
    def test_what_the_other_function_refuses(self, bad, name):
        arguments = {"shape": [37, 5], "seed": SEED, "rows": [0], **bad}
        with self.assertRaisesRegex(ValueError, f"`{name}`"):
            draw_rows(**arguments)

    def test_a_scale_that_the_dtype_cannot_hold(self):
        with self.assertRaisesRegex(tf.errors.InvalidArgumentError, "scale .*half cannot hold"):
            draw_rows([37, 5], SEED, [0], scale=1e30, dtype="float16")

    @parameterized.parameters(
        (dict(shape=[-1, 3]), r"shape\[0\] must not be negative, got -1"),
        (dict(shape=[[3, 4]]), "shape must be a vector"),
        (dict(shape=[]), "shape must have at least one axis"),
        (dict(seed=[1, 2, 3]), r"seed must have shape \[2\], got"),
        (dict(rows=[[1, 2]]), r"rows must be a vector, got .*\[1, ?2\]"),
        (dict(rows=1), r"rows must be a vector, got .*\[\]"),
        (dict(rows=[9]), r"rows\[0\] must be at least 0 and below shape\[0\] = 3, got 9"),
        (dict(scale=0.0), "scale must be positive and finite, got 0"),
        (dict(scale=[1.0]), "scale must be a scalar"),
        (dict(input_axes=[2]), r"input_axes must be axes of shape \[3, 4\], .* got \[2\]"),
    )
    def test_the_op_checks_its_inputs_in_eager_mode_in_graphs_and_under_xla(self, bad, message):
        op = tf_vsinit.load().vsinit_stateless_variance_scaling_rows
        good = {"shape": [3, 4], "seed": [1, 2], "rows": [0], "scale": 1.0}
        inputs = {
            name: tf.constant(bad.get(name, value), tf.float64 if name == "scale" else tf.int64)
            for name, value in good.items()
        }
        attributes = {name: value for name, value in bad.items() if name not in good}
        # Unknown shapes get past the shape function.
        signature = [tf.TensorSpec(None, value.dtype) for value in inputs.values()]
        functions = [
            tf.function(
                lambda *args: op(**dict(zip(inputs, args, strict=True)), **attributes),
                jit_compile=jit,
                input_signature=signature,
            )
            for jit in JIT
        ]
        calls = [lambda f=f: f(*inputs.values()) for f in functions]
        for call in (lambda: op(**inputs, **attributes), *calls):
            with self.assertRaisesRegex(tf.errors.InvalidArgumentError, message):
                call()

    @xla.needs_xla
    def test_xla_needs_the_number_of_rows(self):
        @compiled
        def those_above(rows):
            return draw_rows([37, 5], SEED, tf.boolean_mask(rows, rows > 5))

        with self.assertRaisesRegex(
            tf.errors.UnimplementedError, r"rows must have a shape known when .* a fixed number"
        ):
            those_above(tf.constant(ROWS))


class ReferenceTest(parameterized.TestCase):
    @parameterized.product(dtype=DTYPES, distribution=DISTRIBUTIONS, stream=STREAMS)
    def test_numpy_gives_the_same_bits(self, dtype, distribution, stream):
        as_dtype = tf.as_dtype(dtype).as_numpy_dtype
        for shape in ([37], [37, 3], [37, 2, 5]):
            options = dict(dtype=as_dtype, distribution=distribution, stream=stream)
            found = reference.stateless_variance_scaling_rows(shape, SEED, ROWS.tolist(), **options)
            assert_same_bits(found, draw_rows(shape, SEED, ROWS, **options))

    @parameterized.parameters(
        (dict(shape=[]), r"`shape` must have at least one axis"),
        (dict(rows=[0, 37]), r"`rows` .*shape\[0\] = 37. Received: rows\[1\]=37"),
        (dict(rows=[-1]), r"`rows` .*Received: rows\[0\]=-1"),
        (dict(rows=[1.0]), r"`rows` must be a sequence of integers"),
        (dict(scale=0), "`scale`"),
    )
    def test_errors(self, bad, message):
        arguments = {"shape": [37, 5], "seed": SEED, "rows": [0], **bad}
        with self.assertRaisesRegex(ValueError, message):
            reference.stateless_variance_scaling_rows(**arguments)


if __name__ == "__main__":
    absltest.main()
