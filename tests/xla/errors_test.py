"""Errors under XLA: those of eager mode, and clear ones for what XLA cannot compile."""

import tensorflow as tf
from absl.testing import absltest, parameterized

import tf_vsinit

draw = tf_vsinit.stateless_variance_scaling


class ErrorTest(parameterized.TestCase):
    def test_shape_known_only_at_run_time(self):
        @tf.function(jit_compile=True)
        def as_many_as_positive(x):
            count = tf.size(tf.boolean_mask(x, x > 0))
            return draw(tf.stack([count, 4]), [1, 2])

        with self.assertRaisesRegex(
            tf.errors.UnimplementedError, "shape must be known when XLA compiles .* draw outside"
        ):
            as_many_as_positive(tf.constant([1.0, -1.0, 2.0]))

    def test_number_of_seeds_known_only_at_run_time(self):
        @tf.function
        def members(seeds, wanted):
            chosen = tf.boolean_mask(seeds, wanted)
            return tf.vectorized_map(lambda seed: draw([3, 2], seed), chosen)

        seeds = tf.constant([[i, 0] for i in range(5)], tf.int64)
        with self.assertRaisesRegex(
            tf.errors.UnimplementedError, r"seed must have a shape known when .* got s64\[<=5,2\]"
        ):
            tf.function(members, jit_compile=True)(seeds, seeds[:, 0] > 2)

    @parameterized.parameters("begin", "size", "scale")
    def test_other_arguments_known_only_at_run_time(self, name):
        @tf.function(jit_compile=True)
        def in_a_loop():
            def body(i, total):
                value = {"begin": [i, 0], "size": [i, -1], "scale": tf.cast(i + 1, tf.float64)}
                return i + 1, total + tf.reduce_sum(draw([9, 4], [1, 2], **{name: value[name]}))

            return tf.while_loop(lambda i, _: i < 3, body, (0, 0.0))

        with self.assertRaisesRegex(
            tf.errors.UnimplementedError, f"{name} must be known when XLA compiles"
        ):
            in_a_loop()

    @parameterized.parameters(
        ({"shape": [-1, 3]}, r"shape\[0\] must not be negative, got -1 in shape \[-1, 3\]"),
        ({"shape": [2**40, 2**40]}, r"shape must have fewer than 2\^63 elements"),
        ({"shape": [[3, 4]]}, "shape must be a vector"),
        ({"begin": [4, 0]}, r"begin\[0\] must be from 0 to shape\[0\] = 3, got 4"),
        ({"begin": [0]}, "begin and size must have one entry per axis"),
        ({"size": [3, 5]}, r"size\[1\] must be -1 .* = 4, got 5"),
        ({"size": [-2, 4]}, r"size\[0\] must be -1 .* = 3, got -2"),
        ({"seed": [1, 2, 3]}, r"seed must have shape \[2\], got"),
        ({"seed": []}, r"seed must have shape \[2\], got"),
        ({"scale": 0.0}, "scale must be positive and finite, got 0"),
        ({"scale": float("nan")}, "scale must be positive and finite, got nan"),
        ({"scale": [1.0]}, "scale must be a scalar"),
        ({"scale": 1e300}, r"scale 1e\+300 leads to values up to .*, which float cannot hold"),
        ({"input_axes": [2]}, r"input_axes must be axes of shape \[3, 4\], .* got \[2\]"),
        ({"output_axes": [-3]}, r"output_axes must be axes of shape \[3, 4\], .* got \[-3\]"),
    )
    def test_a_bad_argument_raises_the_error_of_eager_mode(self, bad, message):
        op = tf_vsinit.load().vsinit_stateless_variance_scaling
        good = {"shape": [3, 4], "seed": [1, 2], "begin": [0, 0], "size": [-1, -1], "scale": 1.0}
        inputs = {
            name: tf.constant(bad.get(name, value), tf.float64 if name == "scale" else tf.int64)
            for name, value in good.items()
        }
        attributes = {name: value for name, value in bad.items() if name not in good}
        # The unknown shape gets past the shape function.
        signature = [tf.TensorSpec(None, value.dtype) for value in inputs.values()]
        function = tf.function(
            lambda *args: op(**dict(zip(inputs, args, strict=True)), **attributes),
            jit_compile=True,
            input_signature=signature,
        )
        for call in (lambda: op(**inputs, **attributes), lambda: function(*inputs.values())):
            with self.assertRaisesRegex(tf.errors.InvalidArgumentError, message):
                call()


if __name__ == "__main__":
    absltest.main()
