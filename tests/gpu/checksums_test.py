"""The checksums for GPUs are those of draws on this CPU."""

from unittest import mock

import tensorflow as tf
from absl.testing import absltest
from tensorflow.python.eager import context

from tests.support import processes, repository

SCRIPT = "tools/make_gpu_checksums.py"
make_gpu_checksums = repository.import_script(SCRIPT)


class GpuChecksumsTest(absltest.TestCase):
    def test_the_script_makes_the_committed_file(self):
        result = processes.run(repository.ROOT / SCRIPT, "--check")
        self.assertEqual(result.returncode, 0, f"run {SCRIPT} {result.stderr}")

    def test_the_script_draws_on_the_first_cpu(self):
        context._reset_context()  # Another test in this process may have used TensorFlow.
        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(
            cpu, [tf.config.LogicalDeviceConfiguration() for _ in range(2)]
        )
        drawn = []
        draw = make_gpu_checksums.tf_vsinit.stateless_variance_scaling

        def noting(*args, **kwargs):
            drawn.append(draw(*args, **kwargs))
            return drawn[-1]

        replaced = mock.patch.object(
            make_gpu_checksums.tf_vsinit, "stateless_variance_scaling", noting
        )
        with replaced, tf.device("/CPU:1"):
            next(make_gpu_checksums.lines())
        self.assertEndsWith(drawn[0].device, "CPU:0")


if __name__ == "__main__":
    absltest.main()
