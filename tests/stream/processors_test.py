"""Processors that qemu emulates give the golden vectors of both streams."""

import pathlib
import subprocess
import tempfile

from absl.testing import absltest, parameterized

from tests.support import repository

processors = repository.import_script("tools/processors.py")


class ProcessorsTest(parameterized.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)

    @parameterized.named_parameters(
        (processor.name, processor) for processor in processors.PROCESSORS if processor.in_make_test
    )
    def test_the_golden_vectors(self, processor):
        if reason := processors.missing(processor):
            self.skipTest(reason)
        for test in processors.GOLDEN:
            try:
                output = processors.run(processor, test, self.folder)
            except subprocess.CalledProcessError as error:
                self.fail(f"{test}: {error.stdout[-2000:]} {error.stderr[-2000:]}")
            self.assertIn("PASSED", output)
            if test.startswith("cc/cpu"):
                names = processors.run(processor, test, self.folder, "--gtest_list_tests")
                self.assertIn(f'GetParam() = "{processor.fill}"', names)


if __name__ == "__main__":
    absltest.main()
