"""The committed coefficients equal those that the script computes."""

import numpy as np
from absl.testing import absltest

from tests.support import processes
from tests.support.repository import ROOT
from tf_vsinit import normal_coefficients


class CoefficientsTest(absltest.TestCase):
    def test_the_script_computes_the_committed_files(self):
        processes.output_of(ROOT / "tools" / "make_coefficients.py", "--check")

    def test_the_text_file_and_the_module_have_the_same_numbers(self):
        sections = (ROOT / "docs" / "stream_v1_constants.txt").read_text().split("\n\n")[1:]
        names = []
        for section in sections:
            name, *rows = section.split("\n")
            names.append(name)
            in_text = [[float.fromhex(field) for field in row.split()] for row in rows if row]
            np.testing.assert_array_equal(
                np.squeeze(np.array(in_text)), getattr(normal_coefficients, name)
            )
        in_module = [name for name in vars(normal_coefficients) if name.startswith("F")]
        self.assertCountEqual(names, in_module)


if __name__ == "__main__":
    absltest.main()
