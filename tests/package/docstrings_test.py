"""The examples in the docstrings of every public module print what they show."""

import doctest
import importlib
import inspect
import pkgutil

from absl.testing import absltest, parameterized

import tf_vsinit
from tf_vsinit.compat import v1


def public_modules():
    """Returns the names of all modules of the package but the private ones."""
    found = pkgutil.walk_packages(tf_vsinit.__path__, "tf_vsinit.")
    names = [module.name for module in found if "._" not in module.name]
    return ["tf_vsinit", *names]


class DocstringsTest(parameterized.TestCase):
    @parameterized.parameters(*public_modules())
    def test_examples_of_a_module_print_what_they_show(self, name):
        module = importlib.import_module(name)
        result = doctest.testmod(module)
        self.assertEqual(result.failed, 0)
        if ">>> " in inspect.getsource(module):
            self.assertGreater(result.attempted, 0)

    @parameterized.parameters(tf_vsinit, v1, v1.initializers, v1.keras.initializers)
    def test_everything_public_has_an_example(self, package):
        for name in package.__all__:
            if not inspect.ismodule(getattr(package, name)):
                self.assertIn(">>> ", inspect.getdoc(getattr(package, name)), name)

    def test_reference_has_an_example(self):
        self.assertIn(">>> ", inspect.getdoc(tf_vsinit.reference.stateless_variance_scaling))


if __name__ == "__main__":
    absltest.main()
