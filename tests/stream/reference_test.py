"""The NumPy reference computes exactly, needs no TensorFlow and has the bits of the op."""

import fractions
import itertools
import math
import pathlib
import shutil
import tempfile

import ml_dtypes
import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

import tf_vsinit
from tests.support import processes
from tests.support.bits import assert_same_bits, bits
from tf_vsinit import reference

draw = reference.stateless_variance_scaling


def rounded_once(exact, real):
    """Rounds a Fraction to the nearest value of a NumPy type, ties to even."""
    mantissa_bits, lowest = (24, -149) if real is np.float32 else (53, -1074)
    if exact == 0:
        return real(0)
    exponent = math.floor(math.log2(abs(exact.numerator)) - math.log2(exact.denominator))
    while abs(exact) >= fractions.Fraction(2) ** (exponent + 1):
        exponent += 1
    while abs(exact) < fractions.Fraction(2) ** exponent:
        exponent -= 1
    unit = max(exponent - mantissa_bits + 1, lowest)
    # round() of a Fraction gives the nearest integer, ties to even.
    return real(math.ldexp(round(exact / fractions.Fraction(2) ** unit), unit))


class FusedMultiplyAddTest(parameterized.TestCase):
    def check(self, a, b, c, real):
        a, b, c = (np.array(values, real) for values in (a, b, c))
        got = reference.fused_multiply_add(a, b, c)
        self.assertEqual(got.dtype, real)
        for i in range(len(a)):
            x, y, z = (fractions.Fraction(float(values[i])) for values in (a, b, c))
            wanted = rounded_once(x * y + z, real)
            self.assertEqual(got[i], wanted, f"{a[i]!r} * {b[i]!r} + {c[i]!r}")

    @parameterized.parameters(np.float32, np.float64)
    def test_is_exact_for_random_arguments(self, real):
        random = np.random.default_rng(1)
        a, b, c = (
            random.standard_normal(20000) * 2.0 ** random.integers(-30, 30, 20000) for _ in range(3)
        )
        self.check(a, b, c, real)

    @parameterized.parameters(np.float32, np.float64)
    def test_is_exact_where_the_sum_almost_cancels(self, real):
        random = np.random.default_rng(2)
        a, b = (random.uniform(1, 2, 20000).astype(real) for _ in range(2))
        c = -(a * b) * (1 + random.integers(-2, 3, 20000) * np.finfo(real).eps).astype(real)
        self.check(a, b, c, real)

    @parameterized.parameters(np.float32, np.float64)
    def test_is_exact_next_to_ties(self, real):
        """Adds to c half a unit of c and a bit far below it, which two roundings would lose."""
        digits = 24 if real is np.float32 else 53
        random = np.random.default_rng(3)
        cases = []
        for _ in range(5000):
            mantissa = int(random.integers(2 ** (digits - 1), 2**digits, dtype=np.int64))
            c = float(mantissa) * 2.0 ** (1 - digits)
            half_unit = 2.0**-digits
            nudge = float(random.choice([-1, 0, 1])) * 2.0 ** -int(random.integers(1, digits))
            sign = float(random.choice([-1, 1]))
            cases.append((half_unit * sign, 1 + nudge, c))
        # A product whose low half decides: (1 + e)(1 - e) = 1 - e^2.
        e = 2.0 ** (1 - digits)
        for power in range(-digits - 2, -digits + 3):
            cases += [((1 + e) * 2.0**power, 1 - e / 2, c) for c in (1.0, 1 + e, 2 - e, -1.0)]
        self.check(*zip(*cases, strict=True), real)

    def test_float32_is_rounded_once(self):
        # 1 + 2^-24 + 2^-80: rounding to float64 first loses the last term and then ties to even.
        a, b, c = np.float32(2**-40), np.float32(2**-40), np.float32(1 + 2**-23)
        half = np.float32(2**-12)
        self.assertEqual(reference.fused_multiply_add(half, half, np.float32(1)), np.float32(1))
        odd = np.float32(2**-12 + 2**-35)
        self.assertEqual(
            reference.fused_multiply_add(odd, np.float32(2**-12), np.float32(1)),
            np.float32(1 + 2**-23),
        )
        self.assertEqual(reference.fused_multiply_add(a, b, c), c)

    def test_is_exact_for_float32_subnormals(self):
        random = np.random.default_rng(4)
        a = random.standard_normal(5000) * 2.0 ** random.integers(-75, -60, 5000)
        b = random.standard_normal(5000) * 2.0 ** random.integers(-75, -60, 5000)
        c = random.standard_normal(5000) * 2.0**-140
        self.check(a, b, c, np.float32)


class SameAsTheOpTest(parameterized.TestCase):
    @parameterized.parameters(
        itertools.product(
            (tf.float16, tf.bfloat16, tf.float32, tf.float64),
            reference.DISTRIBUTIONS,
            ((5, -3), (2**45, 2**31)),
        )
    )
    def test_bits(self, dtype, distribution, seed):
        options = {"scale": 1.7, "mode": "fan_geo_avg", "distribution": distribution}
        ours = draw((201, 503), seed, dtype=dtype.as_numpy_dtype, **options)
        of_op = tf_vsinit.stateless_variance_scaling((201, 503), seed, dtype=dtype, **options)
        self.assertEqual(ours.dtype, of_op.numpy().dtype)
        assert_same_bits(ours, of_op)

    @parameterized.parameters(
        ((2**50,), (2**50 - 5,), (5,)),
        ((2**20, 2**30), (2**20 - 2, 2**30 - 3), (2, 3)),
        ((2**31, 2**31 - 1, 2), (2**31 - 1, 5, 0), (1, 2, -1)),
        ((2**62 - 1, 2), (2**62 - 2, 0), (1, 2)),
    )
    def test_boxes_deep_inside_huge_shapes(self, shape, begin, size):
        for distribution in reference.DISTRIBUTIONS:
            options = {"distribution": distribution, "begin": begin, "size": size}
            ours = draw(shape, (1, 2), **options)
            of_op = tf_vsinit.stateless_variance_scaling(shape, (1, 2), **options)
            assert_same_bits(ours, of_op)

    @parameterized.parameters(
        {"scale": 1e-80, "distribution": "uniform"},
        {"scale": 1e-80, "distribution": "truncated_normal"},
        {"scale": 3e-82, "distribution": "untruncated_normal"},
    )
    def test_subnormal_values(self, **options):
        ours = draw((64, 64), (1, 2), **options)
        of_op = tf_vsinit.stateless_variance_scaling((64, 64), (1, 2), **options)
        self.assertGreater(np.count_nonzero(ours), 0)
        self.assertLess(np.abs(ours).max(), np.finfo(np.float32).tiny)
        assert_same_bits(ours, of_op)


class ScaleBoundTest(parameterized.TestCase):
    """The reference and the op refuse the same scales."""

    def largest_scale(self, dtype, distribution):
        """The scale whose limit or stddev leads to the largest value that the dtype can hold."""
        float32_largest = float(np.finfo(np.float32).max)
        largest = {"float16": 65504.0, "bfloat16": 3.3895314e38, "float32": float32_largest}[dtype]
        if distribution == "uniform":  # twice the limit must be a float32, too
            return min(largest, float32_largest / 2) ** 2 / 3.0
        if distribution == "truncated_normal":
            return (largest / 2.0 * 0.87962566103423978) ** 2
        return (largest / 6.5) ** 2

    # The square root of no float64 leads to a limit or stddev that float64 cannot hold.
    @parameterized.parameters(
        itertools.product(("float16", "bfloat16", "float32"), reference.DISTRIBUTIONS)
    )
    def test_both_draw_just_below_the_bound_and_refuse_above(self, dtype, distribution):
        bound = self.largest_scale(dtype, distribution)
        options = {"distribution": distribution, "dtype": dtype}
        for step in (1 - 1e-6, 1 + 1e-6):
            options["scale"] = bound * step
            if step < 1:
                ours = draw((1, 999), (1, 2), **options)
                of_op = tf_vsinit.stateless_variance_scaling((1, 999), (1, 2), **options)
                np.testing.assert_array_equal(bits(ours), bits(of_op))
            else:
                with self.assertRaisesRegex(ValueError, "`scale`.*Received: scale="):
                    draw((1, 999), (1, 2), **options)
                with self.assertRaisesRegex((ValueError, tf.errors.InvalidArgumentError), "scale"):
                    tf_vsinit.stateless_variance_scaling((1, 999), (1, 2), **options)


class EmptyTest(parameterized.TestCase):
    @parameterized.parameters(
        ((0, 2**40), (0, 2**40)),
        ((2**40, 0), (2**40, 0)),
        ((2**20, 2**20, 0, 7, 9), (0, 0)),
    )
    def test_an_empty_variable_takes_no_memory_however_long_its_axes(self, shape, fans):
        self.assertEqual(reference.fans(shape), fans)
        self.assertEqual(draw(shape, (1, 2)).shape, shape)
        self.assertEqual(tuple(tf_vsinit.stateless_variance_scaling(shape, (1, 2)).shape), shape)

    @parameterized.parameters(((1, 1, 0),), ((0, 1, 1),), ((1, 0, 1),))
    def test_the_order_of_named_axes_does_not_matter(self, axes):
        options = {"input_axes": axes, "output_axes": axes}
        self.assertEqual(reference.fans((0, 2**40), **options), (0, 0))
        drawn = tf_vsinit.stateless_variance_scaling((0, 2**40), (1, 2), **options)
        self.assertEqual(tuple(drawn.shape), (0, 2**40))


class BoxTest(parameterized.TestCase):
    @parameterized.parameters(itertools.product(reference.DTYPES, reference.DISTRIBUTIONS))
    def test_a_box_has_the_values_of_the_whole(self, dtype, distribution):
        options = {"dtype": dtype, "distribution": distribution}
        whole = draw((7, 5, 9), (3, 4), **options)
        box = draw((7, 5, 9), (3, 4), begin=(2, 1, 3), size=(4, -1, 5), **options)
        assert_same_bits(box, whole[2:6, 1:, 3:8])

    def test_empty_boxes_and_scalars_have_their_shapes(self):
        self.assertEqual(draw((0, 3), (1, 2)).shape, (0, 3))
        self.assertEqual(draw((4, 3), (1, 2), begin=(4, 0)).shape, (0, 3))
        self.assertEqual(draw((2**62, 0, 1), (1, 2), size=(0, 0, 1)).shape, (0, 0, 1))
        self.assertEqual(draw((), (1, 2)).shape, ())


class DtypeTest(absltest.TestCase):
    def test_bfloat16_by_name_returns_its_bits(self):
        as_bits = draw((100,), (1, 2), dtype="bfloat16")
        as_values = draw((100,), (1, 2), dtype=ml_dtypes.bfloat16)
        self.assertEqual(as_bits.dtype, np.uint16)
        self.assertEqual(as_values.dtype, ml_dtypes.bfloat16)
        np.testing.assert_array_equal(as_bits.view(ml_dtypes.bfloat16), as_values)

    def test_sixteen_bit_values_are_the_rounded_float32_values(self):
        wide = draw((1000,), (1, 2))
        np.testing.assert_array_equal(draw((1000,), (1, 2), dtype="float16"), wide.astype("f2"))
        np.testing.assert_array_equal(
            draw((1000,), (1, 2), dtype=ml_dtypes.bfloat16), wide.astype(ml_dtypes.bfloat16)
        )


class ArgumentTest(parameterized.TestCase):
    @parameterized.parameters(
        ("shape", {"shape": (2, -1)}),
        ("shape", {"shape": (2**32, 2**31)}),
        ("shape", {"shape": 5}),
        ("shape", {"shape": (2.5,)}),
        ("seed", {"seed": (1,)}),
        ("seed", {"seed": (1, 2**63)}),
        ("seed", {"seed": 7}),
        ("scale", {"scale": 0.0}),
        ("scale", {"scale": -1.0}),
        ("scale", {"scale": math.inf}),
        ("scale", {"scale": math.nan}),
        ("scale", {"scale": "1"}),
        ("scale", {"scale": 10**400}),
        ("scale", {"scale": 1e12, "dtype": "float16"}),
        ("scale", {"scale": 1e80}),
        ("mode", {"mode": "fan"}),
        ("distribution", {"distribution": "gamma"}),
        ("distribution", {"distribution": None}),
        ("dtype", {"dtype": "int32"}),
        ("dtype", {"dtype": np.float128}),
        ("dtype", {"dtype": object()}),
        ("begin", {"begin": (0,)}),
        ("begin", {"begin": (4, 0)}),
        ("begin", {"begin": (-1, 0)}),
        ("size", {"size": (1,)}),
        ("size", {"size": (4, 1)}),
        ("size", {"size": (-2, 1)}),
        ("size", {"begin": (2, 0), "size": (2, 1)}),
        ("input_axes", {"input_axes": (0,)}),
        ("input_axes", {"input_axes": (2,), "output_axes": (0,)}),
        ("output_axes", {"input_axes": (0,), "output_axes": (-3,)}),
        ("shape", {"shape": (2**40, 3), "input_axes": (0, 0), "output_axes": (1,)}),
    )
    def test_an_error_names_the_argument_and_its_value(self, argument, options):
        options = {"shape": (3, 4), "seed": (1, 2)} | options
        with self.assertRaisesRegex(ValueError, f"`{argument}`.*Received: .*{argument}="):
            draw(**options)

    def test_normal_means_truncated_normal(self):
        np.testing.assert_array_equal(draw((9,), (1, 2), distribution="normal"), draw((9,), (1, 2)))


class WithoutTensorFlowTest(absltest.TestCase):
    def test_three_files_and_numpy_suffice(self):
        package = pathlib.Path(reference.__file__).parent
        code = (
            "import sys; sys.modules['tensorflow'] = sys.modules['ml_dtypes'] = None\n"
            "import reference\n"
            "print(reference.stateless_variance_scaling((3,), (1, 2)).tobytes().hex())\n"
        )
        with tempfile.TemporaryDirectory() as folder:
            for name in ("reference.py", "reference_tensorflow.py", "normal_coefficients.py"):
                shutil.copy(package / name, folder)
            output = processes.output_of("-c", code, cwd=folder)
        self.assertEqual(output.strip(), draw((3,), (1, 2)).tobytes().hex())


if __name__ == "__main__":
    absltest.main()
