"""Runs the tests of a file again with tf_keras, which TensorFlow may be told to use as Keras."""

import os
import re
import sys
import unittest

from absl.testing import absltest

from tests.support import processes

# Whether tf.keras is tf_keras in this process.
IN_USE = os.environ.get("TF_USE_LEGACY_KERAS") == "1"


@absltest.skipIf(IN_USE, "this is the run with tf_keras")
class LegacyKerasTest(absltest.TestCase):
    """Holds for a file of tests that has a subclass of it."""

    def test_all_of_this_file_holds_with_tf_keras(self):
        file = sys.modules[type(self).__module__]
        result = processes.run("-m", file.__spec__.name, TF_USE_LEGACY_KERAS="1")
        self.assertEqual(result.returncode, 0, result.stderr)
        run_again = int(re.search(r"^Ran (\d+) tests? in ", result.stderr, re.MULTILINE)[1])
        # Not always all: there are layers that Keras 3 alone has.
        held = unittest.defaultTestLoader.loadTestsFromModule(file).countTestCases()
        self.assertBetween(run_again, 0.9 * held, held)
