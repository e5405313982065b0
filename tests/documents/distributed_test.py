"""docs/distributed.md: its code works with tf_keras, its servers start, and its picture is true."""

import numpy as np
from absl.testing import absltest, parameterized

import tf_vsinit
from tests.support import processes, repository

DOCUMENT = "docs/distributed.md"
SCRIPT = "tools/draw_partitions.py"


class LayoutTest(absltest.TestCase):
    def test_the_program_with_dtensor_prints_the_same_with_tf_keras(self):
        section = repository.section(DOCUMENT, "Layouts: DTensor and keras.distribution")
        program = repository.python_blocks(section)[0]
        self.assertEqual(processes.output_of("-c", program, TF_USE_LEGACY_KERAS="1"), "True\n")


class ServerTest(parameterized.TestCase):
    @parameterized.parameters("docs/compat_v1.md", DOCUMENT)
    def test_the_server_of_the_document_starts(self, document):
        (block,) = (
            block
            for _, block in repository.blocks((repository.ROOT / document).read_text())
            if block.endswith(".join()\n")
        )
        self.assertIn("import tf_vsinit\n", block)
        # Without the join, which never returns.
        lines = block.removesuffix(".join()\n").splitlines()
        program = "\n".join(
            [
                "import tensorflow as tf",
                f"cluster = {dict(ps=processes.free_addresses(1))}",
                *lines[:-1],
                f"print(({lines[-1]}).target)",
            ]
        )
        self.assertRegex(processes.output_of("-c", program), "^grpc://127.0.0.1:")


SHARDS_IN_ONE_PROCESS = """
import functools
import numpy as np
import tensorflow as tf
import tf_vsinit
from tf_vsinit import functional
draw, drawn = functional.draw, []
def recording_draw(box, *args, **kwargs):
    drawn.append(box.size)
    return draw(box, *args, **kwargs)
functional.draw = recording_draw
server, worker = {addresses}
cluster = {{"ps": [server], "worker": [worker]}}
servers = [tf.distribute.Server(cluster, job_name=job, task_index=0) for job in cluster]
strategy = tf.distribute.ParameterServerStrategy(
    tf.distribute.cluster_resolver.SimpleClusterResolver(
        tf.train.ClusterSpec(cluster), rpc_layer="grpc"
    ),
    tf.distribute.experimental.partitioners.FixedShardsPartitioner(4),
)
{block}
print(*drawn, sep="; ")
joined = np.concatenate([shard.numpy() for shard in kernel.variables])
print(np.array_equal(joined, initializer(joined.shape)))
"""


class ShardsTest(absltest.TestCase):
    def test_the_block_of_the_document_draws_shards_and_nothing_else(self):
        section = repository.section(DOCUMENT, "ParameterServerStrategy")
        (block,) = (block for _, block in repository.blocks(section) if "shape=[" in block)
        program = SHARDS_IN_ONE_PROCESS.format(addresses=processes.free_addresses(2), block=block)
        self.assertEqual(
            processes.output_of("-c", program).splitlines(),
            ["; ".join(["(25000, 64)"] * 4), "True"],
        )


class PictureTest(absltest.TestCase):
    def test_the_script_draws_it_again(self):
        processes.output_of(repository.ROOT / SCRIPT, "--check")

    def test_it_shows_the_indices_that_the_op_reads(self):
        script = repository.import_script(SCRIPT)
        whole = np.ravel(tf_vsinit.HeNormal(seed=1)(script.SHAPE))
        for shards in script.CUTS.values():
            for offset, shape in shards:
                shard = tf_vsinit.HeNormal(seed=1)(
                    script.SHAPE, partition_offset=offset, partition_shape=shape
                )
                np.testing.assert_array_equal(whole[script.indices_read(offset, shape)], shard)


if __name__ == "__main__":
    absltest.main()
