"""What XLA makes of the op: one program for every seed, one call in it, one buffer."""

import os
import tempfile

import numpy as np
import tensorflow as tf
from absl.testing import absltest

import tf_vsinit
from tests.support import processes
from tests.support.bits import assert_same_bits

draw = tf_vsinit.stateless_variance_scaling


def compiled(function):
    return tf.function(function, jit_compile=True, autograph=False)


def optimized_hlo(function, *args):
    return function.experimental_get_compiler_ir(*args)(stage="optimized_hlo")


class OneProgramTest(absltest.TestCase):
    def test_one_compiled_program_serves_every_seed(self):
        with tempfile.TemporaryDirectory() as folder:
            printed = processes.output_of(
                "-c",
                """
import tensorflow as tf
import tf_vsinit

draw = tf.function(
    lambda seed: tf_vsinit.stateless_variance_scaling([40, 30], seed), jit_compile=True)
print(len({draw(tf.constant([i, 5], tf.int64)).numpy().tobytes() for i in range(7)}))
""",
                XLA_FLAGS=f"--xla_dump_to={folder} --xla_dump_hlo_as_text",
            )
            programs = [n for n in os.listdir(folder) if n.endswith("before_optimizations.txt")]
        self.assertEqual(printed.split(), ["7"])
        self.assertLen(programs, 1)

    def test_a_draw_is_one_call(self):
        function = compiled(lambda seed: draw([64, 48], seed))
        hlo = optimized_hlo(function, tf.constant([1, 2], tf.int64))
        entry = [line for line in hlo.splitlines() if " = " in line]
        self.assertLen(entry, 2, hlo)
        self.assertIn("parameter(0)", entry[0])
        self.assertRegex(entry[1], r"ROOT .* = f32\[64,48\]\{1,0\} custom-call\(")

    def test_a_larger_program_has_one_call_and_no_generator(self):
        def step(seed, x):
            weights = draw([64, 48], seed)
            return tf.nn.relu(x @ weights) + tf.reduce_sum(weights * 2.0 + 1.0)

        function = compiled(step)
        hlo = optimized_hlo(function, tf.constant([1, 2], tf.int64), tf.ones([3, 64]))
        self.assertEqual(hlo.count('custom_call_target="tf_vsinit.'), 1)
        stock = compiled(lambda seed: tf.random.stateless_uniform([64, 48], seed))
        stock_hlo = optimized_hlo(stock, tf.constant([1, 2], tf.int64))
        for sign_of_philox in (" xor(", "u32[", "u64["):
            self.assertIn(sign_of_philox, stock_hlo)
            self.assertNotIn(sign_of_philox, hlo)

    def test_the_call_is_row_major_and_xla_transposes_its_result(self):
        seed = tf.constant([1, 2], tf.int64)
        row_major = r"= f32\[64,48\]\{1,0\} custom-call\(.*\n"
        hlo = optimized_hlo(compiled(lambda seed: tf.transpose(draw([64, 48], seed))), seed)
        self.assertRegex(hlo, row_major)
        self.assertRegex(hlo, r"ROOT .* = f32\[48,64\]\{1,0\} fusion\(%VsinitStateless")
        # A product reads the row-major result.
        function = compiled(lambda seed, x: x @ tf.transpose(draw([64, 48], seed)))
        hlo = optimized_hlo(function, seed, tf.ones([3, 48]))
        self.assertRegex(hlo, row_major)
        self.assertRegex(hlo, r"ROOT .* dot\(.*VsinitStateless.*rhs_contracting_dims=\{1\}")
        self.assertNotIn("transpose(", hlo)

    def test_values_do_not_depend_on_the_layout_that_xla_prefers(self):
        seed = tf.constant([1, 2], tf.int64)
        weights = draw([64, 48], seed)
        function = compiled(lambda seed: tf.transpose(draw([64, 48], seed)))
        assert_same_bits(function(seed), tf.transpose(weights))
        # Products that read a transposed draw, or for which a transposed operand is cheap.
        ones = tf.eye(48)
        function = compiled(lambda seed: ones @ tf.transpose(draw([64, 48], seed)))
        np.testing.assert_array_equal(function(seed), tf.transpose(weights))
        function = compiled(lambda seed: tf.einsum("io,ob->bi", draw([64, 48], seed), ones))
        np.testing.assert_array_equal(function(seed), tf.transpose(weights))


class AutoClusteringTest(absltest.TestCase):
    def test_a_cluster_contains_the_draw_and_keeps_its_bits(self):
        with tempfile.TemporaryDirectory() as folder:
            printed = processes.output_of(
                "-c",
                """
import numpy as np
import tensorflow as tf
import tf_vsinit


@tf.function
def step(seed):
    weights = tf_vsinit.stateless_variance_scaling([64, 32], seed)
    return weights * 1.0, tf.reduce_sum(tf.nn.relu(weights * 2.0 + 1.0) * tf.exp(weights))


for i in range(3):
    seed = tf.constant([i, 4], tf.int64)
    wanted = tf_vsinit.stateless_variance_scaling([64, 32], seed)
    print(np.array_equal(step(seed)[0], wanted))
""",
                TF_XLA_FLAGS="--tf_xla_auto_jit=2 --tf_xla_cpu_global_jit",
                XLA_FLAGS=f"--xla_dump_to={folder} --xla_dump_hlo_as_text",
            )
            programs = []
            for name in os.listdir(folder):
                if name.endswith("after_optimizations.txt"):
                    with open(os.path.join(folder, name)) as file:
                        programs.append(file.read())
        self.assertEqual(printed.split(), ["True"] * 3)
        calls = sum(program.count('custom_call_target="tf_vsinit.') for program in programs)
        self.assertEqual(calls, 1)

    def test_a_shape_known_only_at_run_time_is_drawn_without_xla(self):
        printed = processes.output_of(
            "-c",
            """
import numpy as np
import tensorflow as tf
import tf_vsinit


@tf.function
def as_many_as_positive(x):
    count = tf.size(tf.boolean_mask(x, x > 0))
    return tf_vsinit.stateless_variance_scaling(tf.stack([count, 4]), [1, 2]) * 2.0 + 0.0


for count in (2, 3):
    wanted = tf_vsinit.stateless_variance_scaling([count, 4], [1, 2])
    x = tf.constant([1.0] * count + [-1.0])
    print(np.array_equal(as_many_as_positive(x), wanted * 2.0))
""",
            TF_XLA_FLAGS="--tf_xla_auto_jit=2 --tf_xla_cpu_global_jit",
        )
        self.assertEqual(printed.split(), ["True"] * 2)


class MemoryTest(absltest.TestCase):
    def test_a_draw_allocates_one_buffer(self):
        program = """
import tensorflow as tf
import tf_vsinit
from tests.support import process_memory

draw = tf.function(
    lambda seed: tf_vsinit.stateless_variance_scaling([16384, 8192], seed), jit_compile=True)
small = tf.function(
    lambda seed: tf_vsinit.stateless_variance_scaling([16, 8], seed), jit_compile=True)
seed = tf.constant([1, 2], tf.int64)
small(seed)
with process_memory.peak_rise() as rise:
    values = draw(seed)
print(rise["self"] / 512)
"""
        self.assertBetween(float(processes.output_of("-c", program)), 0.95, 1.1)


if __name__ == "__main__":
    absltest.main()
