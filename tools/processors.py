#!/usr/bin/env python3
"""Runs C++ tests on processors that qemu emulates, and writes the table of docs/versions.md.

    tools/apt_install.sh qemu-user g++-aarch64-linux-gnu libhwy-dev googletest
    .tools/bin/bazelisk build //cc/cpu:all //cc/stream:all
    tools/processors.py

The tests for x86-64 are those that Bazel built. Those for aarch64 are compiled here, with Debian's
Highway and GoogleTest.
"""

from __future__ import annotations

import argparse
import dataclasses
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).absolute().parent.parent
DOCUMENT = ROOT / "docs" / "versions.md"
TABLE_BEGIN = "<!-- The table of tools/processors.py: begin. -->"
TABLE_END = "<!-- The table of tools/processors.py: end. -->"
HIGHWAY = pathlib.Path("/usr/include/hwy")
GOOGLETEST = pathlib.Path("/usr/src/googletest/googletest")
# The golden vectors of both streams, one element at a time and with SIMD: a minute for each.
GOLDEN = ("cc/stream/golden_test", "cc/cpu/golden_test")
# These take up to an hour more.
OTHERS = ("cc/cpu/fill_test", "cc/cpu/box_muller_test", "cc/stream/glibc_test")
# Of cc/cpu/BUILD and tools/copts.bzl.
COMPILER_OPTIONS = ("-std=c++17", "-O2", "-ffp-contract=off", "-w", "-pthread")


@dataclasses.dataclass(frozen=True)
class Processor:
    """A processor, and what emulates it."""

    name: str
    fill: str
    emulator: tuple[str, ...]
    # None: Bazel's tests run.
    compiler: str | None = None
    # Whether `make test` runs it. The others repeat a path.
    in_make_test: bool = True


_AARCH64 = ("qemu-aarch64", "-L", "/usr/aarch64-linux-gnu", "-cpu")
PROCESSORS = (
    Processor(
        "x86-64 without AVX2 and FMA (Nehalem)", "scalar", ("qemu-x86_64", "-cpu", "Nehalem")
    ),
    Processor(
        "x86-64 with AVX2, without FMA",
        "scalar",
        ("qemu-x86_64", "-cpu", "Haswell,-fma"),
        in_make_test=False,
    ),
    Processor(
        "x86-64 with AVX2 and FMA (Haswell)",
        "AVX2",
        ("qemu-x86_64", "-cpu", "Haswell"),
        in_make_test=False,
    ),
    Processor("aarch64 (Cortex-A57)", "NEON", (*_AARCH64, "cortex-a57"), "aarch64-linux-gnu-g++"),
    Processor("aarch64 with SVE", "NEON", (*_AARCH64, "max"), "aarch64-linux-gnu-g++"),
)


def built(test: str) -> pathlib.Path:
    """Returns the program of a test as Bazel built it, here or for a test that Bazel runs."""
    program = ROOT / "bazel-bin" / test
    return program if program.exists() else ROOT / test


def missing(processor: Processor) -> str | None:
    """Returns what has to be installed for a processor, or None."""
    commands = [processor.emulator[0], *([processor.compiler] if processor.compiler else [])]
    files = [HIGHWAY, GOOGLETEST] if processor.compiler else [built(test) for test in GOLDEN]
    absent = [command for command in commands if not shutil.which(command)]
    absent += [str(file) for file in files if not file.exists()]
    return f"not installed, see tools/processors.py: {', '.join(absent)}" if absent else None


def compiled(test: str, compiler: str, folder: pathlib.Path) -> pathlib.Path:
    """Returns the program of a test. A folder for each compiler keeps programs and objects."""
    program = folder / test
    if program.exists():
        return program
    program.parent.mkdir(parents=True, exist_ok=True)
    # Only Highway's headers: the others of /usr/include are for this machine's processor.
    include = folder / "include"
    include.mkdir(exist_ok=True)
    if not (include / "hwy").exists():
        (include / "hwy").symlink_to(HIGHWAY)
    options = [f"-I{ROOT}", f"-I{include}", f"-I{GOOGLETEST}/include", f"-I{GOOGLETEST}"]
    library = [GOOGLETEST / "src" / "gtest-all.cc", GOOGLETEST / "src" / "gtest_main.cc"]
    if test.startswith("cc/cpu"):
        library += [ROOT / "cc/cpu/fill.cc", ROOT / "cc/cpu/instruction_set.cc"]
    objects = []
    for source in [*library, ROOT / f"{test}.cc"]:
        objects.append(folder / f"{source.parent.name}_{source.stem}.o")
        if not objects[-1].exists():
            command = [compiler, *COMPILER_OPTIONS, *options, "-c", source, "-o", objects[-1]]
            subprocess.run(command, check=True)
    subprocess.run([compiler, "-pthread", "-o", program, *objects], check=True)
    return program


def run(processor: Processor, test: str, folder: pathlib.Path, *arguments: str) -> str:
    """Runs a test on a processor; returns its output, or raises CalledProcessError."""
    if processor.compiler:
        program = compiled(test, processor.compiler, folder / processor.compiler)
    else:
        program = built(test)
    command = [*processor.emulator, program, *arguments]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def main() -> int:
    """Runs what the command line asks for; returns 0 if every test passes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--all", action="store_true", help="run the long tests too")
    tests = (*GOLDEN, *OTHERS) if parser.parse_args().all else GOLDEN
    if reasons := [reason for reason in map(missing, PROCESSORS) if reason]:
        print("\n".join(dict.fromkeys(reasons)), file=sys.stderr)
        return 1
    header = ["processor", "path of the fill", *[f"`{test}`" for test in tests]]
    rows = [header, ["---"] * len(header)]
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        for processor in PROCESSORS:
            cells = [processor.name, processor.fill]
            for test in tests:
                begin = time.monotonic()
                try:
                    run(processor, test, pathlib.Path(folder))
                    cells.append("passed")
                except subprocess.CalledProcessError as error:
                    print(error.stdout, error.stderr, file=sys.stderr)
                    cells.append("failed")
                    failures += 1
                seconds = time.monotonic() - begin
                print(f"{processor.name}: {test} {cells[-1]} in {seconds:.0f} s", flush=True)
            rows.append(cells)
    table = "\n".join(f"| {' | '.join(cells)} |" for cells in rows)
    before, rest = DOCUMENT.read_text().split(TABLE_BEGIN)
    after = rest.split(TABLE_END)[1]
    DOCUMENT.write_text(f"{before}{TABLE_BEGIN}\n{table}\n{TABLE_END}{after}")
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main())
