"""The checksums that a GPU is held to are those of the draws on this CPU."""

import pathlib
import subprocess
import sys

from absl.testing import absltest

ROOT = pathlib.Path(__file__).parent.parent


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


if __name__ == "__main__":
    absltest.main()
