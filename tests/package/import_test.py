"""Importing tf_vsinit again, from a second copy, and from files that are damaged or not ours."""

import pathlib
import shutil
import subprocess
import tempfile

from absl.testing import absltest, parameterized

import tf_vsinit
from tests.support import processes

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


class ImportErrorTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(self.enter_context(tempfile.TemporaryDirectory()))
        self.package = self.path / "tf_vsinit"
        self.library = self.package / "_vsinit_ops.so"
        shutil.copytree(PACKAGE, self.package, ignore=shutil.ignore_patterns("__pycache__"))

    def import_error(self, code="import tf_vsinit"):
        # With -c, Python imports from the working directory first.
        result = processes.run("-c", code, cwd=self.path)
        self.assertEqual(result.returncode, 1, result.stderr)
        last_line = result.stderr.strip().splitlines()[-1]
        self.assertStartsWith(last_line, "ImportError: ")
        return last_line

    def test_a_library_cut_short(self):
        # Cut here, the library ends the process with a SIGBUS when it is loaded.
        size = self.library.stat().st_size
        with self.library.open("r+b") as library:
            library.truncate(size // 2)
        message = self.import_error()
        for text in (str(self.library), "cut short", f"{size // 2} bytes", f"{size}", "make build"):
            self.assertIn(text, message)

    def test_an_unreadable_library(self):
        self.library.unlink()
        self.library.mkdir()
        message = self.import_error()
        for text in (str(self.library), "cannot be read", "Is a directory"):
            self.assertIn(text, message)
        self.assertNotIn("another TensorFlow", message)

    def test_a_library_that_is_not_ours(self):
        compiler = shutil.which("g++") or shutil.which("c++") or shutil.which("clang++")
        self.assertIsNotNone(compiler, "a C++ compiler is a requirement of the build")
        (self.package / "_build_info.py").unlink()
        self.library.unlink()
        source = self.path / "foreign.cc"
        source.write_text("int foreign() { return 1; }\n")
        subprocess.run(
            [compiler, "-shared", "-fPIC", str(source), "-o", str(self.library)], check=True
        )
        message = self.import_error()
        self.assertIn(f"The library {self.library} does not register the op", message)

    def test_a_build_info_without_its_names(self):
        (self.package / "_build_info.py").write_text("")
        output = processes.output_of("-c", USE + "print(tf_vsinit.__file__)", cwd=self.path)
        self.assertIn(str(self.package), output)

    def test_a_second_copy_names_both_files(self):
        # The system names the file itself, and under Bazel the library is a link.
        other = (PACKAGE / "_vsinit_ops.so").resolve()
        message = self.import_error(
            f"import tensorflow as tf\ntf.load_op_library({str(other)!r})\nimport tf_vsinit"
        )
        for text in (str(other), str(self.library), "one copy"):
            self.assertIn(text, message)


if __name__ == "__main__":
    absltest.main()
