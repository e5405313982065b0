"""Loading the op library: which one, and what the import does not change."""

import tensorflow as tf
from absl.testing import absltest

import tf_vsinit
from tests.support import processes
from tf_vsinit import _libraries, loading


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

    def test_no_home_directory_is_needed(self):
        code = "import tf_vsinit; print(tf_vsinit.HeNormal(seed=1)([2]).shape)"
        home = {"HOME": "/proc/nowhere", "KERAS_HOME": "/proc/nowhere/.keras"}
        self.assertIn("(2,)", processes.output_of("-c", code, **home))

    def test_the_other_keras_is_not_imported(self):
        for legacy, absent in (("0", "tf_keras"), ("1", "keras.src")):
            code = f"import sys, tf_vsinit; assert {absent!r} not in sys.modules"
            processes.output_of("-c", code, TF_USE_LEGACY_KERAS=legacy)


class LibrariesTest(absltest.TestCase):
    def test_the_build_notes_the_version_of_tensorflow(self):
        self.assertEqual(
            _libraries.line_of(loading.libraries().tensorflow), loading.libraries().line
        )

    def test_patch_releases_share_a_library(self):
        line = loading.libraries().line
        for release in ("99", "0-dev20260101", "1rc0"):
            self.assertEqual(_libraries.libraries_for(f"{line}.{release}"), loading.libraries())


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
