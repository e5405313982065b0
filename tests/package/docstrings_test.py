"""The examples in the package's docstrings give what they show."""

import doctest
import inspect

from absl.testing import absltest, parameterized

import tf_vsinit
from tf_vsinit import functional, initializers, loading


class DocstringsTest(parameterized.TestCase):
    @parameterized.parameters(tf_vsinit, functional, initializers, loading)
    def test_examples(self, module):
        result = doctest.testmod(module)
        self.assertGreater(result.attempted, 0)
        self.assertEqual(result.failed, 0)

    @parameterized.parameters(*tf_vsinit.__all__)
    def test_everything_public_has_an_example(self, name):
        self.assertIn(">>> ", inspect.getdoc(getattr(tf_vsinit, name)))


if __name__ == "__main__":
    absltest.main()
