"""TensorFlow 1 partitioners: the shards of a variable equal the whole variable for each of them.

python examples/compat_v1_partitions.py
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import tensorflow as tf

from tf_vsinit.compat import v1

tf1 = tf.compat.v1

SHAPE = (120, 50)
PARTITIONERS = {
    "whole": (None, 0),
    "fixed_size_partitioner, 7 shards of rows": (tf1.fixed_size_partitioner(7), 0),
    "fixed_size_partitioner, 3 shards of columns": (tf1.fixed_size_partitioner(3, axis=1), 1),
    "variable_axis_size_partitioner, at most 5000 bytes": (
        tf1.variable_axis_size_partitioner(5000),
        0,
    ),
    "min_max_variable_partitioner, at most 10 shards": (
        tf1.min_max_variable_partitioner(10, axis=1, min_slice_size=2000),
        1,
    ),
}


def make(partitioner):
    """Makes two variables that only the graph seed seeds. Returns the values of their shards."""
    with tf.Graph().as_default(), tf1.Session() as session:
        tf1.set_random_seed(2015)
        with tf1.variable_scope("layer", initializer=v1.he_normal(), partitioner=partitioner):
            variables = [tf1.get_variable(name, SHAPE) for name in ("first", "second")]
        session.run(tf1.global_variables_initializer())
        return [session.run(list(v) if partitioner else [v]) for v in variables]


def main():
    """Prints for each partitioner whether the shards equal the whole variable."""
    wholes = [shards[0] for shards in make(None)]
    for name, (partitioner, axis) in PARTITIONERS.items():
        made = make(partitioner)
        same = all(
            np.array_equal(np.concatenate(shards, axis), whole)
            for shards, whole in zip(made, wholes, strict=True)
        )
        print(f"{name:52} {len(made[0]):2} shards, the same bits: {same}")


if __name__ == "__main__":
    main()
