"""The streams pass a statistical battery, and the battery sees samplers that are slightly wrong.

This is the battery of `make statistics` with fewer draws, and without the results of dieharder.
"""

import itertools

import numpy as np
from absl.testing import absltest, parameterized
from scipy import special, stats

from tests.randomness import (
    battery,
    dieharder,
    distributions,
    draws,
    faults,
    p_values,
    report,
    words,
)
from tests.randomness.p_values import Result

# Below the threshold of `make statistics`, which has a thousand p-values or fewer.
ALARM = 1e-7


class StreamTest(absltest.TestCase):
    def test_no_result_is_unusual(self):
        results = list(
            itertools.chain.from_iterable(part(battery.QUICK)[0] for part in battery.PARTS.values())
        )
        for part in sorted(results, key=lambda result: result.p)[:5]:
            print(part)
        self.assertGreater(len(results), 300)
        self.assertEqual(p_values.alarms(results), [])


class PowerTest(parameterized.TestCase):
    @parameterized.named_parameters((fault.name, fault) for fault in faults.FAULTS)
    def test_a_wrong_sampler_raises_an_alarm(self, fault):
        results = fault.results(battery.QUICK.fault_draws)
        for family in fault.families:
            p = min(result.p for result in results if result.family == family)
            self.assertLess(p, ALARM, family)

    def test_every_family_has_a_wrong_sampler(self):
        covered = {family for fault in faults.FAULTS for family in fault.families}
        found = {result.family for part in battery.PARTS.values() for result in part(SMALL)[0]}
        self.assertEqual(found, covered)

    def test_dieharder_raises_an_alarm_for_a_stuck_bit(self):
        if not dieharder.is_installed():
            self.skipTest("dieharder is not installed: tools/apt_install.sh dieharder")
        stuck = (part | np.uint32(1) for part in words.in_order())
        results = dieharder.run("stuck", stuck, "-d 200 -n 1 -p 20")
        self.assertLess(min(result.p for result in results), ALARM)


SMALL = battery.Sizes(
    draws=10**5,
    tail_draws=10**5,
    fault_draws=0,
    words=2**16,
    words_per_seed=2**10,
    first_elements=2**10,
    matrices=4,
)


class ReportTest(absltest.TestCase):
    def test_it_has_every_family_and_no_alarm(self):
        text = report.DOCUMENT.read_text()
        self.assertIn("p-values, no alarm.", text)
        for family in report.FAMILIES:
            self.assertIn(f"\n| {family} |", text)


class VerdictTest(parameterized.TestCase):
    def results(self, *ps):
        return [Result("family", "subject", "test", "statistic", p) for p in ps]

    def test_one_false_alarm_in_ten_thousand_runs(self):
        self.assertEqual(p_values.threshold(self.results(*[0.5] * 100)), 1e-6)
        self.assertEmpty(p_values.alarms(self.results(0.01, 0.5, 1.0)))
        for p in (1e-5, 0.0, float("nan")):
            self.assertLen(p_values.alarms(self.results(0.5, p)), 1)

    def test_uniform_samples_have_uniform_p_values(self):
        random = np.random.default_rng(0)
        for test in (p_values.kolmogorov_smirnov, p_values.anderson_darling):
            ps = [test(np.sort(random.random(1000)))[1] for _ in range(500)]
            self.assertGreater(stats.kstest(ps, "uniform").pvalue, 1e-4)

    def test_kolmogorov_smirnov_agrees_with_scipy(self):
        u = np.sort(np.random.default_rng(1).random(10**5))
        statistic, p = p_values.kolmogorov_smirnov(u)
        theirs = stats.kstest(u, "uniform")
        self.assertEqual(statistic, f"D = {theirs.statistic:.2e}")
        self.assertAlmostEqual(p, 2 * min(theirs.pvalue, 1 - theirs.pvalue), 6)

    @parameterized.parameters((0.1, 1.933), (0.05, 2.492), (0.01, 3.878))
    def test_anderson_darling_has_the_critical_values_of_the_tables(self, p, critical):
        self.assertAlmostEqual(1 - p_values.anderson_darling_cdf(critical), p, delta=p * 0.005)

    def test_a_fit_that_is_too_good_is_unusual(self):
        u = (np.arange(10**4) + 0.5) / 10**4
        self.assertLess(p_values.kolmogorov_smirnov(u)[1], ALARM)
        self.assertLess(p_values.anderson_darling(u)[1], ALARM)
        self.assertLess(p_values.chi_square(np.full(1000, 10**4), np.full(1000, 1e-3))[1], ALARM)


class DistributionsTest(parameterized.TestCase):
    def test_truncated_moments_are_those_of_scipy(self):
        theirs = stats.truncnorm(-2, 2)
        for order, moment in enumerate(distributions.continuous("truncated_normal").moments, 1):
            self.assertAlmostEqual(moment, theirs.moment(order), 7)

    @parameterized.parameters(case for case in draws.CASES if case.is_discrete)
    def test_sixteen_bit_probabilities_add_up(self, case):
        law = distributions.discrete(case.distribution, case.dtype, case.stream)
        exact = distributions.continuous(case.distribution)
        self.assertAlmostEqual(law.probabilities.sum(), 1, 12)
        self.assertAlmostEqual(law.moments[1], exact.moments[1], delta=1e-4)

    @parameterized.product(stream=("vsinit", "tensorflow"), dtype=("float32", "float64"))
    def test_tails_are_nearly_those_of_the_normal(self, stream, dtype):
        for threshold, tolerance in ((2.0, 1e-4), (4.0, 1e-3), (5.0, 0.05)):
            tail = distributions.upper_tail(threshold, dtype, stream)
            self.assertAlmostEqual(tail / special.ndtr(-threshold), 1, delta=tolerance)


if __name__ == "__main__":
    absltest.main()
