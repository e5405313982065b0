"""v1 SavedModels and meta graphs have the same initial values in a fresh process."""

import concurrent.futures
import pathlib
import tempfile

import numpy as np
import tensorflow as tf
from absl.testing import absltest

from tests.support import processes
from tests.support.bits import assert_same_bits
from tf_vsinit.compat import v1

tf1 = tf.compat.v1

WAYS = ("saved_model", "saved_model_in_tf2", "meta_graph", "meta_graph_without_devices")

# Loads and initialises in every way. Writes the values to one file for each way, and the errors to
# standard output.
LOADER = """
import sys
import numpy as np
import tensorflow as tf
tf1 = tf.compat.v1
folder = sys.argv[1]

def saved_model(session):
    tf1.saved_model.load(session, ["serve"], folder + "/saved_model")

def meta_graph(session):
    tf1.train.import_meta_graph(folder + "/graph.meta")
    session.run(tf1.get_collection("init_op"))

def meta_graph_without_devices(session):
    tf1.train.import_meta_graph(folder + "/graph.meta", clear_devices=True)
    session.run(tf1.get_collection("init_op"))

def in_session(load):
    with tf.Graph().as_default(), tf1.Session() as session:
        load(session)
        variables = tf1.global_variables()
        return dict(zip([v.op.name for v in variables], session.run(variables)))

def saved_model_in_tf2():
    loaded = tf.saved_model.load(folder + "/saved_model")
    return {v.name[:-2]: v.numpy() for v in loaded.variables}

ways = {
    "saved_model": lambda: in_session(saved_model),
    "saved_model_in_tf2": saved_model_in_tf2,
    "meta_graph": lambda: in_session(meta_graph),
    "meta_graph_without_devices": lambda: in_session(meta_graph_without_devices),
}
for name, load in ways.items():
    try:
        np.savez(f"{folder}/{name}.npz", **load())
    except Exception as error:
        print(name, type(error).__name__, error)
"""


def build():
    """Makes variables of every kind. Those without a seed get a new one at each run."""
    by_rows, by_columns = tf1.fixed_size_partitioner(3), tf1.fixed_size_partitioner(4, axis=1)
    tf1.get_variable("whole", [64, 48], initializer=v1.he_normal())
    tf1.get_variable("rows", [64, 48], initializer=v1.he_uniform(), partitioner=by_rows)
    tf1.get_variable(
        "columns", [3, 8, 6], tf.float64, v1.lecun_normal(seed=2), partitioner=by_columns
    )
    tf1.get_variable("half", [64, 48], tf.bfloat16, v1.GlorotUniform())
    tf1.get_variable(
        "like_stock",
        [64, 48],
        initializer=v1.GlorotNormal(seed=5, stream="tensorflow"),
        partitioner=by_columns,
    )
    # Too large to become a constant when TensorFlow optimises the graph.
    tf1.get_variable("large", [2048, 1600], initializer=v1.GlorotNormal(), partitioner=by_rows)
    with tf.device("/cpu:0"):
        tf1.get_variable(
            "reference",
            [64, 48],
            initializer=v1.VarianceScaling(distribution="untruncated_normal"),
            partitioner=by_rows,
            use_resource=False,
        )


def save(folder):
    """Saves the graph of `build` in both formats, with zeros. Returns the initial values."""
    with tf.Graph().as_default(), tf1.Session() as session:
        build()
        variables = tf1.global_variables()
        init_op = tf1.global_variables_initializer()
        session.run(init_op)
        values = dict(zip([v.op.name for v in variables], session.run(variables), strict=True))
        # So the checkpoint does not have the values that initialisation must give.
        session.run([tf1.assign(v, tf.zeros_like(v)) for v in variables])
        builder = tf1.saved_model.Builder(str(folder / "saved_model"))
        builder.add_meta_graph_and_variables(session, ["serve"], main_op=init_op)
        builder.save()
        tf1.add_to_collection("init_op", init_op)
        tf1.train.export_meta_graph(str(folder / "graph.meta"))
    return values


class FreshProcessTest(absltest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = pathlib.Path(cls.enter_context(tempfile.TemporaryDirectory()))
        cls.values = save(cls.folder)
        programs = "import tf_vsinit" + LOADER, LOADER
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            cls.errors, cls.errors_without = pool.map(
                lambda program: processes.output_of("-c", program, cls.folder), programs
            )

    def test_there_are_shards_and_no_value_is_missing(self):
        self.assertLen([name for name in self.values if "/part_" in name], 3 + 4 + 4 + 3 + 3)
        for value in self.values.values():
            self.assertGreater(np.count_nonzero(value), 0.9 * value.size)

    def test_every_way_to_load_gives_the_same_bits(self):
        self.assertEqual(self.errors, "")
        for way in WAYS:
            with self.subTest(way), np.load(self.folder / f"{way}.npz") as loaded:
                self.assertContainsSubset(
                    [name for name in self.values if not name.startswith("reference")], loaded
                )
                for name, value in loaded.items():
                    self.assertEqual(value.tobytes(), self.values[name].tobytes(), name)

    def test_a_session_restores_reference_variables(self):
        for way in set(WAYS) - {"saved_model_in_tf2"}:
            with self.subTest(way), np.load(self.folder / f"{way}.npz") as loaded:
                self.assertContainsSubset([f"reference/part_{i}" for i in range(3)], loaded)

    def test_another_program_draws_other_values_without_a_seed(self):
        with tempfile.TemporaryDirectory() as folder:
            again = save(pathlib.Path(folder))
        for name, value in again.items():
            is_same = value.tobytes() == self.values[name].tobytes()
            self.assertEqual(is_same, name.startswith(("columns", "like_stock")), name)

    def test_shards_of_the_tensorflow_stream_are_those_of_the_stock_variable(self):
        shards = [self.values[f"like_stock/part_{i}"] for i in range(4)]
        with tf.Graph().as_default(), tf1.Session() as session:
            whole = session.run(tf1.initializers.glorot_normal(seed=5)([64, 48]))
        assert_same_bits(np.concatenate(shards, axis=1), whole)

    def test_without_the_library_the_error_names_the_op(self):
        lines = self.errors_without.splitlines()
        self.assertLen(lines, len(WAYS))
        for way, line in zip(("saved_model", "saved_model_in_tf2"), lines, strict=False):
            self.assertStartsWith(line, f"{way} NotFoundError Op type not registered 'Vsinit")
        for line in lines:
            self.assertIn("'VsinitStatelessVarianceScaling'", line)


if __name__ == "__main__":
    absltest.main()
