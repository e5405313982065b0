"""Large draws have the checksums of the vectors, and these those of the documents."""

import hashlib
from unittest import mock

import tensorflow as tf
from absl.testing import absltest
from tensorflow.python.eager import context

from tests.support import processes, repository

SCRIPT = "tools/make_checksums.py"
make_checksums = repository.import_script(SCRIPT)


class ChecksumsTest(absltest.TestCase):
    def test_the_script_makes_the_committed_file(self):
        result = processes.run(repository.ROOT / SCRIPT, "--check")
        self.assertEqual(result.returncode, 0, f"run {SCRIPT} {result.stderr}")

    def test_the_definition_of_each_stream_has_the_checksum_of_its_lines(self):
        # An edit of the vectors alone, without the version in the document, fails here.
        documents = {"vsinit": "stream.md", "tensorflow": "tensorflow_stream.md"}
        self.assertCountEqual(documents, make_checksums.STREAMS)
        for stream, document in documents.items():
            lines = make_checksums.FILE.read_text().splitlines(keepends=True)
            of_stream = "".join(line for line in lines if line.startswith(f"fill {stream} "))
            digest = hashlib.sha256(of_stream.encode()).hexdigest()
            self.assertIn(f"\n    {digest}\n", (repository.ROOT / "docs" / document).read_text())

    def test_the_script_draws_on_the_first_cpu(self):
        context._reset_context()  # Another test in this process may have used TensorFlow.
        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(
            cpu, [tf.config.LogicalDeviceConfiguration() for _ in range(2)]
        )
        drawn = []
        draw = make_checksums.tf_vsinit.stateless_variance_scaling

        def noting(*args, **kwargs):
            drawn.append(draw(*args, **kwargs))
            return drawn[-1]

        replaced = mock.patch.object(make_checksums.tf_vsinit, "stateless_variance_scaling", noting)
        with replaced, tf.device("/CPU:1"):
            next(make_checksums.lines())
        self.assertEndsWith(drawn[0].device, "CPU:0")


if __name__ == "__main__":
    absltest.main()
