"""tf_vsinit.scope: whose initializers it replaces, and which seeds it gives."""

import gc
import hashlib
import pathlib
import re
import tempfile
import threading
import weakref

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

import tf_vsinit
from tests.support import bits, legacy_keras, repository
from tf_vsinit import paths
from tf_vsinit.records import variable_records

keras = tf.keras
layers = tf.keras.layers
v1 = tf.compat.v1


def functional_model(width=4):
    inputs = keras.Input([8])
    x = layers.Dense(width)(inputs)
    x = layers.Dense(width, kernel_initializer="he_normal")(x)
    stock = keras.initializers.LecunUniform()
    return keras.Model(inputs, layers.Dense(2, name="head", kernel_initializer=stock)(x))


def sequential_layers(width=4):
    stock = keras.initializers.LecunUniform()
    return [
        layers.Dense(width),
        layers.Dense(width, kernel_initializer="he_normal"),
        layers.Dense(2, name="head", kernel_initializer=stock),
    ]


def sequential_model():
    return keras.Sequential([keras.Input([8]), *sequential_layers()])


class Block(layers.Layer):
    """Two layers whose names Keras generates, and one that makes layers of its own."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.first = layers.Dense(4)
        self.second = layers.Dense(4, kernel_initializer="he_uniform")
        self.attention = layers.MultiHeadAttention(2, 4, name="attention")

    def call(self, x):
        x = self.second(self.first(x))[:, None]
        return self.attention(x, x)[:, 0]


class Blocks(keras.Model):
    """A subclassed model."""

    def __init__(self, names=("block1", "block2"), **kwargs):
        super().__init__(**kwargs)
        self.blocks = [Block(name=name) for name in names]

    def call(self, x):
        for block in self.blocks:
            x = block(x)
        return x


def values(model):
    """Returns the values of a model's kernels, by the names of their layers or in order."""
    return [weight.numpy() for weight in model.trainable_weights if np.ndim(weight) > 1]


def assert_same(first, second):
    """Checks that two models have the same kernels."""
    first, second = values(first), values(second)
    assert len(first) == len(second) > 0
    for one, other in zip(first, second, strict=True):
        bits.assert_same_bits(one, other)


def kernels_of(block):
    attention = block.attention
    parts = (attention._query_dense, attention._key_dense, attention._value_dense)
    return [each.kernel.numpy() for each in (block.first, block.second, *parts)]


class InitializersTest(parameterized.TestCase):
    @parameterized.parameters(functional_model, sequential_model)
    def test_strings_defaults_and_objects(self, make):
        with tf_vsinit.scope(seed=1):
            model = make()
        dense, other, head = [each for each in model.layers if isinstance(each, layers.Dense)]
        seed = paths.path_seed
        for layer, cls, path in (
            (dense, tf_vsinit.GlorotUniform, "dense/kernel"),
            (other, tf_vsinit.HeNormal, "dense_1/kernel"),
            (head, tf_vsinit.LecunUniform, "head/kernel"),
        ):
            self.assertIs(type(layer.kernel_initializer), cls)
            bits.assert_same_bits(layer.kernel, cls(seed(1, path))(layer.kernel.shape))

    def test_the_stream(self):
        with tf_vsinit.scope(seed=1, stream="tensorflow"):
            model = functional_model()
        stock = keras.initializers.HeNormal(paths.path_seed(1, "dense_1/kernel"))
        bits.assert_same_bits(model.layers[2].kernel, stock([4, 4]))
        self.assertEqual(model.layers[2].kernel_initializer.get_config()["stream"], "tensorflow")

    def test_without_a_seed_the_values_are_those_of_stock(self):
        def make():
            inputs = keras.Input([8])
            x = layers.Dense(8, kernel_initializer="random_normal")(inputs)
            x = layers.Reshape([2, 4])(layers.Dense(8, kernel_initializer="he_normal")(x))
            return keras.Model(inputs, layers.MultiHeadAttention(2, 4)(x, x))

        keras.utils.set_random_seed(3)
        stock = make()
        keras.utils.set_random_seed(3)
        with tf_vsinit.scope(stream="tensorflow"):
            ours = make()
        self.assertIs(type(ours.layers[2].kernel_initializer), tf_vsinit.HeNormal)
        assert_same(stock, ours)

    def test_an_initializer_with_a_seed_keeps_it(self):
        with tf_vsinit.scope(seed=1):
            stock = layers.Dense(3, kernel_initializer=keras.initializers.HeNormal(5))
            ours = layers.Dense(3, kernel_initializer=tf_vsinit.HeNormal(5))
            stock.build([None, 4])
            ours.build([None, 4])
        wanted = tf_vsinit.HeNormal(5)([4, 3])
        bits.assert_same_bits(stock.kernel, wanted)
        bits.assert_same_bits(ours.kernel, wanted)
        self.assertEqual(stock.kernel_initializer.get_config()["seed"], 5)

    def test_other_initializers_stay(self):
        with tf_vsinit.scope(seed=1):
            layer = layers.Dense(3, kernel_initializer="orthogonal", bias_initializer="ones")
            layer.build([None, 4])
        self.assertIs(type(layer.kernel_initializer), keras.initializers.Orthogonal)
        bits.assert_same_bits(layer.bias, tf.ones([3]))

    def test_a_layer_built_inside_and_made_outside(self):
        layer = layers.Dense(3)
        with tf_vsinit.scope(seed=1):
            layer.build([None, 4])
        self.assertIs(type(layer.kernel_initializer), tf_vsinit.GlorotUniform)

    def test_nothing_is_left_outside(self):
        methods = layers.Layer.__init__, layers.Layer.add_weight
        with self.assertRaisesRegex(RuntimeError, "in the scope"), tf_vsinit.scope(seed=1):
            self.assertIsNot(layers.Layer.add_weight, methods[1])
            raise RuntimeError("in the scope")
        self.assertIs(layers.Layer.__init__, methods[0])
        self.assertIs(layers.Layer.add_weight, methods[1])
        layer = layers.Dense(3)
        layer.build([None, 4])
        self.assertIs(type(layer.kernel_initializer), keras.initializers.GlorotUniform)

    def test_a_model_that_is_deleted_goes(self):
        with tf_vsinit.scope(seed=1):
            made = functional_model()
        with tf_vsinit.scope(seed=1):
            lazy = keras.Sequential(sequential_layers())
        lazy.build([None, 8])
        alive = [weakref.ref(model.layers[1]) for model in (made, lazy)]
        del made, lazy
        keras.backend.clear_session()
        gc.collect()
        self.assertEqual([layer() for layer in alive], [None, None])

    def test_the_config_and_a_saved_model(self):
        with tf_vsinit.scope(seed=1):
            model = functional_model()
        config = model.layers[2].get_config()["kernel_initializer"]
        self.assertEqual(config["registered_name"], "tf_vsinit>HeNormal")
        self.assertIsNone(config["config"]["seed"])
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "model.keras"
            model.save(path)
            loaded = keras.models.load_model(path)
        assert_same(model, loaded)
        self.assertIs(type(loaded.layers[2].kernel_initializer), tf_vsinit.HeNormal)


class PathsTest(parameterized.TestCase):
    """The values of a variable follow from its path alone."""

    def test_the_examples_of_the_document(self):
        section = repository.section("docs/stream.md", "Seeds of a model's variables")
        rows = re.findall(r"^\| (-?\d+) \| `(\S+)` \| (\d+) \|$", section, re.MULTILINE)
        self.assertLen(rows, 3)
        for seed, path, wanted in rows:
            content = int(seed).to_bytes(8, "little", signed=True) + path.encode()
            digest = hashlib.sha256(content).digest()
            self.assertEqual(int.from_bytes(digest[:8], "little") // 2, int(wanted))
            self.assertEqual(paths.path_seed(int(seed), path), int(wanted))

    def test_a_scope_gives_the_same_values_each_time(self):
        @tf_vsinit.scope(seed=1)
        def make():
            return functional_model()

        assert_same(make(), make())
        scope = tf_vsinit.scope(seed=1)
        with scope:
            model = functional_model()
        with scope:
            assert_same(model, functional_model())
        with tf_vsinit.scope(seed=2):
            other = functional_model()
        self.assertFalse(bits.same_bits(values(model)[0], values(other)[0]))

    def test_ways_to_make_a_model(self):
        with tf_vsinit.scope(seed=1):
            model = functional_model()
        with tf_vsinit.scope(seed=1):
            assert_same(model, sequential_model())
        with tf_vsinit.scope(seed=1):
            assert_same(model, keras.models.clone_model(model))
        config = functional_model().get_config()
        with tf_vsinit.scope(seed=1):
            assert_same(model, keras.Model.from_config(config))
        with tf_vsinit.scope(seed=1):
            lazy = keras.Sequential(sequential_layers())
        lazy.build([None, 8])
        assert_same(model, lazy)

    def test_strategies(self):
        with tf_vsinit.scope(seed=1):
            model = functional_model()
        strategy = tf.distribute.MirroredStrategy(["CPU:0"])
        with strategy.scope(), tf_vsinit.scope(seed=1):
            assert_same(model, functional_model())

    def test_shards_of_a_sharded_variable(self):
        layer = layers.Dense(6)
        with tf_vsinit.scope(seed=1):
            layer.build([None, 8])
        shard = layer.kernel_initializer(
            [8, 6], tf.float32, partition_shape=[3, 6], partition_offset=[5, 0]
        )
        bits.assert_same_bits(shard, np.array(layer.kernel)[5:])

    def test_other_layers(self):
        def make(*names):
            return keras.Sequential(
                [keras.Input([4]), *(layers.Dense(4, name=name) for name in names)]
            )

        with tf_vsinit.scope(seed=1):
            whole = make("a", "b", "c")
        for names in (("b",), ("c", "b", "a"), ("a", "new", "b"), ("x", "b", "y")):
            with tf_vsinit.scope(seed=1):
                other = make(*names)
            bits.assert_same_bits(whole.get_layer("b").kernel, other.get_layer("b").kernel)

    def test_subclassed_models(self):
        x = np.ones([2, 4], np.float32)
        with tf_vsinit.scope(seed=1):
            model = Blocks()
            model(x)
        # Built after the scope, with other blocks, in another order.
        with tf_vsinit.scope(seed=1):
            other = Blocks(names=("new", "block2", "block1"))
        other(x)
        for block, found in zip(model.blocks, (other.blocks[2], other.blocks[1]), strict=True):
            kernels = kernels_of(block)
            self.assertLen({kernel.tobytes() for kernel in kernels}, len(kernels))
            for wanted, kernel in zip(kernels, kernels_of(found), strict=True):
                bits.assert_same_bits(wanted, kernel)
        wanted = tf_vsinit.GlorotUniform(paths.path_seed(1, "blocks/block1/dense/kernel"))([4, 4])
        bits.assert_same_bits(model.blocks[0].first.kernel, wanted)

    def test_two_hundred_layers(self):
        with tf_vsinit.scope(seed=1):
            model = keras.Sequential([keras.Input([3]), *(layers.Dense(3) for _ in range(200))])
        self.assertLen({kernel.tobytes() for kernel in values(model)}, 200)

    def test_variables_of_one_name_in_a_layer(self):
        class Twice(layers.Layer):
            def build(self, shape):
                self.zeros = self.add_weight(shape=[4, 4], name="kernel", initializer="zeros")
                self.kernels = [self.add_weight(shape=[4, 4], name="kernel") for _ in range(2)]
                self.unnamed = self.add_weight(shape=[4, 4])

        with tf_vsinit.scope(seed=1):
            layer = Twice()
            layer.build([4])
        kernels = (*layer.kernels, layer.unnamed)
        # The first kernel is the one of zeros.
        names = ("twice/kernel_1", "twice/kernel_2", "twice/variable")
        for kernel, name in zip(kernels, names, strict=True):
            wanted = tf_vsinit.GlorotUniform(paths.path_seed(1, name))([4, 4])
            bits.assert_same_bits(kernel, wanted)
        self.assertEqual(
            [record.path for record in variable_records(layer)], ["twice/kernel", *names]
        )

    def test_a_path_that_two_layers_share(self):
        with tf_vsinit.scope(seed=1):
            layers.Dense(2, name="same").build([None, 2])
            with self.assertRaisesRegex(ValueError, "path 'same/kernel'.*Dense.*Dense"):
                layers.Dense(2, name="same").build([None, 2])


class NestingTest(absltest.TestCase):
    def test_the_innermost_scope_counts(self):
        with tf_vsinit.scope(seed=1):
            with tf_vsinit.scope(seed=2):
                inner = functional_model()
            outer = functional_model()
        with tf_vsinit.scope(seed=2):
            assert_same(inner, functional_model())
        with tf_vsinit.scope(seed=1):
            assert_same(outer, functional_model())

    def test_a_scope_inside_itself(self):
        scope = tf_vsinit.scope(seed=1)
        with scope, scope:
            inner = functional_model()
        with tf_vsinit.scope(seed=1):
            assert_same(inner, functional_model())

    def test_a_scope_left_twice(self):
        scope = tf_vsinit.scope(seed=1)
        with scope:
            pass
        with self.assertRaisesRegex(RuntimeError, "tf_vsinit.scope was left more often"):
            scope.__exit__(None, None, None)

    def test_threads(self):
        made = {}

        def make(seed):
            with tf_vsinit.scope(seed):
                made[seed] = functional_model()

        def make_stock():
            made["stock"] = functional_model()

        with tf_vsinit.scope(seed=9):
            threads = [threading.Thread(target=make, args=[seed]) for seed in range(1, 5)]
            threads.append(threading.Thread(target=make_stock))
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        stock = made.pop("stock").layers[1].kernel_initializer
        self.assertIs(type(stock), keras.initializers.GlorotUniform)
        for seed, model in made.items():
            kernel = model.get_layer("head").kernel
            wanted = tf_vsinit.LecunUniform(paths.path_seed(seed, "head/kernel"))([4, 2])
            bits.assert_same_bits(kernel, wanted)

    def test_arguments(self):
        for seed in (True, 1.5, "1", 2**63, [1, 2]):
            with self.assertRaisesRegex(ValueError, "`seed`.*Received"):
                tf_vsinit.scope(seed)
        with self.assertRaisesRegex(ValueError, "`stream`.*Received"):
            tf_vsinit.scope(1, "other")


class CompatV1Test(absltest.TestCase):
    def variable(self, name, scope="", **options):
        with tf.Graph().as_default(), v1.variable_scope(scope):
            variable = tf.convert_to_tensor(v1.get_variable(name, [6, 4], **options))
            with v1.Session() as session:
                session.run(v1.global_variables_initializer())
                return session.run(variable)

    def test_default_and_stock_initializers(self):
        stock = v1.initializers.he_normal
        for options, cls in (
            ({}, tf_vsinit.GlorotUniform),
            ({"initializer": v1.glorot_uniform_initializer}, tf_vsinit.GlorotUniform),
            ({"initializer": stock()}, tf_vsinit.HeNormal),
            ({"initializer": keras.initializers.HeUniform()}, tf_vsinit.HeUniform),
            ({"partitioner": v1.fixed_size_partitioner(3)}, tf_vsinit.GlorotUniform),
        ):
            with tf_vsinit.scope(seed=1):
                found = self.variable("w", **options)
            bits.assert_same_bits(found, cls(paths.path_seed(1, "w"))([6, 4]))

    def test_the_path_has_the_variable_scopes(self):
        with tf_vsinit.scope(seed=1):
            found = self.variable("w", scope="net")
        bits.assert_same_bits(found, tf_vsinit.GlorotUniform(paths.path_seed(1, "net/w"))([6, 4]))

    def test_others_stay(self):
        with tf_vsinit.scope(seed=1):
            bits.assert_same_bits(
                self.variable("w", initializer=v1.ones_initializer()), np.ones([6, 4], np.float32)
            )
            found = self.variable("w", initializer=stock_with_seed())
        bits.assert_same_bits(found, self.variable("w", initializer=stock_with_seed()))


def stock_with_seed():
    # float32 uniforms have the bits of stock.
    return v1.glorot_uniform_initializer(seed=5)


class LegacyScopeTest(legacy_keras.LegacyKerasTest):
    pass


if __name__ == "__main__":
    absltest.main()
