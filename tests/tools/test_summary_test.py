"""The summary of `make test` counts test cases and fails if one of them failed."""

import json
import pathlib
import tempfile
import xml.sax.saxutils

from absl.testing import absltest, parameterized

from tests.support import processes, repository

SCRIPT = repository.ROOT / "tools" / "test_summary.py"
PASSED = '<testcase name="passed"/>'
FAILED = '<testcase name="failed"><failure message="1 != 2"/></testcase>'
BROKEN = '<testcase name="broken"><error message="in setUpClass"/></testcase>'
NOT_RUN = '<testcase name="disabled" status="notrun"/>'


def skipped(reason, place=""):
    """Returns a test case that was skipped, as pytest writes it, or GoogleTest with a place."""
    return f'<testcase><skipped message="{place}{xml.sax.saxutils.escape(reason)}"/></testcase>'


class TestSummaryTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.enter_context(tempfile.TemporaryDirectory()))

    def summary(self, *targets):
        """Returns the exit status and the lines for targets: a status and a report for each.

        A target without a status did not run, and one without a report wrote none.
        """
        events = []
        for number, (status, report) in enumerate(targets):
            label = f"//tests:t{number}"
            configured = {"targetConfigured": {"label": label}}
            events.append({"id": configured, "configured": {"testSize": "MEDIUM"}})
            if status is None:
                continue
            outputs = []
            if report is not None:
                # Bazel writes a URI, in which a space is %20.
                path = self.folder / f"a report {number}" / "test.xml"
                path.parent.mkdir()
                path.write_text(report)
                outputs = [{"name": "test.xml", "uri": path.as_uri()}]
            result = {"status": status, "testActionOutput": outputs}
            events.append({"id": {"testResult": {"label": label}}, "testResult": result})
        file = self.folder / "events.json"
        file.write_text("\n".join(map(json.dumps, events)))
        result = processes.run(SCRIPT, file)
        self.assertEqual(result.stderr, "")
        return result.returncode, result.stdout.splitlines()

    def test_passed_cases_are_counted(self):
        report = f"<testsuites><testsuite>{PASSED}{PASSED}</testsuite></testsuites>"
        self.assertEqual(
            self.summary(("PASSED", report), ("PASSED", report)),
            (0, ["tests: 4 passed, 0 failed"]),
        )

    @parameterized.parameters(FAILED, BROKEN)
    def test_a_failed_case_is_named_and_fails_the_run(self, case):
        report = f"<testsuite>{PASSED}{case}</testsuite>"
        self.assertEqual(
            self.summary(("PASSED", PASSED), ("FAILED", report)),
            (1, ["//tests:t1: FAILED, 1 failed", "tests: 2 passed, 1 failed"]),
        )

    @parameterized.parameters(
        # What a target that timed out leaves, and what Bazel says of one that did not build.
        ("TIMEOUT", f"<testsuite>{PASSED}<testc", "//tests:t1: TIMEOUT, 1 failed"),
        ("TIMEOUT", None, "//tests:t1: TIMEOUT, 1 failed"),
        (None, None, "//tests:t1: NOT RUN, 1 failed"),
    )
    def test_a_target_that_did_not_end_fails_the_run(self, status, report, line):
        self.assertEqual(
            self.summary(("PASSED", PASSED), (status, report)),
            (1, [line, "tests: 1 passed, 1 failed"]),
        )

    def test_a_failed_target_whose_cases_all_passed_fails_the_run(self):
        status, lines = self.summary(("FAILED", PASSED))
        self.assertEqual(status, 1)
        self.assertEqual(lines[-1], "tests: 1 passed, 1 failed")

    def test_skipped_cases_are_counted_by_their_reason(self):
        cases = [PASSED, skipped("no GPU"), skipped("no GPU"), skipped("slow", "a_test.cc:7&#10;")]
        status, lines = self.summary(
            ("PASSED", f"<testsuite>{''.join(cases)}{NOT_RUN}</testsuite>")
        )
        self.assertEqual(status, 0)
        self.assertEqual(lines[0], "2 skipped: no GPU")
        self.assertCountEqual(lines[1:-1], ["1 skipped: slow", "1 skipped: no reason given"])
        self.assertEqual(lines[-1], "tests: 1 passed, 0 failed, 4 skipped")

    def test_a_run_in_which_nothing_passed_fails(self):
        self.assertEqual(self.summary()[0], 1)
        self.assertEqual(self.summary(("PASSED", skipped("no GPU")))[0], 1)


if __name__ == "__main__":
    absltest.main()
