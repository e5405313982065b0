"""Draws on a server without the library, for distribute/second_cluster_test.

Its argument is the address of the server. It prints the errors of a draw in eager mode and in a
function.
"""

import sys

import tensorflow as tf

import tf_vsinit


def main(address: str) -> None:
    """Connects without a strategy, so eager ops run asynchronously, and draws."""
    tf.config.experimental_connect_to_host(address)
    initializer = tf_vsinit.HeNormal(seed=1)
    for draw in (initializer, tf.function(initializer)):
        try:
            with tf.device("/job:worker/replica:0/task:0"):
                draw([4, 4]).numpy()
        except tf.errors.NotFoundError as error:
            print(error.message)


if __name__ == "__main__":
    main(sys.argv[1])
