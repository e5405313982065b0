"""Draws on the servers of one cluster after another, for distribute/second_cluster_test.

The values go to standard error if they are wrong: the exit status is then not 0.
"""

import tensorflow as tf

import tf_vsinit
from tests.support.bits import assert_same_bits
from tests.support.processes import free_addresses


def connect_to_a_new_cluster() -> list[tf.distribute.Server]:
    """Starts two servers in this process, connects to them, and returns them."""
    cluster = tf.train.ClusterSpec({"ps": free_addresses(1), "worker": free_addresses(1)})
    servers = [
        tf.distribute.Server(cluster, job_name=job, protocol="grpc") for job in ("ps", "worker")
    ]
    resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(cluster, rpc_layer="grpc")
    tf.distribute.ParameterServerStrategy(resolver)
    return servers


def main() -> None:
    """Makes the same draws before there are servers, and on three clusters."""
    initializer = tf_vsinit.HeNormal(seed=1)
    whole = initializer([64, 8])
    kept = []
    for _ in range(3):
        kept += connect_to_a_new_cluster()
        with tf.device("/job:ps/replica:0/task:0"):
            drawn = initializer([64, 8])
            shard = initializer([64, 8], partition_shape=[16, 8], partition_offset=[48, 0])
        assert "/job:ps" in drawn.device, drawn.device
        assert_same_bits(drawn, whole)
        assert_same_bits(shard, whole[48:])
    print("all the same")


if __name__ == "__main__":
    main()
