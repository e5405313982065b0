#!/usr/bin/env python3
"""Builds the op library, and the GPU library where there is nvcc, for TensorFlow lines.

Run `tools/build_libraries.py FOLDER LINE...` after ./configure.sh. A line is a minor version, such
as 2.20; without one, the libraries are for the TensorFlow in .venv. For another TensorFlow the
script downloads the wheel and keeps its headers and libraries in .tools/tensorflow. The libraries
in FOLDER that are not of these lines are removed.
"""

import argparse
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
LINES = ROOT / "third_party" / "tensorflow" / "lines.txt"
TOOLS = ROOT / ".tools"
# Every release in lines.txt has a wheel for this Python; the headers are the same in all.
PYTHON_VERSION = "3.12"


def main() -> None:
    """Builds what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path, help="where the libraries go")
    parser.add_argument("line", nargs="*", help="such as 2.20, or all; default: that of .venv")
    options = parser.parse_args()
    lines = options.line or [_line(_configured_version())]
    build(options.folder, list(_releases()) if lines == ["all"] else lines)


def build(folder: pathlib.Path, lines: list[str]) -> None:
    """Leaves in `folder` the libraries of these lines and of no other."""
    built = [path for line in lines for path in _build_line(line)]
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("_vsinit_*"):
        if old.suffix in (".so", ".json") and old.name not in [path.name for path in built]:
            old.unlink()
    for path in built:
        _copy(path, folder / path.name)


def _build_line(line: str) -> list[pathlib.Path]:
    """Builds the libraries of one line; returns their paths."""
    startup, options = [], []
    if line != _line(_configured_version()):
        version, tensorflow = _unpacked(line)
        # An output base of its own, so that the build for .venv's TensorFlow stays up to date.
        startup = [f"--output_base={TOOLS / 'bazel' / line}"]
        options += [
            f"--repo_env=TF_VSINIT_TENSORFLOW={tensorflow}",
            f"--repo_env=TF_VSINIT_TENSORFLOW_VERSION={version}",
            "--experimental_convenience_symlinks=ignore",
        ]
    _bazel(*startup, "build", *options, "//tf_vsinit:libraries")
    binaries = pathlib.Path(_bazel(*startup, "info", *options, "bazel-bin", read=True).strip())
    if startup:
        _bazel(*startup, "shutdown")
    description = binaries / "tf_vsinit" / f"_vsinit_{line.replace('.', '_')}.json"
    names = json.loads(description.read_text())["libraries"]
    return [description, *(description.with_name(name) for name in names)]


def _bazel(*arguments: str, read: bool = False) -> str | None:
    command = [str(TOOLS / "bin" / "bazelisk"), *arguments]
    return subprocess.run(
        command, cwd=ROOT, check=True, text=True, stdout=subprocess.PIPE if read else None
    ).stdout


def _unpacked(line: str) -> tuple[str, pathlib.Path]:
    """Returns the release for a line and the folder of its headers and libraries."""
    version = _releases().get(line)
    if version is None:
        sys.exit(f"{line} is none of the lines in {LINES}: {', '.join(_releases())}")
    folder = TOOLS / "tensorflow" / version
    if not folder.exists():
        with tempfile.TemporaryDirectory(dir=TOOLS) as temporary:
            _download(f"tensorflow-cpu=={version}", pathlib.Path(temporary))
            folder.parent.mkdir(exist_ok=True)
            # Renaming leaves no half-made folder if the script is interrupted.
            (pathlib.Path(temporary) / "tensorflow").rename(folder)
    return version, folder


def _download(requirement: str, folder: pathlib.Path) -> None:
    """Downloads a wheel of TensorFlow and unpacks what a library is built with."""
    print(f"downloading {requirement}", flush=True)
    platforms = [f"--platform=manylinux_{glibc}_x86_64" for glibc in ("2_17", "2_27")]
    pip = [str(ROOT / ".venv/bin/python"), "-m", "pip", "download", "--quiet", "--no-deps"]
    where = ["--only-binary=:all:", f"--python-version={PYTHON_VERSION}", *platforms]
    subprocess.run([*pip, *where, f"--dest={folder}", requirement], check=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if re.match(r"tensorflow/(include/|libtensorflow_(cc|framework)\.so\.2$)", name):
                archive.extract(name, folder)


def _releases() -> dict[str, str]:
    """Returns the release to build with, by line."""
    versions = re.findall(r"^tensorflow-cpu==(\S+)$", LINES.read_text(), re.MULTILINE)
    return {_line(version): version for version in versions}


def _configured_version() -> str:
    """Returns the version of the TensorFlow in .venv."""
    name = "TF_VSINIT_TENSORFLOW_VERSION"
    configuration = (ROOT / ".configure.bazelrc").read_text()
    return re.search(rf"^build --repo_env={name}=(\S+)$", configuration, re.MULTILINE)[1]


def _line(version: str) -> str:
    return ".".join(version.split(".")[:2])


def _copy(source: pathlib.Path, target: pathlib.Path) -> None:
    """Copies by renaming, so that a process that has loaded the old library keeps it."""
    new = target.with_name(target.name + ".new")
    shutil.copyfile(source, new)
    new.replace(target)


if __name__ == "__main__":
    main()
