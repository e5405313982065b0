"""In a scope, every variable of each model of keras.applications has a path of its own."""

import inspect
import unittest
import unittest.mock

import tensorflow as tf
from absl.testing import absltest, parameterized

import tf_vsinit
from tests.support import legacy_keras
from tf_vsinit import paths

APPLICATIONS = sorted(
    name for name, value in vars(tf.keras.applications).items() if inspect.isfunction(value)
)


def seeds_and_paths(name):
    """Makes a model in a scope, without its variables; returns the seed of each path, in order."""
    drawn = []

    def path_seed(seed, path):
        drawn.append((path, original(seed, path)))
        return drawn[-1][1]

    original = paths.path_seed
    with (
        unittest.mock.patch.object(paths, "path_seed", path_seed),
        tf.keras.StatelessScope(),
        tf_vsinit.scope(seed=1),
    ):
        model = getattr(tf.keras.applications, name)(weights=None)
    kernels = [weight for weight in model.trainable_weights if weight.name.endswith("kernel")]
    assert len(drawn) == len(kernels), (len(drawn), len(kernels))
    return drawn


@unittest.skipIf(legacy_keras.IN_USE, "only Keras 3 makes models without their variables")
class ApplicationsTest(parameterized.TestCase):
    @parameterized.parameters(APPLICATIONS)
    def test_no_two_variables_share_a_seed(self, name):
        drawn = seeds_and_paths(name)
        self.assertNotEmpty(drawn)
        self.assertLen({path for path, _ in drawn}, len(drawn))
        self.assertLen({seed for _, seed in drawn}, len(drawn))

    # These have names that Keras generates, which count on in a process.
    @parameterized.parameters("InceptionV3", "Xception")
    def test_what_was_built_before_makes_no_difference(self, name):
        self.assertEqual(seeds_and_paths(name), seeds_and_paths(name))


if __name__ == "__main__":
    absltest.main()
