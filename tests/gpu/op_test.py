"""The op on a GPU draws the bits of the CPU in every mode. Without a GPU, all tests are skipped."""

import itertools
import unittest

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

import tf_vsinit
from tests.support import boxes, processes
from tests.support.bits import assert_same_bits, bits
from tf_vsinit import _tensorflow_private, loading

GPU, CPU = "/GPU:0", "/CPU:0"
DTYPES = (tf.float16, tf.bfloat16, tf.float32, tf.float64)
STREAMS = ("vsinit", "tensorflow")
DISTRIBUTIONS = ("truncated_normal", "untruncated_normal", "uniform")

draw = tf_vsinit.stateless_variance_scaling
tf1 = tf.compat.v1


def setUpModule():
    if not tf.config.list_physical_devices("GPU"):
        raise unittest.SkipTest("TensorFlow sees no GPU here")
    if loading.why_no_gpu_kernels():
        raise unittest.SkipTest(f"no GPU kernels: {loading.why_no_gpu_kernels()}")


def draw_on(device, *args, **kwargs):
    with tf.device(device):
        return draw(*args, **kwargs)


class GpuTestCase(parameterized.TestCase):
    def check(self, drawn, expected, device=GPU):
        """Checks that a tensor is on a device and has the bits of another."""
        self.assertEndsWith(drawn.device, device.lstrip("/"))
        self.assertEqual(drawn.dtype, expected.dtype)
        assert_same_bits(drawn, expected)


class EagerTest(GpuTestCase):
    @parameterized.parameters(itertools.product(STREAMS, DISTRIBUTIONS, DTYPES))
    def test_stream_distribution_dtype_and_box(self, stream, distribution, dtype):
        kind = dict(stream=stream, distribution=distribution, dtype=dtype)
        for shape, begin, size in boxes.BOXES:
            with self.subTest(shape=shape, begin=begin, size=size):
                arguments = dict(begin=begin, size=size, **kind)
                expected = draw_on(CPU, shape, [7, -3], **arguments)
                self.check(draw_on(GPU, shape, [7, -3], **arguments), expected)

    @parameterized.parameters(itertools.product(STREAMS, DISTRIBUTIONS, DTYPES))
    def test_listed_rows(self, stream, distribution, dtype):
        rows = np.random.default_rng(1).integers(0, 2**55, 50)
        for row_size in (1, 3, 64):
            drawn = []
            for device in (CPU, GPU):
                with tf.device(device):
                    drawn += [
                        tf_vsinit.stateless_variance_scaling_rows(
                            [2**55, row_size],
                            [7, -3],
                            rows,
                            mode="fan_out",
                            stream=stream,
                            distribution=distribution,
                            dtype=dtype,
                        )
                    ]
            self.check(drawn[1], drawn[0])

    def test_rows_outside_the_table(self):
        draw_rows = tf_vsinit.stateless_variance_scaling_rows
        call = lambda rows: draw_rows([9, 5], [1, 2], rows)  # noqa: E731
        for function in (call, tf.function(call, jit_compile=True)):
            with (
                tf.device(GPU),
                self.assertRaisesRegex(tf.errors.InvalidArgumentError, r"rows\[1\] .* got 9"),
            ):
                function(tf.constant([0, 9]))

    def test_the_reference_agrees(self):
        drawn = draw_on(GPU, [33, 17], [1, 2], scale=2.0)
        expected = tf_vsinit.reference.stateless_variance_scaling([33, 17], [1, 2], scale=2.0)
        assert_same_bits(drawn, expected)

    @parameterized.parameters(itertools.product(STREAMS, DISTRIBUTIONS))
    def test_subnormal_values(self, stream, distribution):
        arguments = dict(stream=stream, distribution=distribution, scale=1e-78)
        expected = draw_on(CPU, [33, 17], [1, 2], **arguments)
        self.assertGreater(np.count_nonzero(bits(expected) & 0x7FFFFFFF), 500)
        self.check(draw_on(GPU, [33, 17], [1, 2], **arguments), expected)

    @parameterized.parameters("fan_in", "fan_out", "fan_avg", "fan_geo_avg")
    def test_mode_scale_and_axes(self, mode):
        for axes in ({}, dict(input_axes=[0], output_axes=[1, 2])):
            arguments = dict(mode=mode, scale=1 / 3, **axes)
            expected = draw_on(CPU, (6, 5, 4), [1, 2], **arguments)
            self.check(draw_on(GPU, (6, 5, 4), [1, 2], **arguments), expected)

    def test_seeds_of_32_and_64_bits_on_either_device(self):
        for seed, dtype in (((-1, 3), tf.int32), ((-1, 3), tf.int64), ((2**40, -1), tf.int64)):
            expected = draw_on(CPU, [33, 17], tf.constant(seed, dtype))
            for device in (CPU, GPU):
                with tf.device(device):
                    seed_there = tf.constant(seed, dtype)
                self.check(draw_on(GPU, [33, 17], seed_there), expected)

    def test_a_draw_runs_on_the_gpu_by_default(self):
        self.check(draw([33, 17], [1, 2]), draw_on(CPU, [33, 17], [1, 2]))

    def test_every_gpu_of_the_machine(self):
        gpus = [gpu.name for gpu in tf.config.list_logical_devices("GPU")]
        for begin, size in (((0, 0), (-1, -1)), ((1, 3), (-1, 1496))):
            expected = draw_on(CPU, [2001, 1501], [7, -3], begin=begin, size=size)
            # Twice: the first draw on a device also queries its properties.
            for gpu in 2 * gpus:
                with self.subTest(gpu=gpu, begin=begin):
                    drawn = draw_on(gpu, [2001, 1501], [7, -3], begin=begin, size=size)
                    self.check(drawn, expected, gpu)

    def test_inputs_that_the_host_reads_stay_on_the_host(self):
        make = _tensorflow_private.host_tensors()
        for value, dtype in (((1, 2), tf.int64), (0.5, tf.float64)):
            self.assertEndsWith(make(value, dtype).backing_device, "CPU:0")

    def test_elements_beyond_4_gib(self):
        count, tail = 2**32 + 1024, 4096
        try:
            drawn = draw_on(GPU, [count], [1, 2], dtype=tf.bfloat16)
        except tf.errors.ResourceExhaustedError:
            self.skipTest("the GPU has no 8 GiB to spare")
        for begin in (0, 2**31 - 64, 2**32 - 64, count - tail):
            arguments = dict(begin=[begin], size=[tail], dtype=tf.bfloat16)
            part = tf.slice(drawn, tf.constant([begin], tf.int64), tf.constant([tail], tf.int64))
            self.check(part, draw_on(CPU, [count], [1, 2], **arguments))


class GraphTest(GpuTestCase):
    def test_function(self):
        @tf.function
        def function(shape, seed):
            with tf.device(GPU):
                return draw(shape, seed)

        for extent in (1, 7, 300):
            shape, seed = tf.constant([extent, 200]), tf.constant([extent, 5], tf.int64)
            self.check(function(shape, seed), draw_on(CPU, [extent, 200], [extent, 5]))

    def test_v1_graph_and_session(self):
        with tf.Graph().as_default() as graph, tf1.Session(graph=graph) as session:
            with tf.device(GPU):
                drawn = draw([300, 200], [1, 2], distribution="uniform")
            self.assertEqual(drawn.op.device, "/device:GPU:0")
            found = session.run(drawn)
        expected = draw_on(CPU, [300, 200], [1, 2], distribution="uniform")
        assert_same_bits(found, expected)

    def test_many_draws_in_one_program_are_independent(self):
        @tf.function
        def function(seeds):
            with tf.device(GPU):
                return tf.map_fn(
                    lambda seed: draw([100, 33], seed), seeds, fn_output_signature=tf.float32
                )

        seeds = tf.stack([tf.range(64, dtype=tf.int64), tf.ones(64, tf.int64)], axis=1)
        expected = tf.stack([draw_on(CPU, [100, 33], [i, 1]) for i in range(64)])
        assert_same_bits(function(seeds), expected)


class XlaTest(GpuTestCase):
    @parameterized.parameters(itertools.product(STREAMS, DISTRIBUTIONS, DTYPES))
    def test_compiled(self, stream, distribution, dtype):
        kind = dict(stream=stream, distribution=distribution, dtype=dtype)
        for shape, begin, size in boxes.BOXES:
            arguments = dict(begin=begin, size=size, **kind)
            with self.subTest(shape=shape, begin=begin, size=size):

                @tf.function(jit_compile=True, autograph=False)
                def function(seed, shape=shape, arguments=arguments):
                    return draw(shape, seed, **arguments)

                for seed_dtype in (tf.int32, tf.int64):
                    with tf.device(GPU):
                        drawn = function(tf.constant([7, -3], seed_dtype))
                    self.check(drawn, draw_on(CPU, shape, [7, -3], **arguments))

    def test_a_larger_program_that_computes_the_seed(self):
        def function(seed):
            a = draw([300, 200], seed * 3)
            # A product with a power of two is exact, so fusion cannot change it.
            return a * 4.0, tf.transpose(a), draw([300, 200], seed + 1, dtype=tf.float64)

        seed = tf.constant([5, 6], tf.int64)
        with tf.device(CPU):
            expected = function(seed)
        with tf.device(GPU):
            drawn = tf.function(function, jit_compile=True)(seed)
        for found, wanted in zip(drawn, expected, strict=True):
            self.check(found, wanted)

    def test_a_draw_is_one_call(self):
        function = tf.function(lambda seed: draw([64, 48], seed), jit_compile=True)
        with tf.device(GPU):
            ir = function.experimental_get_compiler_ir(tf.constant([1, 2], tf.int64))
            hlo = ir(stage="optimized_hlo")
        self.assertEqual(hlo.count('custom_call_target="tf_vsinit.'), 1, hlo)

    def test_auto_clustering_keeps_the_bits(self):
        program = f"""
import numpy as np
import tensorflow as tf
import tf_vsinit


@tf.function
def step(seed):
    weights = tf_vsinit.stateless_variance_scaling([64, 32], seed)
    return weights * 1.0, tf.reduce_sum(tf.nn.relu(weights * 2.0 + 1.0) * tf.exp(weights))


for i in range(3):
    with tf.device({CPU!r}):
        wanted = tf_vsinit.stateless_variance_scaling([64, 32], [i, 4])
    print(np.array_equal(step(tf.constant([i, 4], tf.int64))[0], wanted))
"""
        output = processes.output_of("-c", program, TF_XLA_FLAGS="--tf_xla_auto_jit=2")
        self.assertEqual(output.split(), ["True"] * 3)


class ManySeedsTest(GpuTestCase):
    def test_vectorized_map_launches_for_each_seed(self):
        seeds = tf.stack([tf.range(5, dtype=tf.int64), tf.ones(5, tf.int64)], axis=1)
        for dtype in DTYPES:
            # With an odd number of elements, some results are not aligned for the widest stores.
            arguments = dict(shape=[13, 7], begin=[0, 1], size=[-1, 5], dtype=dtype)
            expected = tf.stack(
                [draw_on(CPU, seed=pair, **arguments) for pair in seeds.numpy().tolist()]
            )

            def many(seeds, arguments=arguments):
                return tf.vectorized_map(lambda seed: draw(seed=seed, **arguments), seeds)

            for function in (many, tf.function(many), tf.function(many, jit_compile=True)):
                with tf.device(GPU):
                    drawn = function(seeds)
                self.check(drawn, expected)


class VariableTest(GpuTestCase):
    def test_variable(self):
        with tf.device(GPU):
            variable = tf.Variable(tf_vsinit.HeNormal(seed=1)([300, 200]))
        with tf.device(CPU):
            expected = tf_vsinit.HeNormal(seed=1)([300, 200])
        self.check(variable.read_value(), expected)

    def test_layer(self):
        initializer = tf_vsinit.GlorotUniform(seed=3)
        with tf.device(GPU):
            layer = tf.keras.layers.Dense(200, kernel_initializer=initializer)
            layer.build([None, 300])
        with tf.device(CPU):
            expected = initializer([300, 200])
        assert_same_bits(layer.kernel, expected)

    def test_the_tensorflow_stream_has_the_values_that_stock_has_on_a_cpu(self):
        for dtype in DTYPES:
            with tf.device(CPU):
                expected = tf.keras.initializers.HeNormal(seed=1)([300, 200], dtype.name)
            with tf.device(GPU):
                drawn = tf_vsinit.HeNormal(seed=1, stream="tensorflow")([300, 200], dtype.name)
            self.check(drawn, tf.convert_to_tensor(expected))

    def test_v1_variable(self):
        with tf.Graph().as_default() as graph, tf1.Session(graph=graph) as session:
            with tf.device(GPU):
                initializer = tf_vsinit.compat.v1.he_normal(seed=1)
                variable = tf1.get_variable("v", [300, 200], initializer=initializer)
            session.run(tf1.global_variables_initializer())
            found = session.run(variable)
        with tf.Graph().as_default() as graph, tf1.Session(graph=graph) as session:
            with tf.device(CPU):
                expected = session.run(tf_vsinit.compat.v1.he_normal(seed=1)([300, 200]))
        assert_same_bits(found, expected)


class MemoryTest(GpuTestCase):
    def test_a_draw_allocates_its_tensor_and_no_more(self):
        draw_on(GPU, [8], [1, 2])
        before = tf.config.experimental.get_memory_info("GPU:0")["current"]
        tf.config.experimental.reset_memory_stats("GPU:0")
        drawn = draw_on(GPU, [2**24], [1, 2])
        self.assertEqual(tf.size(drawn).numpy(), 2**24)
        rise = tf.config.experimental.get_memory_info("GPU:0")["peak"] - before
        # The slack is what the allocator rounds small host tensors up to.
        self.assertBetween(rise, 2**26, 2**26 + 2**16)


class ErrorTest(GpuTestCase):
    @parameterized.parameters(
        ([3, -4], 1.0, r"shape\[1\] must not be negative, got -4 in shape \[3, -4\]"),
        ([3, 4], -1.0, "scale must be positive and finite, got -1"),
        ([3, 4], 1e300, r"scale 1e\+300 leads to values up to .*, which float cannot hold"),
    )
    def test_bad_input_raises_the_error_of_the_cpu(self, shape, scale, words):
        @tf.function
        def function(shape, scale):
            return draw(shape, [1, 2], scale=scale)

        for device in (CPU, GPU):
            with tf.device(device), self.assertRaisesRegex(tf.errors.InvalidArgumentError, words):
                function(tf.constant(shape), tf.constant(scale, tf.float64))

    def test_too_little_memory_is_an_error_and_the_next_draw_works(self):
        with self.assertRaises(tf.errors.ResourceExhaustedError):
            draw_on(GPU, [2**45], [1, 2])
        self.check(draw_on(GPU, [9, 4], [1, 2]), draw_on(CPU, [9, 4], [1, 2]))


if __name__ == "__main__":
    absltest.main()
