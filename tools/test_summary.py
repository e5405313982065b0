"""Counts the test cases of a `bazel test` run and prints one closing line.

Usage: test_summary.py EVENTS, where EVENTS is what --build_event_json_file wrote.
The exit status is 1 when a test failed or none ran.
"""

import json
import pathlib
import sys
import urllib.parse
import xml.etree.ElementTree as ET
from collections import Counter


def read_test_results(events: pathlib.Path) -> dict[str, dict]:
    """Returns the last result of each test target, by label."""
    results = {}
    for line in events.read_text().splitlines():
        event = json.loads(line)
        if "testResult" in event:
            results[event["id"]["testResult"]["label"]] = event["testResult"]
    return results


def xml_path(result: dict) -> pathlib.Path | None:
    """Returns the file that lists the target's test cases, if there is one."""
    for output in result.get("testActionOutput", []):
        if output["name"] == "test.xml":
            return pathlib.Path(urllib.parse.urlparse(output["uri"]).path)
    return None


def count_cases(path: pathlib.Path) -> Counter:
    """Counts the test cases of one target by outcome."""
    counts = Counter()
    for case in ET.parse(path).getroot().iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            counts["failed"] += 1
        elif case.find("skipped") is not None or case.get("status") == "notrun":
            counts["skipped"] += 1
        else:
            counts["passed"] += 1
    return counts


def count_target(result: dict) -> Counter:
    """Counts a target's cases; a target that failed without a failed case counts as one."""
    path = xml_path(result)
    try:
        counts = count_cases(path) if path else Counter()
    except (OSError, ET.ParseError):
        counts = Counter()
    if result["status"] == "PASSED":
        return counts or Counter(passed=1)
    if not counts["failed"]:
        counts["failed"] = 1
    return counts


def main() -> int:
    results = read_test_results(pathlib.Path(sys.argv[1]))
    total = Counter()
    for label, result in sorted(results.items()):
        counts = count_target(result)
        total += counts
        if counts["failed"]:
            print(f"{label}: {result['status']}, {counts['failed']} failed")
    skipped = f", {total['skipped']} skipped" if total["skipped"] else ""
    print(f"tests: {total['passed']} passed, {total['failed']} failed{skipped}")
    return 1 if total["failed"] or not total["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
