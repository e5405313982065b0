"""The code of docs/xla.md runs and does what the text says."""

from absl.testing import absltest

from tests.support import processes, repository


class DocumentTest(absltest.TestCase):
    def test_its_code_runs_and_each_function_holds_one_call(self):
        blocks = repository.python_blocks((repository.ROOT / "docs" / "xla.md").read_text())
        program = "".join(blocks) + "\nprint(weights.shape, members.shape)"
        printed = processes.output_of("-c", program)
        self.assertEqual(printed.count('custom_call_target="tf_vsinit.variance_scaling"'), 1)
        self.assertEndsWith(printed, "(512, 256) (1000, 64, 64)\n")


if __name__ == "__main__":
    absltest.main()
