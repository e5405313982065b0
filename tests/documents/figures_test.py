"""The pictures are those that their scripts draw, and small."""

import os
import pathlib
import tempfile
import unittest
from unittest import mock

from absl.testing import absltest, parameterized

from tests.support import repository

# Threads of a matrix product may sum in another order.
with mock.patch.dict(os.environ, OMP_NUM_THREADS="1"):
    activations = repository.import_script("tools/draw_activations.py")
    bench = repository.import_script("tools/draw_bench.py")
    peers = repository.import_script("tools/draw_peers.py")
    import matplotlib

# Another version places labels differently.
DRAWN_WITH = "3.11.2"


class FiguresTest(parameterized.TestCase):
    @parameterized.named_parameters(
        ("activations", activations), ("bench", bench), ("peers", peers)
    )
    @unittest.skipIf(matplotlib.__version__ != DRAWN_WITH, f"drawn with matplotlib {DRAWN_WITH}")
    def test_the_script_draws_it_again(self, script):
        path = pathlib.Path(self.enter_context(tempfile.TemporaryDirectory()), "figure.svg")
        script.main(path)
        is_the_same = path.read_text() == script.PATH.read_text()
        self.assertTrue(is_the_same, f"run {script.__file__}")

    def test_the_bench_has_every_row_of_the_table(self):
        self.assertLen(bench.rows(), 12)
        self.assertIn("CPUs", bench.machine())

    @parameterized.parameters("activations", "bench", "demo", "peers", "statistics")
    def test_it_is_small(self, name):
        self.assertLess((repository.ROOT / "docs" / f"{name}.svg").stat().st_size, 60_000)


if __name__ == "__main__":
    absltest.main()
