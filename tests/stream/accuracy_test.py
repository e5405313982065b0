"""Deviates are close to the exact inverse distributions, and draws follow their distributions.

mpmath computes the exact inverse with 50 digits. `TF_VSINIT_ACCURACY_WORDS` sets how many random
words the test tries for each distribution. It prints the largest errors (`pytest -s`).
"""

import os

import mpmath as mp
import numpy as np
from absl.testing import absltest, parameterized
from scipy import stats

from tf_vsinit import reference

WORDS = int(os.environ.get("TF_VSINIT_ACCURACY_WORDS", "4000"))
NORMALS = ("truncated_normal", "untruncated_normal")
BOUND = {32: 4.0, 64: 8.0}

mp.mp.dps = 50
MASS = mp.erf(mp.sqrt(2))  # of a standard normal within two standard deviations


def ulp(value, bits):
    """Returns the distance between neighbouring floats at a positive value."""
    _, exponent = mp.frexp(value)
    return mp.ldexp(mp.mpf(1), exponent - (24 if bits == 32 else 53))


def error_in_ulp(word, deviate, distribution, bits):
    """Returns how far a deviate is from the exact inverse at p = (word + 1/2) / 2^bits.

    One Newton step from the deviate gives the inverse: the deviate is so close that the error left
    is of the order of the square of the step.
    """
    tail = min(word, 2**bits - 1 - word)
    doubled_tail = mp.ldexp(mp.mpf(2 * tail + 1), -bits)
    z = abs(mp.mpf(float(deviate)))
    # With 50 digits, 1 - 2 p is exact near the middle and in the tail.
    central = 1 - doubled_tail
    if distribution == "truncated_normal":
        central *= MASS
    miss = mp.erf(z / mp.sqrt(2)) - central
    step = miss / (2 * mp.npdf(z))
    # The second-order term matters in the far tail, where the density changes quickly.
    step += z * step**2 / 2
    exact = z - step
    sign_is_wrong = (float(deviate) < 0) != (word < 2 ** (bits - 1))
    return mp.inf if sign_is_wrong else abs(step) / ulp(exact, bits)


def edge_words(bits):
    """Returns the ends, the middle, powers of two and where one polynomial gives way to another."""
    half = 2 ** (bits - 1)
    lower = {0, 1, 2, 3, half - 3, half - 2, half - 1}
    lower |= {half >> shift for shift in range(bits)}
    switch = int(mp.mpf("0.15") * half)
    lower |= {switch + step for step in range(-4, 5)}
    for row in range(1, 15):
        t = mp.sqrt(mp.sqrt((row + mp.mpf("0.5")) / 8) - mp.mpf(49) / 128)
        edge = int((1 - t) * half)
        lower |= {edge + step * max(1, half >> 25) for step in range(-3, 4)}
    # Untruncated float32 goes from one row to the next where v = 1 - t^2 is sqrt(2) 2^-k.
    for k in range(1, 32):
        v = mp.sqrt(2) / mp.mpf(2) ** k
        edge = int((1 - mp.sqrt(1 - v)) * half) if v < 1 else half - 1
        lower |= {max(0, edge + step * max(1, edge >> 24)) for step in range(-2, 3)}
    lower = {word for word in lower if 0 <= word < half}
    return sorted(lower | {2 * half - 1 - word for word in lower})


def random_words(bits, count):
    """Returns words that are uniform in p, and as many that are uniform in the tail's logarithm."""
    random = np.random.default_rng(bits)
    even = random.integers(0, 2**bits, count // 2, dtype=np.uint64)
    shift = random.integers(0, bits, count - count // 2)
    tail = random.integers(0, 2**bits, count - count // 2, dtype=np.uint64) >> shift.astype("u8")
    return [int(word) for word in np.concatenate([even, tail])]


def deviates(distribution, words, bits):
    return reference.standard_deviate(distribution, np.array(words, f"u{bits // 8}"))


class InverseTest(parameterized.TestCase):
    @parameterized.product(bits=(32, 64), distribution=NORMALS)
    def test_error_is_below_the_bound(self, bits, distribution):
        for name, words in (
            ("edge words", edge_words(bits)),
            ("random words", random_words(bits, WORDS)),
        ):
            errors = [
                error_in_ulp(word, deviate, distribution, bits)
                for word, deviate in zip(words, deviates(distribution, words, bits), strict=True)
            ]
            worst = max(range(len(words)), key=errors.__getitem__)
            message = (
                f"float{bits} {distribution}, {len(words)} {name}: "
                f"{float(errors[worst]):.3f} ulp at word {words[worst]:#x}"
            )
            print(message)
            self.assertLess(errors[worst], BOUND[bits], message)

    @parameterized.product(bits=(32, 64), distribution=NORMALS)
    def test_deviates_are_odd_about_one_half(self, bits, distribution):
        words = edge_words(bits) + random_words(bits, 20000)
        mirrored = [2**bits - 1 - word for word in words]
        np.testing.assert_array_equal(
            deviates(distribution, words, bits), -deviates(distribution, mirrored, bits)
        )

    @parameterized.parameters(32, 64)
    def test_truncated_deviates_lie_within_two(self, bits):
        values = deviates("truncated_normal", edge_words(bits), bits)
        self.assertEqual(np.abs(values).max(), 2.0)

    def test_float64_agrees_with_scipy(self):
        """Checks this file against another implementation, at the accuracy of that one."""
        words = random_words(64, 20000)
        p = (np.array([word >> 11 for word in words]) + 0.5) / 2.0**53
        inside = (p > 1e-3) & (p < 1 - 1e-3)
        for distribution, inverse in (
            ("truncated_normal", stats.truncnorm(-2, 2).ppf),
            ("untruncated_normal", stats.norm.ppf),
        ):
            ours = deviates(distribution, words, 64)
            np.testing.assert_allclose(ours[inside], inverse(p[inside]), rtol=1e-9, atol=1e-12)


class DistributionTest(parameterized.TestCase):
    """The Kolmogorov-Smirnov test on a million values, and their moments."""

    COUNT = 10**6
    # Values of the right distribution exceed this once in 100 000 tries.
    LARGEST_DISTANCE = stats.kstwo.isf(1e-5, COUNT)

    def draw(self, distribution, dtype):
        return reference.stateless_variance_scaling(
            (self.COUNT,), (20, 26), scale=self.COUNT, distribution=distribution, dtype=dtype
        ).astype(np.float64)

    def cdf(self, distribution):
        if distribution == "uniform":
            return stats.uniform(-np.sqrt(3), 2 * np.sqrt(3)).cdf
        if distribution == "untruncated_normal":
            return stats.norm.cdf
        return stats.truncnorm(-2, 2, scale=1 / stats.truncnorm(-2, 2).std()).cdf

    @parameterized.product(distribution=reference.DISTRIBUTIONS, dtype=("float32", "float64"))
    def test_values_follow_the_distribution(self, distribution, dtype):
        values = self.draw(distribution, dtype)
        distance = stats.kstest(values, self.cdf(distribution)).statistic
        self.assertLess(distance, self.LARGEST_DISTANCE)
        # Five standard deviations of the mean and (with a kurtosis of 3 or less) of the variance.
        self.assertLess(abs(values.mean()), 5 / np.sqrt(self.COUNT))
        self.assertLess(abs(values.var() - 1), 5 * np.sqrt(2 / self.COUNT))

    @parameterized.parameters(*reference.DISTRIBUTIONS)
    def test_one_percent_too_much_spread_fails(self, distribution):
        values = self.draw(distribution, "float32") * 1.01
        distance = stats.kstest(values, self.cdf(distribution)).statistic
        self.assertGreater(distance, self.LARGEST_DISTANCE)


if __name__ == "__main__":
    absltest.main()
