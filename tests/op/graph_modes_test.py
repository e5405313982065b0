"""A draw has the same value in eager mode, functions, v1 graphs, control flow and datasets."""

import concurrent.futures
import itertools

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

import tf_vsinit
from tests.support import processes
from tests.support.bits import assert_same_bits, bits

NAMES = ("HeNormal", "GlorotUniform", "LecunNormal")
DTYPES = ("float16", "bfloat16", "float32", "float64")
# Name, dtype and keyword arguments.
CASES = (
    *((name, dtype, {}) for name, dtype in itertools.product(NAMES, DTYPES)),
    *(
        (name, dtype, dict(stream="tensorflow"))
        for name, dtype in zip(("GlorotUniform", *NAMES), DTYPES[::-1], strict=True)
    ),
)
OP_TYPE = "VsinitStatelessVarianceScaling"

tf1 = tf.compat.v1


def make(name, **kwargs):
    return getattr(tf_vsinit, name)(seed=3, **kwargs)


class SameValuesTest(parameterized.TestCase):
    def check(self, drawn, expected):
        assert_same_bits(drawn, expected)

    @parameterized.parameters(*CASES)
    def test_function(self, name, dtype, kwargs):
        initializer = make(name, **kwargs)
        expected = initializer([9, 13], dtype)

        @tf.function
        def static():
            return initializer([9, 13], dtype)

        self.check(static(), expected)

        for index_dtype in (tf.int32, tf.int64):

            @tf.function(input_signature=[tf.TensorSpec([2], index_dtype)])
            def shape_at_run_time(shape):
                return initializer(shape, dtype)

            self.check(shape_at_run_time(tf.constant([9, 13], index_dtype)), expected)
            self.check(
                shape_at_run_time(tf.constant([2, 5], index_dtype)), initializer([2, 5], dtype)
            )

            @tf.function(input_signature=[tf.TensorSpec([], index_dtype)])
            def extent_at_run_time(extent):
                return initializer([extent, 13], dtype)

            self.check(extent_at_run_time(tf.constant(9, index_dtype)), expected)

    def test_function_traced_by_autograph(self):
        initializer = make("HeNormal")

        @tf.function
        def looped(count):
            total = tf.zeros([4, 5])
            for _ in tf.range(count):
                if tf.reduce_sum(total) < 1e9:
                    total += initializer([4, 5])
            return total

        once = initializer([4, 5])
        self.check(looped(tf.constant(2)), tf.zeros([4, 5]) + once + once)

    @parameterized.parameters(*CASES)
    def test_v1_graph_and_session(self, name, dtype, kwargs):
        initializer = make(name, **kwargs)
        expected = initializer([9, 13], dtype)
        with tf.Graph().as_default():
            static = initializer([9, 13], dtype)
            self.assertEqual(static.shape, [9, 13])
            shape = tf1.placeholder(tf.int32, [2])
            dynamic = initializer(shape, dtype)
            with tf1.Session() as session:
                self.check(session.run(static), expected)
                self.check(session.run(static), expected)
                self.check(session.run(dynamic, {shape: [9, 13]}), expected)

    def test_v1_variables(self):
        initializer = make("HeNormal")
        expected = initializer([9, 13])
        for use_resource in (False, True):
            with tf.Graph().as_default():
                with tf1.variable_scope(
                    "scope", use_resource=use_resource, initializer=initializer
                ):
                    variable = tf1.get_variable("kernel", [9, 13])
                with tf1.Session() as session:
                    session.run(tf1.global_variables_initializer())
                    self.check(session.run(variable), expected)

    @parameterized.parameters(*CASES)
    def test_variable(self, name, dtype, kwargs):
        initializer = make(name, **kwargs)
        expected = initializer([7, 7], dtype)
        variable = tf.Variable(initializer(shape=[7, 7], dtype=tf.as_dtype(dtype)))
        self.check(variable, expected)
        variable = tf.Variable(lambda: initializer(shape=[7, 7], dtype=dtype))
        self.check(variable, expected)

    def test_variable_lifted_out_of_a_function(self):
        initializer = make("HeNormal")
        made = []

        @tf.function
        def first_call_makes_the_variable(x):
            if not made:
                made.append(tf.Variable(lambda: initializer(shape=[7, 7], dtype=tf.float32)))
            return made[0] @ x

        product = first_call_makes_the_variable(tf.eye(7))
        self.check(product, initializer([7, 7]))
        self.check(made[0], initializer([7, 7]))

    def test_variable_whose_initial_value_a_function_computes(self):
        # Here TensorFlow lifts nothing: the value is a tensor of the function's graph.
        initializer = make("HeNormal")
        made = []

        @tf.function
        def first_call_makes_the_variable():
            if not made:
                made.append(tf.Variable(initializer(shape=[7, 7], dtype=tf.float32)))
            return made[0].read_value()

        self.check(first_call_makes_the_variable(), initializer([7, 7]))

    def test_init_scope(self):
        initializer = make("HeNormal")
        outside = []

        @tf.function
        def lifted():
            with tf.init_scope():
                outside.append(initializer([5, 5]))
            return tf.constant(0)

        lifted()
        self.check(outside[0], initializer([5, 5]))

    @parameterized.parameters("vsinit", "tensorflow")
    def test_control_flow(self, stream):
        initializer = make("HeNormal", stream=stream)
        expected = initializer([4, 6])

        @tf.function
        def cond(flag):
            return tf.cond(flag, lambda: initializer([4, 6]), lambda: tf.zeros([4, 6]))

        self.check(cond(tf.constant(True)), expected)
        self.check(cond(tf.constant(False)), tf.zeros([4, 6]))

        def whole_by_rows():
            def body(row, rows):
                part = initializer([4, 6], partition_shape=[1, 6], partition_offset=[row, 0])
                return row + 1, tf.concat([rows, part], 0)

            return tf.while_loop(
                lambda row, _: row < 4,
                body,
                (tf.constant(0), tf.zeros([0, 6])),
                shape_invariants=(tf.TensorShape([]), tf.TensorShape([None, 6])),
            )[1]

        self.check(whole_by_rows(), expected)
        self.check(tf.function(whole_by_rows)(), expected)

        def row(number):
            return initializer([4, 6], partition_shape=[1, 6], partition_offset=[number, 0])[0]

        self.check(tf.map_fn(row, tf.range(4), fn_output_signature=tf.float32), expected)
        self.check(tf.vectorized_map(row, tf.range(4)), expected)

    def test_dataset(self):
        initializer = make("HeNormal")

        def row(number):
            return initializer([100, 6], partition_shape=[1, 6], partition_offset=[number, 0])[0]

        dataset = tf.data.Dataset.range(100).map(row, num_parallel_calls=tf.data.AUTOTUNE)
        self.check(tf.stack(list(dataset)), initializer([100, 6]))

    def test_py_function(self):
        initializer = make("HeNormal")

        @tf.function
        def called_back():
            return tf.py_function(lambda: initializer([4, 6]), [], tf.float32)

        self.check(called_back(), initializer([4, 6]))

    def test_devices(self):
        initializer = make("HeNormal")
        expected = initializer([5, 6])
        for device in ("CPU:0", "/job:localhost/replica:0/task:0/device:CPU:0", None):
            with tf.device(device):
                self.check(initializer([5, 6]), expected)
                self.check(tf.function(lambda: initializer([5, 6]))(), expected)

    def test_mirrored_strategy(self):
        initializer = make("HeNormal")
        with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
            variable = tf.Variable(lambda: initializer([5, 6]))
        self.check(variable, initializer([5, 6]))


class TensorFlow1ProgramTest(parameterized.TestCase):
    @parameterized.parameters(
        itertools.product(
            ("tf.compat.v1.disable_v2_behavior()", "tf.compat.v1.disable_eager_execution()"),
            ("0", "1"),
        )
    )
    def test_program_without_eager_mode(self, disable, legacy_keras):
        code = (
            f"import tensorflow as tf; {disable}\n"
            "import tf_vsinit\n"
            "drawn = tf_vsinit.HeNormal(seed=3)([9, 13])\n"
            "values = tf.compat.v1.Session().run(drawn)\n"
            "print('drawn', values.tobytes().hex())"
        )
        output = processes.output_of("-c", code, TF_USE_LEGACY_KERAS=legacy_keras)
        expected = make("HeNormal")([9, 13]).numpy().tobytes().hex()
        self.assertIn(f"drawn {expected}\n", output)


class ThreadsTest(absltest.TestCase):
    def test_concurrent_calls(self):
        shapes = [(n, m) for n in range(1, 21) for m in (3, 5)]
        seeds = range(5)
        tasks = list(itertools.product(shapes, seeds)) * 5
        initializers = [tf_vsinit.HeNormal(seed=seed) for seed in seeds]

        def draw(task):
            shape, seed = task
            return bits(initializers[seed](shape)).tobytes()

        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            drawn = list(pool.map(draw, tasks))
        self.assertEqual(drawn, [draw(task) for task in tasks])

    def test_concurrent_calls_of_one_function_and_many_graphs(self):
        initializer = make("HeNormal")
        expected = bits(initializer([33, 7])).tobytes()

        @tf.function
        def shared():
            return initializer([33, 7])

        def draw(index):
            if index % 2:
                return bits(shared()).tobytes()
            with tf.Graph().as_default():
                values = initializer([33, 7])
                with tf1.Session() as session:
                    return bits(session.run(values)).tobytes()

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            self.assertEqual(set(pool.map(draw, range(48))), {expected})

    def test_eager_calls_beside_tracing(self):
        initializer = make("HeNormal")

        def draw(index):
            call = tf.function(lambda: initializer([index, 3])) if index % 2 else initializer
            return bits(call() if index % 2 else call([index, 3])).tobytes()

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            drawn = list(pool.map(draw, range(1, 65)))
        for index, values in enumerate(drawn, start=1):
            self.assertEqual(values, bits(initializer([index, 3])).tobytes())


class GraphsTest(absltest.TestCase):
    def test_functions_capture_no_eager_tensor(self):
        initializer = make("HeNormal")
        initializer([6, 6])  # Fills the caches of eager mode.

        concrete = tf.function(lambda: initializer([6, 6])).get_concrete_function()
        self.assertEmpty(concrete.captured_inputs)
        with tf.Graph().as_default() as graph:
            initializer([6, 6])
            types = {node.op for node in graph.as_graph_def().node}
        self.assertEqual(types, {"Const", OP_TYPE})

    def test_a_draw_is_one_op(self):
        concrete = tf.function(lambda: make("HeNormal")([6, 6])).get_concrete_function()
        types = [node.op for node in concrete.graph.as_graph_def().node]
        self.assertEqual(types.count(OP_TYPE), 1)
        self.assertContainsSubset(types, {"Const", OP_TYPE, "Identity", "NoOp"})

    def test_op_is_not_stateful(self):
        with tf.Graph().as_default():
            self.assertFalse(make("HeNormal")([6, 6]).op.op_def.is_stateful)

    def run_and_return_graphs(self, session, fetch):
        """Returns the value and the optimised graphs."""
        metadata = tf1.RunMetadata()
        options = tf1.RunOptions(output_partition_graphs=True)
        value = session.run(fetch, options=options, run_metadata=metadata)
        return value, metadata.partition_graphs

    def check_small_and_drawing(self, graphs):
        self.assertLess(sum(graph.ByteSize() for graph in graphs), 100_000)
        self.assertIn(OP_TYPE, [node.op for graph in graphs for node in graph.node])

    def test_a_large_draw_is_not_folded_into_the_graph(self):
        shape = [5120, 5120]  # 100 MB in float32.
        with tf.Graph().as_default() as graph:
            drawn = make("HeNormal")(shape)
            with tf1.Session() as session:
                value, graphs = self.run_and_return_graphs(session, drawn)
        self.assertLess(graph.as_graph_def().ByteSize(), 10_000)
        self.check_small_and_drawing(graphs)
        assert_same_bits(value, make("HeNormal")(shape))

    def test_the_graph_of_a_large_variable_stays_small(self):
        with tf.Graph().as_default() as graph:
            variable = tf1.get_variable("kernel", [5120, 5120], initializer=make("HeNormal"))
            with tf1.Session() as session:
                _, graphs = self.run_and_return_graphs(session, variable.initializer)
        self.assertLess(graph.as_graph_def().ByteSize(), 10_000)
        self.check_small_and_drawing(graphs)


class GradientTest(absltest.TestCase):
    def test_training_a_drawn_variable(self):
        variable = tf.Variable(make("HeNormal")([3, 3]))
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(variable**2)
        np.testing.assert_allclose(tape.gradient(loss, variable), 2 * variable, rtol=1e-6)

    def test_gradient_through_a_function_that_draws(self):
        @tf.function
        def loss(x):
            return tf.reduce_sum(make("HeNormal")([3, 3]) @ x)

        x = tf.ones([3, 3])
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = loss(x)
        expected = tf.reduce_sum(make("HeNormal")([3, 3]), 0)[:, None] * tf.ones([1, 3])
        np.testing.assert_allclose(tape.gradient(value, x), expected, rtol=1e-5)


if __name__ == "__main__":
    absltest.main()
