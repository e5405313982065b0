"""The checksums that a GPU is held to are those of the draws on this CPU."""

import pathlib
import subprocess
import sys
from unittest import mock

import tensorflow as tf
from absl.testing import absltest

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import make_gpu_checksums  # noqa: E402  (the path to it has to be set before)


class GpuChecksumsTest(absltest.TestCase):
    def test_file_is_up_to_date(self):
        run = subprocess.run(
            [sys.executable, "tools/make_gpu_checksums.py", "--check"],
            cwd=ROOT,
            env={"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"},
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual(run.returncode, 0, run.stderr or "run tools/make_gpu_checksums.py")

    def test_another_device_at_hand_draws_nothing(self):
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
