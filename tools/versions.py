#!/usr/bin/env python3
"""Runs the tests of the wheel with each TensorFlow and Python, and notes the results.

Run `make wheels`, then `tools/versions.py`. For each release of TensorFlow in
third_party/tensorflow/lines.txt and each Python in PATH that has a wheel of it, the script makes an
environment in .tools/versions, installs the wheel of dist/ there, and runs the tests outside the
checkout with Keras 3 and with tf_keras. The table of docs/versions.md gets a row for each run; the
rows of other runs stay. This takes up to an hour, so it is no part of `make test`.
"""

import argparse
import datetime
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
ENVIRONMENTS = ROOT / ".tools" / "versions"
DOCUMENT = ROOT / "docs" / "versions.md"
TABLE_BEGIN = "<!-- The table of tools/versions.py: begin. -->"
TABLE_END = "<!-- The table of tools/versions.py: end. -->"
PYTHONS = ("3.10", "3.11", "3.12", "3.13")
# Values, constructors, errors, rows, and whole models. None needs Bazel, a compiler or XLA.
TESTS = (
    "tests/stream/golden_test.py",
    "tests/stream/tensorflow_golden_test.py",
    "tests/initializers/constructor_test.py",
    "tests/op/arguments_test.py",
    "tests/op/rows_test.py",
    "tests/op/redraw_test.py",
    "tests/models/scope_test.py",
    "tests/models/reinitialize_test.py",
    "tests/models/inspect_test.py",
)
# What the tests need beside TensorFlow, as requirements.txt has it.
PACKAGES = "absl-py hypothesis matplotlib mpmath pytest scipy".split()
# Compares a file with what the sources in the checkout make.
LEFT_OUT = "not test_the_script_makes_the_committed_file"


def main() -> None:
    """Runs what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tensorflow", nargs="*", help="such as 2.20.0 (default: all)")
    parser.add_argument("--python", nargs="*", help="such as 3.12 (default: all)", default=PYTHONS)
    parser.add_argument("--tests", nargs="*", help="files or folders", default=TESTS)
    options = parser.parse_args()
    lines = (ROOT / "third_party" / "tensorflow" / "lines.txt").read_text()
    releases = options.tensorflow or re.findall(r"^tensorflow-cpu==(\S+)$", lines, re.MULTILINE)
    for release in releases:
        for version in options.python:
            python = environment(release, version)
            for legacy in ("0", "1") if python else ():
                note(run_tests(python, release, legacy, options.tests))


def environment(release: str, version: str) -> pathlib.Path | None:
    """Returns the interpreter of an environment with the wheel, or None if there can be none."""
    folder = ENVIRONMENTS / f"tensorflow-{release}-python-{version}"
    python = folder / "bin" / "python"
    if not shutil.which(f"python{version}"):
        print(f"Python {version} is not in PATH", file=sys.stderr)
        return None
    (wheel,) = (ROOT / "dist").glob("tf_vsinit-*.whl")
    if not python.exists():
        subprocess.run([f"python{version}", "-m", "venv", folder], check=True)
    install = [python, "-m", "pip", "install", "--quiet"]
    requirements = [f"tensorflow-cpu=={release}", *_requirements()]
    if subprocess.run([*install, *requirements]).returncode:
        print(f"TensorFlow {release} does not install with Python {version}", file=sys.stderr)
        shutil.rmtree(folder)
        return None
    # Without its dependencies, because one is a second TensorFlow.
    line = release.rpartition(".")[0]
    subprocess.run([*install, "--no-deps", f"tf_keras=={line}.*"], check=True)
    subprocess.run([*install, "--no-deps", "--force-reinstall", wheel], check=True)
    return python


def _requirements() -> list[str]:
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    return [line for line in lines if re.split("[=;]", line)[0].strip() in PACKAGES]


def run_tests(python: pathlib.Path, release: str, legacy: str, tests: list[str]) -> list[str]:
    """Runs the tests with one Keras; returns the cells of the table."""
    variables = {
        "CUDA_VISIBLE_DEVICES": "",
        "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TF_USE_LEGACY_KERAS": legacy,
    }
    with tempfile.TemporaryDirectory() as folder:
        for name in ("tests", "docs", "tools"):
            shutil.copytree(ROOT / name, pathlib.Path(folder) / name)
        command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", LEFT_OUT, *tests]
        result = subprocess.run(
            command, cwd=folder, env={**os.environ, **variables}, capture_output=True, text=True
        )
    print(result.stdout, flush=True)
    counts = [
        (re.findall(rf"(\d+) {what}", result.stdout.splitlines()[-1]) or ["0"])[0]
        for what in ("passed", "failed", "skipped")
    ]
    code = "import sys, importlib.metadata as m; print(m.version(sys.argv[1]), *sys.version_info)"
    keras = "tf_keras" if legacy == "1" else "keras"
    answer = subprocess.run(
        [python, "-c", code, keras], check=True, capture_output=True, text=True
    ).stdout.split()
    today = datetime.date.today().isoformat()
    return [release, ".".join(answer[1:4]), f"{keras} {answer[0]}", *counts, today]


def note(cells: list[str]) -> None:
    """Puts a row into the document's table, in place of an earlier one of the same versions."""
    before, rest = DOCUMENT.read_text().split(TABLE_BEGIN)
    table, after = rest.split(TABLE_END)
    heading, line, *rows = table.strip().split("\n")
    same = f"| {' | '.join(cells[:3])} |"
    rows = [row for row in rows if not row.startswith(same)]
    rows = sorted([*rows, f"| {' | '.join(cells)} |"], key=_versions)
    table = "\n".join([TABLE_BEGIN, heading, line, *rows, TABLE_END])
    DOCUMENT.write_text(before + table + after)


def _versions(row: str) -> list[tuple[int, ...]]:
    """Returns the versions of TensorFlow, Python and Keras in a row of the table."""
    return [tuple(map(int, found.split("."))) for found in re.findall(r"\d+\.\d+\.\d+", row)]


if __name__ == "__main__":
    main()
