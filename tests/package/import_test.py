"""Importing tf_vsinit again and from a second copy, and the errors of an import."""

import hashlib
import importlib.util
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest.mock

import tensorflow as tf
from absl.testing import absltest, parameterized

import tf_vsinit
from tests.support import processes
from tf_vsinit import loading

PACKAGE = pathlib.Path(tf_vsinit.__file__).parent
USE = (
    "import numpy, tensorflow as tf, tf_vsinit\n"
    "def use(tf_vsinit):\n"
    "    first = tf_vsinit.HeNormal(seed=1)([4, 2])\n"
    "    both = tf.vectorized_map(\n"
    "        lambda s: tf_vsinit.stateless_variance_scaling([4, 2], s, scale=2.0),\n"
    "        tf.constant([[1, 0], [1, 0]]))\n"
    "    assert numpy.array_equal(both, [first, first])\n"
    "use(tf_vsinit)\n"
)


class SecondImportTest(parameterized.TestCase):
    @parameterized.parameters("0", "1")
    def test_does_nothing(self, legacy):
        code = USE + (
            "import importlib, sys\n"
            "import tf_vsinit.loading, tf_vsinit.vectorization\n"
            "importlib.reload(tf_vsinit.loading).load()\n"
            "importlib.reload(tf_vsinit.vectorization)\n"
            "use(tf_vsinit)\n"
            "for name in [n for n in sys.modules if n.partition('.')[0] == 'tf_vsinit']:\n"
            "    del sys.modules[name]\n"
            "import tf_vsinit as again\n"
            "assert again is not tf_vsinit\n"
            "use(again)\n"
            "use(tf_vsinit)\n"
            "print('all the same')\n"
        )
        output = processes.output_of("-c", code, TF_USE_LEGACY_KERAS=legacy)
        self.assertIn("all the same", output)


class ImportErrorTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(self.enter_context(tempfile.TemporaryDirectory()))
        self.package = self.path / "tf_vsinit"
        shutil.copytree(PACKAGE, self.package, ignore=shutil.ignore_patterns("__pycache__"))
        self.library = self.package / loading.libraries().op_library.name
        for description in self.package.glob("_vsinit_*.json"):
            if loading.libraries().line.replace(".", "_") in description.name:
                self.description = description
            else:
                description.unlink()

    def import_error(self, code="import tf_vsinit", **more_environment):
        # With -c, Python imports from the working directory first.
        result = processes.run("-c", code, cwd=self.path, **more_environment)
        self.assertEqual(result.returncode, 1, result.stderr)
        last_line = result.stderr.strip().splitlines()[-1]
        self.assertStartsWith(last_line, "ImportError: ")
        return last_line

    def check_error(self):
        """Returns what the import would raise before it loads a library, in this process."""
        spec = importlib.util.spec_from_file_location("copy", self.package / "_libraries.py")
        copy = importlib.util.module_from_spec(spec)
        with unittest.mock.patch.dict(sys.modules, copy=copy):
            spec.loader.exec_module(copy)
            with self.assertRaises(ImportError) as raised:
                copy.libraries_for(tf.__version__).check(self.library)
        return str(raised.exception)

    def write_library(self, content):
        """Replaces the library by another that the description fits."""
        old = self.library.read_bytes()
        description = self.description.read_text()
        # A new file: the copy may share that of the original.
        self.library.unlink()
        self.library.write_bytes(content)
        for before, after in (
            (str(len(old)), str(len(content))),
            (hashlib.sha256(old).hexdigest(), hashlib.sha256(content).hexdigest()),
        ):
            self.assertIn(before, description)
            description = description.replace(before, after)
        self.description.unlink()
        self.description.write_text(description)

    def compile_library(self, code):
        compiler = shutil.which("g++") or shutil.which("c++") or shutil.which("clang++")
        self.assertIsNotNone(compiler, "a C++ compiler is a requirement of the build")
        source, library = self.path / "library.cc", self.path / "library.so"
        source.write_text(code)
        subprocess.run([compiler, "-shared", "-fPIC", str(source), "-o", str(library)], check=True)
        self.write_library(library.read_bytes())

    def test_no_tensorflow(self):
        message = self.import_error(
            "import importlib.util as util; find_spec = util.find_spec\n"
            "util.find_spec = lambda name: None if name == 'tensorflow' else find_spec(name)\n"
            "import tf_vsinit"
        )
        for text in (f"needs TensorFlow {loading.libraries().line}", "pip install tensorflow"):
            self.assertIn(text, message)

    @parameterized.parameters(("0", "keras"), ("1", "tf_keras"))
    def test_no_keras(self, legacy, keras):
        code = f"import sys; sys.modules[{keras!r}] = None\nimport tf_vsinit"
        message = self.import_error(code, TF_USE_LEGACY_KERAS=legacy)
        self.assertIn(f"run `pip install {keras}`", message)

    def test_a_tensorflow_line_that_the_package_does_not_carry(self):
        self.description.rename(self.description.with_name("_vsinit_1_15.json"))
        # The libraries of other lines are not even read.
        self.library.unlink()
        message = self.import_error()
        for text in (
            "supports TensorFlow 1.15",
            f"TensorFlow {tf.__version__} is running",
            "pip install 'tensorflow==1.15.*'",
        ):
            self.assertIn(text, message)

    def test_a_package_without_libraries(self):
        self.description.unlink()
        message = self.check_error()
        for text in (str(self.package), "has no op library", "make build"):
            self.assertIn(text, message)

    def test_a_missing_library(self):
        self.library.unlink()
        message = self.check_error()
        for text in (str(self.library), "No such file", "--force-reinstall", "make build"):
            self.assertIn(text, message)

    @parameterized.named_parameters(
        ("empty", lambda content: b"", "has 0 bytes instead of"),
        ("cut_short", lambda content: content[: len(content) // 2], "bytes instead of"),
        ("changed", lambda content: content[:-1] + b"?", "checksum"),
    )
    def test_a_library_that_is(self, damage, difference):
        content = self.library.read_bytes()
        self.library.unlink()
        self.library.write_bytes(damage(content))
        message = self.check_error()
        for text in (str(self.library), "is damaged", difference, "--force-reinstall"):
            self.assertIn(text, message)

    def test_the_import_checks_a_library_before_it_loads_it(self):
        content = self.library.read_bytes()
        self.library.unlink()
        # Cut here, the library ends the process with a SIGBUS when it is loaded.
        self.library.write_bytes(content[: len(content) // 2])
        self.assertIn("is damaged", self.import_error())

    def test_an_unreadable_library(self):
        self.library.unlink()
        self.library.mkdir()
        message = self.check_error()
        for text in (str(self.library), "cannot read", "Is a directory"):
            self.assertIn(text, message)

    def test_a_description_that_is_not_json(self):
        self.description.unlink()
        self.description.write_text("")
        message = self.check_error()
        for text in (str(self.description), "is damaged", "--force-reinstall"):
            self.assertIn(text, message)

    def test_a_library_that_does_not_load(self):
        self.write_library(b"not a library" * 100)
        message = self.import_error()
        for text in (
            f"TensorFlow {tf.__version__} cannot load",
            "invalid ELF header",
            "make build",
        ):
            self.assertIn(text, message)

    def test_a_library_with_an_undefined_symbol(self):
        self.compile_library(
            "void missing(); __attribute__((constructor)) void f() { missing(); }\n"
        )
        self.assertIn("undefined symbol: _Z7missingv", self.import_error())

    def test_a_library_that_is_not_ours(self):
        self.compile_library("int foreign() { return 1; }\n")
        message = self.import_error()
        self.assertIn(f"The library {self.library} does not register the op", message)

    def test_a_second_copy_names_both_files(self):
        # The system names the file itself, and under Bazel the library is a link.
        other = loading.libraries().op_library.resolve()
        message = self.import_error(
            f"import tensorflow as tf\ntf.load_op_library({str(other)!r})\nimport tf_vsinit"
        )
        for text in (str(other), str(self.library), "one copy"):
            self.assertIn(text, message)


if __name__ == "__main__":
    absltest.main()
