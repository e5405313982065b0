"""Loading the op library: the errors, and what the import does not change."""

import pathlib
import shutil
import subprocess
import tempfile

import tensorflow as tf
from absl.testing import absltest

import tf_vsinit
from tests.support import processes
from tf_vsinit import loading

PACKAGE = pathlib.Path(tf_vsinit.__file__).parent


class LoadTest(absltest.TestCase):
    def test_load_returns_the_same_module_again(self):
        self.assertIs(tf_vsinit.load(), tf_vsinit.load())
        self.assertTrue(hasattr(tf_vsinit.load(), "vsinit_stateless_variance_scaling"))

    def test_modules_can_be_imported_in_any_order_and_reloaded(self):
        code = (
            "import importlib, tf_vsinit.loading, tf_vsinit.functional, tf_vsinit\n"
            "tf_vsinit.load(); importlib.reload(tf_vsinit); tf_vsinit.load()\n"
            "print(tf_vsinit.HeNormal(seed=1)([2]).shape)"
        )
        self.assertIn("(2,)", processes.output_of("-c", code))


class ImportErrorTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(self.enter_context(tempfile.TemporaryDirectory()))
        self.package = self.path / "tf_vsinit"
        shutil.copytree(
            PACKAGE, self.package, ignore=shutil.ignore_patterns("_build_info*", "__pycache__")
        )

    def import_error(self):
        # With -c, Python imports from the working directory first.
        result = processes.run("-c", "import tf_vsinit", cwd=self.path)
        self.assertNotEqual(result.returncode, 0, "the import succeeded")
        last_line = result.stderr.strip().splitlines()[-1]
        self.assertStartsWith(last_line, "ImportError: ")
        return last_line

    def test_missing_library(self):
        (self.package / "_vsinit_ops.so").unlink()
        message = self.import_error()
        self.assertIn("has not been built", message)
        self.assertIn("make build", message)

    def test_library_built_for_another_tensorflow(self):
        (self.package / "_build_info.py").write_text('BUILT_FOR_TENSORFLOW = "1.15.0"\n')
        message = self.import_error()
        self.assertIn("built for TensorFlow 1.15.0", message)
        self.assertIn(f"TensorFlow {tf.__version__} is running", message)
        self.assertIn("make build", message)

    def test_the_version_is_checked_before_the_library_is_loaded(self):
        (self.package / "_build_info.py").write_text('BUILT_FOR_TENSORFLOW = "1.15.0"\n')
        (self.package / "_vsinit_ops.so").write_bytes(b"not a library")
        self.assertIn("built for TensorFlow 1.15.0", self.import_error())

    def test_library_that_does_not_load(self):
        (self.package / "_vsinit_ops.so").write_bytes(b"not a library")
        message = self.import_error()
        self.assertIn(f"TensorFlow {tf.__version__} cannot load", message)
        self.assertIn("make build", message)

    def test_library_with_an_undefined_symbol(self):
        compiler = shutil.which("g++") or shutil.which("c++") or shutil.which("clang++")
        self.assertIsNotNone(compiler, "a C++ compiler is a requirement of the build")
        source = self.path / "undefined.cc"
        source.write_text("void missing(); __attribute__((constructor)) void f() { missing(); }\n")
        library = self.package / "_vsinit_ops.so"
        library.unlink()
        subprocess.run([compiler, "-shared", "-fPIC", str(source), "-o", str(library)], check=True)
        message = self.import_error()
        self.assertIn("make build", message)
        self.assertIn("undefined symbol: _Z7missingv", message)


class ImportSideEffectsTest(absltest.TestCase):
    def test_devices_can_still_be_configured(self):
        code = (
            "import tf_vsinit, tensorflow as tf\n"
            "cpu = tf.config.list_physical_devices('CPU')[0]\n"
            "device = tf.config.LogicalDeviceConfiguration()\n"
            "tf.config.set_logical_device_configuration(cpu, [device, device])\n"
            "tf.config.threading.set_intra_op_parallelism_threads(1)\n"
            "first = tf_vsinit.HeNormal(seed=1)([8, 8])\n"
            "with tf.device('CPU:1'):\n"
            "  second = tf_vsinit.HeNormal(seed=1)([8, 8])\n"
            "  third = tf_vsinit.HeNormal(seed=1)([9, 9])\n"
            "with tf.device('CPU:0'):\n"
            "  fourth = tf_vsinit.HeNormal(seed=1)([9, 9])\n"
            "assert second.device.endswith('CPU:1'), second.device\n"
            "assert bool(tf.reduce_all(first == second)) and bool(tf.reduce_all(third == fourth))"
        )
        processes.output_of("-c", code)

    def test_a_new_context_can_take_over(self):
        code = (
            "import tf_vsinit, tensorflow as tf\n"
            "from tensorflow.python.eager import context\n"
            "initializer = tf_vsinit.HeNormal(seed=1)\n"
            "before = initializer([8, 8]).numpy()\n"
            "context._reset_context()\n"
            "assert (initializer([8, 8]).numpy() == before).all()\n"
            "tf.keras.backend.clear_session()\n"
            "assert (initializer([8, 8]).numpy() == before).all()"
        )
        processes.output_of("-c", code)

    def test_the_other_keras_is_not_imported(self):
        for legacy, absent in (("0", "tf_keras"), ("1", "keras.src")):
            code = f"import sys, tf_vsinit; assert {absent!r} not in sys.modules"
            processes.output_of("-c", code, TF_USE_LEGACY_KERAS=legacy)


class BuiltForTest(absltest.TestCase):
    def test_the_build_notes_the_version_of_tensorflow(self):
        self.assertEqual(loading.built_for_tensorflow(), tf.__version__)


class InstructionSetTest(absltest.TestCase):
    def tearDown(self):
        loading.use_instruction_set("")
        super().tearDown()

    def test_values_do_not_depend_on_the_instruction_set(self):
        best = loading.instruction_set()
        expected = tf_vsinit.HeNormal(seed=1)([100, 7])
        loading.use_instruction_set("scalar")
        self.assertEqual(loading.instruction_set(), "scalar")
        self.assertTrue(bool(tf.reduce_all(tf_vsinit.HeNormal(seed=1)([100, 7]) == expected)))
        loading.use_instruction_set("")
        self.assertEqual(loading.instruction_set(), best)

    def test_an_error_names_an_unknown_instruction_set(self):
        with self.assertRaisesRegex(ValueError, "`name` must be .* Received: 'abacus'"):
            loading.use_instruction_set("abacus")


if __name__ == "__main__":
    absltest.main()
