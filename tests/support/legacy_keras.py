"""Runs the tests of a file again with tf_keras in place of Keras 3."""

import inspect
import os
import re
import sys
import unittest

import tensorflow as tf
from absl.testing import absltest

from tests.support import processes

# Whether tf.keras is tf_keras in this process.
IN_USE = os.environ.get("TF_USE_LEGACY_KERAS") == "1"
# Whether the initializers have the axes that Keras 3.13 added.
HAS_AXES = "input_axes" in inspect.signature(tf.keras.initializers.HeNormal).parameters


@absltest.skipIf(IN_USE, "this process already uses tf_keras")
class LegacyKerasTest(absltest.TestCase):
    """Runs all tests of the file that has a subclass of this class, with tf_keras."""

    def test_this_file_passes_with_tf_keras(self):
        file = sys.modules[type(self).__module__]
        result = processes.run("-m", file.__spec__.name, TF_USE_LEGACY_KERAS="1")
        self.assertEqual(result.returncode, 0, result.stderr)
        run_again = int(re.search(r"^Ran (\d+) tests? in ", result.stderr, re.MULTILINE)[1])
        # Some layers exist only in Keras 3, so a few tests may be missing.
        held = unittest.defaultTestLoader.loadTestsFromModule(file).countTestCases()
        self.assertBetween(run_again, 0.9 * held, held)
