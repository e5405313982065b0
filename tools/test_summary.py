"""Counts the test cases of a `bazel test` run, and says why some were skipped.

Usage: test_summary.py EVENTS, where EVENTS is the file of --build_event_json_file. The exit status
is 1 if a test failed or did not build or run, or if no test passed.
"""

import json
import pathlib
import re
import sys
import urllib.parse
import xml.etree.ElementTree as ET
from collections import Counter

# Those of test cases that ran.
OUTCOMES = ("passed", "failed")


def read_targets(events: list[dict]) -> dict[str, dict | None]:
    """Returns the last result of each test target by label, or None if it did not run."""
    targets: dict[str, dict | None] = {}
    for event in events:
        if event.get("configured", {}).get("testSize"):
            targets.setdefault(event["id"]["targetConfigured"]["label"], None)
        if "testResult" in event:
            targets[event["id"]["testResult"]["label"]] = event["testResult"]
    return targets


def count_cases(result: dict) -> Counter:
    """Counts the test cases in the report of a target by outcome; none without a report.

    The outcome of a test case that was skipped is the reason it gives.
    """
    counts = Counter()
    for output in result.get("testActionOutput", []):
        path = pathlib.Path(urllib.parse.unquote(urllib.parse.urlparse(output["uri"]).path))
        if output["name"] != "test.xml" or not path.exists():
            continue
        for case in ET.parse(path).getroot().iter("testcase"):
            if case.find("failure") is not None or case.find("error") is not None:
                counts["failed"] += 1
            elif case.find("skipped") is not None or case.get("status") == "notrun":
                counts[skip_reason(case)] += 1
            else:
                counts["passed"] += 1
    return counts


def skip_reason(case: ET.Element) -> str:
    """Returns the first line of the reason that a skipped test case gives."""
    skipped = case.find("skipped")
    said = "" if skipped is None else skipped.get("message") or skipped.text or ""
    # GoogleTest puts a line with the place before the reason.
    lines = [line for line in said.splitlines() if line and not re.fullmatch(r"\S+:\d+", line)]
    return lines[0] if lines else "no reason given"


def count_target(result: dict | None) -> tuple[str, Counter]:
    """Returns the status and counts of a target. A target without cases counts as one case."""
    if result is None:
        return "NOT RUN", Counter(failed=1)
    try:
        counts = count_cases(result)
    except ET.ParseError:
        # A killed process leaves an incomplete report.
        counts = Counter()
    if result["status"] == "PASSED":
        return "PASSED", counts or Counter(passed=1)
    counts["failed"] = max(counts["failed"], 1)
    return result["status"], counts


def main() -> int:
    lines = pathlib.Path(sys.argv[1]).read_text().splitlines()
    total: Counter = Counter()
    for label, result in sorted(read_targets([json.loads(line) for line in lines]).items()):
        status, counts = count_target(result)
        total.update(counts)
        if counts["failed"]:
            print(f"{label}: {status}, {counts['failed']} failed")
    skips = Counter({outcome: n for outcome, n in total.items() if outcome not in OUTCOMES})
    for reason, count in skips.most_common():
        print(f"{count} skipped: {reason}")
    skipped = f", {skips.total()} skipped" if skips else ""
    print(f"tests: {total['passed']} passed, {total['failed']} failed{skipped}")
    return 1 if total["failed"] or not total["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
