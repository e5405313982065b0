"""Puts the libraries into a wheel: a build hook of Hatchling, which pyproject.toml names.

The hook builds the libraries for the TensorFlow that is installed beside it, or else for the one in
.venv. TF_VSINIT_LIBRARIES names a folder of libraries that are built already.
"""

import os
import pathlib
import re
import subprocess
import sysconfig
import tempfile

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class LibrariesHook(BuildHookInterface):
    """Builds the libraries and adds them to the package."""

    def initialize(self, version: str, build_data: dict) -> None:
        """Says what the wheel holds besides the sources."""
        folder = os.environ.get("TF_VSINIT_LIBRARIES")
        if not folder:
            self._temporary = tempfile.TemporaryDirectory()
            folder = self._temporary.name
            self._build(folder)
        libraries = [path for path in pathlib.Path(folder).glob("_vsinit_*") if path.is_file()]
        if not libraries:
            raise FileNotFoundError(f"no library in TF_VSINIT_LIBRARIES={folder}")
        for path in libraries:
            build_data["force_include"][str(path)] = f"tf_vsinit/{path.name}"
        build_data["pure_python"] = False
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        # `make wheel` replaces linux by manylinux after a check.
        build_data["tag"] = f"py3-none-{platform}"

    def _build(self, folder: str) -> None:
        root = pathlib.Path(self.root)
        # pip runs this in an environment of its own; what it builds for may be another Python.
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PIP_"))}
        subprocess.run([root / "configure.sh"], cwd=root, env=environment, check=True)
        script = [root / ".venv/bin/python", root / "tools/build_libraries.py", folder]
        subprocess.run([*script, *_installed_line()], cwd=root, env=environment, check=True)


def _installed_line() -> list[str]:
    """Returns the line of the TensorFlow in this Python's environment, if there is one."""
    # pip hides what is installed from sys.path, and not from sysconfig.
    site_packages = pathlib.Path(sysconfig.get_path("purelib"))
    for name in ("tensorflow", "tensorflow_cpu"):
        for installed in site_packages.glob(f"{name}-*.dist-info"):
            return [re.match(rf"{name}-(\d+\.\d+)\.", installed.name)[1]]
    return []
