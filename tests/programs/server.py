"""A parameter server or a worker of the cluster in distribute/parameter_server_test.

Its arguments are the cluster, its job, its task, and modules to import for their ops.
"""

import importlib
import json
import sys

import tensorflow as tf


def main(cluster, job, task, *modules):
    """Serves until standard input is closed, so that no server outlives the test."""
    for module in modules:
        importlib.import_module(module)
    server = tf.distribute.Server(json.loads(cluster), job_name=job, task_index=int(task))
    sys.stdin.read()
    del server


if __name__ == "__main__":
    main(*sys.argv[1:])
