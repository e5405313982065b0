"""The wheel: its tag, its files, and that it works outside the checkout."""

import os
import pathlib
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import venv
import zipfile

from absl.testing import absltest

import tf_vsinit
from tests.support import repository

LIBRARIES = pathlib.Path(tf_vsinit.__file__).parent
# One test of each promise: one value, frozen, drop-in, fast, honest.
PROMISES = {
    "op/graph_modes_test.py": "test_v1_variables",
    "stream/golden_test.py": "test_op_boxes",
    "initializers/initializers_test.py": "test_float32_uniforms_have_the_stock_bits",
    "op/op_test.py": "test_peak_memory_of_one_gibibyte",
    "op/arguments_test.py": "test_tensors_that_are_no_real_numbers",
}


def run(*command, cwd, **more_environment):
    """Runs a command that sees nothing of the checkout; returns its output, or fails."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    result = subprocess.run(
        [*map(str, command)],
        cwd=cwd,
        env={**environment, **more_environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if result.returncode:
        raise AssertionError(f"{command}: exit status {result.returncode}\n{result.stdout}")
    return result.stdout


def copy_sources(sources: pathlib.Path) -> None:
    """Copies what a wheel is made of, since Hatchling does not follow Bazel's links."""
    sources.mkdir()
    for name in (".gitignore", "LICENSE", "README.md", "pyproject.toml"):
        shutil.copy(repository.ROOT / name, sources)
    for name in ("tf_vsinit", "tools"):
        shutil.copytree(
            repository.ROOT / name,
            sources / name,
            ignore=shutil.ignore_patterns("__pycache__", "_vsinit_*"),
        )


def make_wheel(sources: pathlib.Path, folder: pathlib.Path) -> pathlib.Path:
    """Makes the wheel in a folder; returns its path."""
    script = sources / "tools" / "make_wheel.sh"
    run(script, folder, LIBRARIES, cwd=sources, TF_VSINIT_PYTHON=sys.executable)
    (wheel,) = folder.iterdir()
    return wheel


def make_environment(path: pathlib.Path, wheel: pathlib.Path) -> pathlib.Path:
    """Installs the wheel beside TensorFlow in a new environment; returns its interpreter."""
    venv.create(path, symlinks=True)
    python = path / "bin" / "python"
    get_path = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site_packages = pathlib.Path(run(python, "-c", get_path, cwd=path).strip())
    # A .pth file in a folder that a .pth file names has no effect: the checkout stays unknown.
    (site_packages / "tensorflow.pth").write_text(sysconfig.get_path("purelib") + "\n")
    target = ["--no-deps", "--no-index", f"--prefix={path}"]
    run(sys.executable, "-m", "pip", "install", *target, wheel, cwd=path)
    return python


class WheelTest(absltest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.path = pathlib.Path(cls.enter_context(tempfile.TemporaryDirectory()))
        cls.sources = cls.path / "sources"
        copy_sources(cls.sources)
        cls.wheel = make_wheel(cls.sources, cls.path / "dist")
        cls.python = make_environment(cls.path / "environment", cls.wheel)

    def run_python(self, *arguments):
        return run(self.python, *arguments, cwd=self.path, TF_CPP_MIN_LOG_LEVEL="3")

    def test_the_name_says_what_it_runs_on(self):
        name = f"tf_vsinit-{tf_vsinit.__version__}-py3-none-manylinux_2_27_x86_64.whl"
        self.assertEqual(self.wheel.name, name)

    def test_it_holds_the_package_and_nothing_else(self):
        with zipfile.ZipFile(self.wheel) as archive:
            names = [n for n in archive.namelist() if ".dist-info/" not in n and n[-1] != "/"]
        sources = {
            str(path.relative_to(LIBRARIES.parent))
            for path in LIBRARIES.rglob("*")
            if path.suffix in (".py", ".pyi", ".so", ".json") or path.name == "py.typed"
        }
        self.assertSameElements(names, sources)

    def test_the_source_distribution_is_whole_beside_the_links_of_bazel(self):
        (self.sources / "bazel-sources").symlink_to(self.sources)
        options = ["--sdist", "--no-isolation", "--outdir", self.path / "sdist"]
        run(sys.executable, "-m", "build", *options, ".", cwd=self.sources)
        (distribution,) = (self.path / "sdist").iterdir()
        with tarfile.open(distribution) as archive:
            names = {name.partition("/")[2] for name in archive.getnames()}
        for folder in ("tf_vsinit", "tools"):
            held = (self.sources / folder).rglob("*")
            files = [path for path in held if path.is_file() and path.suffix != ".pyc"]
            self.assertContainsSubset({str(f.relative_to(self.sources)) for f in files}, names)
        self.assertEmpty([name for name in names if name.startswith("bazel-")])

    def test_the_self_check_passes_outside_the_checkout(self):
        report = self.run_python("-m", "tf_vsinit")
        self.assertIn("passed", report)
        self.assertIn(str(self.path / "environment"), report)
        self.assertNotIn(str(LIBRARIES), report)

    def test_the_quick_start_runs_outside_the_checkout(self):
        readme = (repository.ROOT / "README.md").read_text()
        self.run_python("-c", repository.python_blocks(readme)[0])

    def test_the_promises_hold_outside_the_checkout(self):
        tests = self.path / "tests"
        tests.mkdir()
        for name in ("__init__.py", "support", "golden", "op", "stream", "initializers"):
            source = repository.ROOT / "tests" / name
            (shutil.copytree if source.is_dir() else shutil.copy)(source, tests / name)
        options = ["-v", "-p", "no:cacheprovider", "-k", " or ".join(PROMISES.values())]
        output = self.run_python("-m", "pytest", *options, *(tests / file for file in PROMISES))
        for name in PROMISES.values():
            self.assertRegex(output, rf"{name}\w* PASSED")
        self.assertNotIn("FAILED", output)


if __name__ == "__main__":
    absltest.main()
