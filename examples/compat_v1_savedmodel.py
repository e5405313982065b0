"""A TensorFlow 1 SavedModel draws the same initial values in a fresh process.

python examples/compat_v1_savedmodel.py
"""

import hashlib
import os
import subprocess
import sys
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import tensorflow as tf

from tf_vsinit.compat import v1

tf1 = tf.compat.v1


def save(folder):
    """Saves a model whose main_op is its init op. Sets no seed."""
    with tf.Graph().as_default(), tf1.Session() as session:
        tf1.get_variable("dense", [64, 10], initializer=v1.glorot_uniform_initializer())
        tf1.get_variable(
            "embedding",
            [10000, 16],
            initializer=v1.he_normal(),
            partitioner=tf1.fixed_size_partitioner(4),
        )
        init_op = tf1.global_variables_initializer()
        session.run(init_op)
        builder = tf1.saved_model.Builder(folder)
        builder.add_meta_graph_and_variables(session, ["serve"], main_op=init_op)
        builder.save()
        return digests(session)


def load(folder):
    """Loads the model, which runs its main_op."""
    with tf.Graph().as_default(), tf1.Session() as session:
        tf1.saved_model.load(session, ["serve"], folder)
        return digests(session)


def digests(session):
    """Returns a line for each variable of the default graph: its name and a hash of its values."""
    variables = tf1.global_variables()
    values = session.run(variables)
    return [
        f"{variable.op.name:18} {hashlib.sha256(value.tobytes()).hexdigest()[:16]}"
        for variable, value in zip(variables, values, strict=True)
    ]


def main():
    """Saves the model in this process, loads it in another, and compares the variables."""
    with tempfile.TemporaryDirectory() as parent:
        folder = os.path.join(parent, "model")
        saved = save(folder)
        loaded = subprocess.run(
            [sys.executable, __file__, folder], check=True, stdout=subprocess.PIPE, text=True
        )
    print("\n".join(saved))
    print("loaded in a fresh process, the same bits:", loaded.stdout.splitlines() == saved)


if __name__ == "__main__":
    if len(sys.argv) == 1:
        main()
    else:
        print("\n".join(load(sys.argv[1])))
