"""What an editor shows: the public names, their types, and the text of an initializer."""

import ast
import inspect
import pathlib
import types

import tensorflow as tf
from absl.testing import absltest, parameterized

import tf_vsinit
from tests.support import legacy_keras
from tf_vsinit import initializers, loading
from tf_vsinit.compat import v1

CLASSES = [
    name
    for name in tf_vsinit.__all__
    if inspect.isclass(cls := getattr(tf_vsinit, name)) and cls is not tf_vsinit.scope
]
STUB = ast.parse(pathlib.Path(initializers.__file__).with_suffix(".pyi").read_text())


def stub_parameters(name):
    """Returns the parameters of a class's constructor in the stub, with their defaults."""
    found = next(node for node in STUB.body if getattr(node, "name", None) == name)
    for node in found.body:
        if getattr(node, "name", None) == "__init__":
            names = [arg.arg for arg in node.args.args[1:] + node.args.kwonlyargs]
            defaults = map(ast.literal_eval, node.args.defaults + node.args.kw_defaults)
            return dict(zip(names, defaults, strict=True))
    return stub_parameters(found.bases[0].id)


def public_functions():
    """Yields the public functions and methods, with a name to show."""
    for package in (tf_vsinit, tf_vsinit.reference, v1):
        for name in getattr(package, "__all__", None) or vars(package):
            value = getattr(package, name)
            if name.startswith("_") or getattr(value, "__module__", "").partition(".")[0] != (
                "tf_vsinit"
            ):
                continue
            if isinstance(value, types.FunctionType):
                yield f"{package.__name__}.{name}", value
            elif value is tf_vsinit.scope:
                yield f"{package.__name__}.{name}", value
            elif inspect.isclass(value):
                yield f"{package.__name__}.{name}.__call__", value.__call__


class PublicNamesTest(absltest.TestCase):
    def test_dir_shows_the_public_names_alone(self):
        self.assertEqual(dir(tf_vsinit), sorted([*tf_vsinit.__all__, "__version__"]))

    def test_the_package_says_that_it_has_types(self):
        self.assertTrue(pathlib.Path(tf_vsinit.__file__).with_name("py.typed").exists())


class AnnotationsTest(parameterized.TestCase):
    @parameterized.parameters(*public_functions())
    def test_a_public_function_is_annotated(self, _, function):
        signature = inspect.signature(function)
        self.assertIsNot(signature.return_annotation, signature.empty)
        for parameter in signature.parameters.values():
            if parameter.name != "self":
                self.assertIsNot(parameter.annotation, parameter.empty, parameter.name)

    @parameterized.parameters(*CLASSES)
    @absltest.skipUnless(legacy_keras.HAS_AXES, "the stub has the axes of Keras 3.13")
    def test_a_constructor_in_the_stub_is_that_of_the_class(self, name):
        signature = inspect.signature(getattr(tf_vsinit, name))
        actual = {p.name: p.default for p in signature.parameters.values()}
        self.assertEqual(stub_parameters(getattr(tf_vsinit, name).__name__), actual)

    @absltest.skipIf(legacy_keras.IN_USE, "the same in both")
    def test_a_call_in_the_stub_is_that_of_the_classes(self):
        (cls,) = [n for n in STUB.body if getattr(n, "name", None) == "VarianceScaling"]
        (call,) = [n for n in cls.body if getattr(n, "name", None) == "__call__"]
        actual = inspect.signature(tf_vsinit.VarianceScaling.__call__).parameters
        self.assertEqual([a.arg for a in call.args.args + call.args.kwonlyargs], list(actual))

    @parameterized.parameters("vsinit_stateless_variance_scaling", "vsinit_assign_variance_scaling")
    def test_the_stub_of_an_op_is_that_of_the_generated_wrapper(self, name):
        stub = inspect.signature(getattr(loading.Operations, name)).parameters
        generated = inspect.signature(getattr(tf_vsinit.load(), name)).parameters
        self.assertEqual(list(stub), list(generated))


class ReprTest(parameterized.TestCase):
    def test_shows_the_arguments_of_the_constructor(self):
        shown = repr(tf_vsinit.VarianceScaling(0.5, "fan_out", seed=3))
        self.assertEqual(
            shown,
            "VarianceScaling(scale=0.5, mode='fan_out', distribution='truncated_normal', seed=3)",
        )
        self.assertEqual(repr(tf_vsinit.HeNormal()), "HeNormal()")
        glorot = "GlorotUniform(seed=1, dtype=tf.float32)"
        self.assertEqual(repr(v1.GlorotUniform(seed=1)), glorot)
        of_stream = tf_vsinit.HeNormal(seed=1, stream="tensorflow")
        self.assertEqual(repr(of_stream), "HeNormal(seed=1, stream='tensorflow')")

    @parameterized.parameters(*CLASSES)
    def test_makes_an_equal_initializer(self, name):
        initializer = getattr(tf_vsinit, name)(seed=7)
        again = eval(repr(initializer), vars(tf_vsinit))
        self.assertEqual(again.get_config(), initializer.get_config())
        self.assertTrue(bool(tf.reduce_all(again([3, 4]) == initializer([3, 4]))))


class LegacyKerasTest(legacy_keras.LegacyKerasTest):
    pass


if __name__ == "__main__":
    absltest.main()
