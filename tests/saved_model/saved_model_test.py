"""SavedModels and Keras exports draw the bits of the reference in a fresh process."""

import concurrent.futures
import pathlib
import tempfile

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized
from tensorflow.core.protobuf import saved_model_pb2

import tf_vsinit
from tests.support import processes
from tests.support.bits import assert_same_bits
from tf_vsinit import reference

SEEDS = ((1, 0), (-7, 2**40))
UNSEEDED = tf_vsinit.GlorotUniform()
# Keras 3 takes this seed modulo 2^31 - 2, and rounds the limit of a uniform to float32.
LIKE_STOCK = tf_vsinit.HeUniform(seed=-7, stream="tensorflow")

# The arguments that draw each variable of `Model`. The last one is a shard.
DRAWS = {
    "truncated_normal": {"shape": (300, 20), "scale": 2.0},
    "uniform": {"shape": (3, 3, 8, 16), "distribution": "uniform", "mode": "fan_avg"},
    "untruncated_normal": {"shape": (64, 48), "distribution": "untruncated_normal"},
    "float64": {"shape": (50, 40), "dtype": "float64"},
    "bfloat16": {"shape": (50, 40), "dtype": "bfloat16"},
    "shard": {"shape": (1000, 30), "begin": (250, 5), "size": (250, 20)},
    "tensorflow": {"shape": (300, 20), "stream": "tensorflow", "dtype": "float64"},
    "tensorflow_shard": {
        "shape": (1000, 30),
        "begin": (250, 5),
        "size": (250, 20),
        "stream": "tensorflow",
        "dtype": "bfloat16",
    },
}

# Loads a SavedModel of `Model` and initialises it with each seed.
LOAD_MODEL = """
import sys
import numpy as np
import tensorflow as tf
import tf_vsinit

folder, seeds = sys.argv[1], eval(sys.argv[2])
model = tf.saved_model.load(folder)
for i, seed in enumerate(seeds):
    model.initialize(tf.constant(seed, tf.int64))
    np.savez(f"{folder}/{i}.npz", **{
        name: tf.bitcast(variable, tf.uint16) if variable.dtype == tf.bfloat16 else variable
        for name, variable in model.variables_by_name.items()
    })
np.save(folder + "/unseeded.npy", model.draw_unseeded())
np.save(folder + "/like_stock.npy", model.draw_like_stock())
"""

# Loads the model without the library, then with it.
LOAD_LATE = """
import sys
import tensorflow as tf

try:
    tf.saved_model.load(sys.argv[1])
except Exception as error:
    print(type(error).__name__, error)
__import__("tf_vsinit").load()
model = tf.saved_model.load(sys.argv[1])
model.initialize(tf.constant([1, 0], tf.int64))
print("initialised")
"""

# Saves three models of tf.keras. HeNormal(seed=3) draws their kernels.
EXPORT = """
import sys
import tensorflow as tf
import tf_vsinit

folder = sys.argv[1]


class RandomBias(tf.keras.layers.Layer):
    def call(self, x):
        return x + tf_vsinit.stateless_variance_scaling([6], [3, 4])


def model(*layers):
    initializer = tf_vsinit.HeNormal(seed=3)
    dense = tf.keras.layers.Dense(6, kernel_initializer=initializer, use_bias=False)
    return tf.keras.Sequential([tf.keras.Input([4]), dense, *layers])


model().export(folder + "/serving")
model(RandomBias()).export(folder + "/drawing")

initialized = model()
kernel = initialized.layers[0].kernel


def initialize(seed):
    kernel.assign(tf_vsinit.HeUniform(seed=5)([4, 6]))
    return kernel.assign_add(tf_vsinit.stateless_variance_scaling([4, 6], seed))


archive = tf.keras.export.ExportArchive()
archive.track(initialized)
archive.add_endpoint(
    "serve", initialized.__call__, input_signature=[tf.TensorSpec([None, 4], tf.float32)])
archive.add_endpoint("initialize", initialize, input_signature=[tf.TensorSpec([2], tf.int64)])
archive.write_out(folder + "/initializing")
"""

LOAD_EXPORTS = """
import sys
import numpy as np
import tensorflow as tf

for folder in sys.argv[1:]:
    model = tf.saved_model.load(folder)
    if hasattr(model, "initialize"):
        model.initialize(tf.constant([1, 2], tf.int64))
    np.save(folder + "/values.npy", model.serve(tf.eye(4)))
"""


class Model(tf.Module):
    """Initialises its variables in a function of the SavedModel."""

    def __init__(self):
        super().__init__()
        self.variables_by_name = {}
        for name, draw in DRAWS.items():
            shape = draw.get("size", draw["shape"])
            dtype = draw.get("dtype", "float32")
            self.variables_by_name[name] = tf.Variable(tf.zeros(shape, dtype))

    @tf.function(input_signature=[tf.TensorSpec([2], tf.int64)])
    def initialize(self, seed):
        for name, draw in DRAWS.items():
            self.variables_by_name[name].assign(
                tf_vsinit.stateless_variance_scaling(seed=seed, **draw)
            )

    @tf.function(input_signature=[])
    def draw_unseeded(self):
        return UNSEEDED([40, 30])

    @tf.function(input_signature=[])
    def draw_like_stock(self):
        return LIKE_STOCK([40, 30], "float64")


class OlderModel(tf.Module):
    """Draws in a function."""

    @tf.function(input_signature=[tf.TensorSpec([2], tf.int64)])
    def draw(self, seed):
        return tf_vsinit.stateless_variance_scaling((40, 30), seed)


def drop_attribute(path, name):
    """Removes an attribute from the draws in the functions of a SavedModel."""
    model = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    functions = model.meta_graphs[0].graph_def.library.function
    draws = [
        node
        for function in functions
        for node in function.node_def
        if node.op == "VsinitStatelessVarianceScaling"
    ]
    assert draws
    for node in draws:
        node.attr.pop(name, None)
    # What this library knows of the op and an older one did not.
    del model.meta_graphs[0].meta_info_def.stripped_op_list.op[:]
    path.write_bytes(model.SerializeToString())


class ModuleTest(absltest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = cls.enter_context(tempfile.TemporaryDirectory())
        tf.saved_model.save(Model(), cls.folder)

    def test_a_function_draws_the_bits_of_the_reference(self):
        processes.output_of("-c", LOAD_MODEL, self.folder, SEEDS)
        for i, seed in enumerate(SEEDS):
            with np.load(f"{self.folder}/{i}.npz") as found:
                for name, draw in DRAWS.items():
                    wanted = reference.stateless_variance_scaling(seed=seed, **draw)
                    self.assertEqual(found[name].tobytes(), wanted.tobytes(), name)
        wanted = reference.stateless_variance_scaling(
            (40, 30), (UNSEEDED.seed, 0), mode="fan_avg", distribution="uniform"
        )
        found = np.load(f"{self.folder}/unseeded.npy")
        self.assertEqual(found.tobytes(), wanted.tobytes())
        stock = tf.keras.initializers.HeUniform(seed=-7)([40, 30], "float64")
        assert_same_bits(np.load(f"{self.folder}/like_stock.npy"), stock)

    def test_a_model_saved_before_there_were_streams_draws_stream_version_1(self):
        with tempfile.TemporaryDirectory() as folder:
            tf.saved_model.save(OlderModel(), folder)
            drop_attribute(pathlib.Path(folder, "saved_model.pb"), "stream")
            drawn = tf.saved_model.load(folder).draw(tf.constant(SEEDS[1], tf.int64))
        assert_same_bits(drawn, reference.stateless_variance_scaling((40, 30), SEEDS[1]))

    def test_without_the_library_the_error_names_the_op_and_one_line_helps(self):
        output = processes.output_of("-c", LOAD_LATE, self.folder)
        self.assertStartsWith(
            output, "RuntimeError Op type not registered 'VsinitStatelessVarianceScaling' in binary"
        )
        self.assertEndsWith(output, "\ninitialised\n")


class KerasExportTest(parameterized.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = cls.enter_context(tempfile.TemporaryDirectory())
        cls.folders = {"keras_3": f"{folder}/keras_3", "tf_keras": f"{folder}/tf_keras"}
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            list(pool.map(cls.export, cls.folders, "01"))
            # The serving model holds values and no initializer, so it needs no library.
            loads = {
                LOAD_EXPORTS: ["serving"],
                "import tf_vsinit" + LOAD_EXPORTS: ["drawing", "initializing"],
            }
            list(pool.map(cls.load, loads, loads.values()))

    @classmethod
    def export(cls, keras, legacy):
        processes.output_of("-c", EXPORT, cls.folders[keras], TF_USE_LEGACY_KERAS=legacy)

    @classmethod
    def load(cls, program, names):
        folders = [f"{folder}/{name}" for folder in cls.folders.values() for name in names]
        processes.output_of("-c", program, *folders)

    @parameterized.parameters("keras_3", "tf_keras")
    def test_a_fresh_process_draws_the_bits_of_the_reference(self, keras):
        def found(name):
            return np.load(f"{self.folders[keras]}/{name}/values.npy")

        kernel = reference.stateless_variance_scaling((4, 6), (3, 0), scale=2.0)
        np.testing.assert_array_equal(found("serving"), kernel)
        bias = reference.stateless_variance_scaling((6,), (3, 4))
        np.testing.assert_array_equal(found("drawing"), kernel + bias)
        uniform = reference.stateless_variance_scaling(
            (4, 6), (5, 0), scale=2.0, distribution="uniform"
        )
        wanted = uniform + reference.stateless_variance_scaling((4, 6), (1, 2))
        np.testing.assert_array_equal(found("initializing"), wanted)


if __name__ == "__main__":
    absltest.main()
