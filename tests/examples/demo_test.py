"""The demo runs, and what it shows is true."""

import os
import pathlib
import re
import shutil
import struct
import tempfile

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

import tf_vsinit
from tests.support import processes, repository

digits_models = repository.import_script("examples/digits_models.py")

COLUMNS = ("path", "shape", "initializer", "fans", "wanted", "found", "range", "verdict")


def rows_of_tables(output):
    """Yields the cells of each table of variables, by their headings."""
    lines = iter(output.splitlines())
    for heading in lines:
        if heading.split() != [*COLUMNS]:
            continue
        starts = [heading.index(column) for column in COLUMNS]
        while line := next(lines):
            ends = [*starts[1:], len(line)]
            cells = (line[a:b].strip() for a, b in zip(starts, ends, strict=True))
            yield dict(zip(COLUMNS, cells, strict=True))


@absltest.skipIf("TF_USE_LEGACY_KERAS" in os.environ, "the demo is written for Keras 3")
class DemoTest(parameterized.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.directory = pathlib.Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.directory)
        cls.output = processes.output_of(
            repository.ROOT / "examples" / "demo.py", "--quick", cwd=cls.directory, COLUMNS="80"
        )
        cls.rows = list(rows_of_tables(cls.output))

    def test_the_demo_shows_the_shape_and_spread_of_every_variable(self):
        expected = []
        for make_model in (digits_models.convolutional_network, digits_models.transformer):
            tf.keras.utils.set_random_seed(1)
            for variable in make_model(tf_vsinit).weights:
                found = np.std(variable.numpy(), dtype=np.float64)
                expected.append(("x".join(map(str, variable.shape)), f"{found:.4g}"))
        self.assertCountEqual([(row["shape"], row["found"]) for row in self.rows], expected)

    @parameterized.parameters(
        # He: sqrt(2 / fan_in). LeCun: sqrt(1 / fan_in). Glorot: sqrt(2 / (fan_in + fan_out)).
        ("conv1/kernel", "HeNormal", "9, 288", "0.4714"),
        ("conv8/kernel", "HeNormal", "288, 288", "0.08333"),
        ("logits/kernel", "LecunNormal", "32, 10", "0.1768"),
        ("embed/bias", "GlorotNormal", "8, 32", "0.2236"),
        ("attn/query/kernel", "GlorotUniform", "32, 32", "0.1768"),
        ("attn/attention_output/kernel", "GlorotUniform", "32, 32", "0.1768"),
        ("expand/kernel", "HeNormal", "32, 128", "0.25"),
        ("contract/kernel", "LecunNormal", "128, 32", "0.08839"),
    )
    def test_fans_and_wanted_spread_follow_the_papers(self, path, *expected):
        row = next(row for row in self.rows if row["path"] == path)
        self.assertEqual((row["initializer"], row["fans"], row["wanted"]), expected)

    def test_found_spread_is_close_to_the_wanted_one(self):
        drawn = [row for row in self.rows if row["fans"]]
        self.assertLen(drawn, 18)
        for row in drawn:
            count = np.prod([int(extent) for extent in row["shape"].split("x")])
            # The standard error of a uniform is sqrt(1 / (5 count)), and that of a truncated normal
            # is at most 1.32 times as large. The bound is four standard errors.
            self.assertAlmostEqual(
                float(row["found"]) / float(row["wanted"]),
                1,
                delta=4 * 1.32 * np.sqrt(0.2 / count),
                msg=row,
            )
            self.assertEqual(row["verdict"], "as designed")

    def test_both_models_train_from_both_starts(self):
        for model in ("convolutional network", "transformer"):
            for initializers in ("tf_vsinit", "tf.keras"):
                pattern = rf"{model} +{re.escape(initializers)} +([\d.]+)% +[\d.]+ s +[\d.]+ ms"
                accuracy = re.search(pattern, self.output)
                self.assertIsNotNone(accuracy, self.output)
                # Two epochs reach more than the 10% of guessing.
                self.assertBetween(float(accuracy[1]), 15, 100)

    def test_the_figure_is_where_the_output_says(self):
        path = re.search(r"^(\S+\.png): ", self.output, re.MULTILINE)[1]
        png = (self.directory / path).read_bytes()
        self.assertEqual(png[:8], b"\x89PNG\r\n\x1a\n")
        width, height = struct.unpack(">II", png[16:24])
        self.assertBetween(width / height, 1.2, 1.8)

    def test_the_large_tensor_is_timed_in_every_way(self):
        for label in ("64 boxes into an array", "tf_vsinit, one call", "tf.keras, one call"):
            self.assertRegex(self.output, rf"{label} +[\d.]+ s +[\d,]+ +[\d.]+ *\n")
        self.assertIn("every value was compared", self.output)

    def test_the_output_without_a_terminal_is_plain_text(self):
        self.assertNotIn("\x1b", self.output)
        self.assertNotIn("…", self.output)
        self.assertLessEqual(max(map(len, self.output.splitlines())), 110)


if __name__ == "__main__":
    absltest.main()
