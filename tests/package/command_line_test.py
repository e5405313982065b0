"""The command line, `python -m tf_vsinit`: the report, bench, compare, inspect and plot."""

import contextlib
import importlib
import io
import pathlib
import sys
import tempfile
import unittest.mock

import numpy as np
import tensorflow as tf
from absl.testing import absltest

import tf_vsinit
from tests.support import processes
from tf_vsinit import cli, loading
from tf_vsinit.cli import bench, compare, plot, report


def run(*arguments):
    """Returns the exit status, standard output and standard error of a command."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = cli.main(arguments)
    return status, out.getvalue(), err.getvalue()


class ReportTest(absltest.TestCase):
    def test_the_report_of_a_process_says_that_all_tests_passed(self):
        output = processes.output_of("-m", "tf_vsinit")
        for text in (
            tf_vsinit.__version__,
            tf.__version__,
            loading.libraries().op_library.name,
            "passed",
        ):
            self.assertIn(text, output)

    def test_the_report_shows_a_wrong_value(self):
        *draw, bits = report._GOLDEN[0]
        wrong = (*draw, bits[:-1] + ("1" if bits[-1] == "0" else "0"))
        with unittest.mock.patch.object(report, "_GOLDEN", [wrong]):
            status, out, _ = run()
        self.assertEqual(status, 1)
        self.assertIn("WRONG", out)
        self.assertIn(bits, out)

    def test_the_report_shows_a_device_that_cannot_draw(self):
        error = tf.errors.InternalError(None, None, "no kernel image is available")
        with unittest.mock.patch.object(report, "_drawn_bits", side_effect=error):
            status, out, _ = run()
        self.assertEqual(status, 1)
        self.assertIn("/device:CPU:0", out)
        self.assertIn("no kernel image is available", out)

    def test_the_report_says_why_there_are_no_gpu_kernels(self):
        def reported(reason):
            with unittest.mock.patch.object(loading, "why_no_gpu_kernels", return_value=reason):
                out = run()[1]
            return next(line for line in out.splitlines() if line.startswith("GPU kernels"))

        self.assertRegex(reported("nvcc is missing"), "none: nvcc is missing$")
        there = "loaded$" if tf.config.list_logical_devices("GPU") else "loaded, but .* sees no GPU"
        self.assertRegex(reported(None), there)


class InspectTest(absltest.TestCase):
    def test_shows_what_the_initializers_do(self):
        status, out, _ = run("inspect", "3", "3", "64", "128", "--seed", "5")
        self.assertEqual(status, 0)
        self.assertIn("fan_in 576, fan_out 1152", out)
        self.assertIn(f"limit {np.sqrt(6 / (576 + 1152)):.6g}", out)
        self.assertIn(f"stddev {np.sqrt(2 / 576):.6g}", out)
        for value in np.ravel(tf_vsinit.HeNormal(seed=5)([3, 3, 64, 128]))[:6].tolist():
            self.assertIn(f"{value:+.6g}", out)

    def test_shapes_of_any_rank(self):
        for shape in ((), ("7",), ("0", "3"), ("1000000", "1000000", "2")):
            self.assertEqual(run("inspect", *shape)[0], 0)

    def test_bad_input_is_named(self):
        for arguments, named in ((("3", "-1"), "-1"), (("3", "--dtype", "int8"), "int8")):
            status, _, err = run("inspect", *arguments)
            self.assertEqual(status, 2)
            self.assertIn(named, err)


class CompareTest(absltest.TestCase):
    def rows(self, output):
        """Returns the cells of the table's rows, without its header."""
        lines = [line for line in output.splitlines() if line.startswith("|")][2:]
        return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]

    def save(self, *layers):
        path = str(pathlib.Path(self.enter_context(tempfile.TemporaryDirectory())) / "a.keras")
        tf.keras.Sequential(layers, name="model").save(path)
        return path

    def test_the_tensorflow_stream_gives_the_stock_values_of_every_class_and_dtype(self):
        status, out, _ = run("compare")
        self.assertEqual(status, 0)
        *rows, total = self.rows(out)
        self.assertLen(rows, 6 * 4 * len(compare._SHAPES))
        self.assertEqual({row[4] for row in rows}, {"0"})
        self.assertEqual(total[0], "all")
        self.assertEqual(int(total[3]), sum(int(row[3]) for row in rows))
        for name, shape, _, values, _, different in rows:
            if shape == "[500, 300]" and name.endswith("Normal"):
                self.assertGreater(int(different), 0.98 * int(values))

    def test_a_model_has_a_row_for_each_variance_scaled_variable(self):
        layers = tf.keras.layers
        path = self.save(
            tf.keras.Input((8, 8, 3)),
            layers.Conv2D(4, 3, kernel_initializer="he_normal", name="stock"),
            layers.SeparableConv2D(4, 3, name="separable", pointwise_initializer="ones"),
            layers.DepthwiseConv2D(1, name="depthwise", depthwise_initializer="he_uniform"),
            layers.Reshape((4, 16)),
            layers.Bidirectional(layers.LSTM(5, name="lstm"), name="both"),
            layers.Dense(3, kernel_initializer=tf_vsinit.LecunNormal(seed=2), name="ours"),
        )
        status, out, _ = run("compare", path, "--seed", "5")
        self.assertEqual(status, 0)
        self.assertEqual(
            [row[:5] for row in self.rows(out)],
            [
                ["stock/kernel", "[3, 3, 3, 4]", "float32", "108", "0"],
                ["separable/depthwise_kernel", "[3, 3, 4, 1]", "float32", "36", "0"],
                ["depthwise/kernel", "[1, 1, 4, 1]", "float32", "4", "0"],
                *(
                    [
                        f"{way}_lstm/lstm_cell/kernel",
                        "[16, 20]",
                        "float32",
                        "320",
                        "0",
                    ]
                    for way in ("backward", "forward")
                ),
                ["ours/kernel", "[10, 3]", "float32", "30", "0"],
                ["all", "", "", "818", "0"],
            ],
        )
        # Biases, a pointwise kernel and two recurrent ones.
        self.assertIn("Not drawn: 9 other variables", out)

    def test_a_model_without_variance_scaling_is_not_called_equal(self):
        path = self.save(tf.keras.Input((8,)), tf.keras.layers.Dense(3, kernel_initializer="ones"))
        status, out, _ = run("compare", path)
        self.assertEqual(status, 2)
        self.assertIn("Not drawn: 2 other variables", out)

    def test_a_module_of_the_model_can_be_imported(self):
        folder = self.enter_context(tempfile.TemporaryDirectory())
        (pathlib.Path(folder) / "layers_of_a_model.py").write_text(
            "import tensorflow as tf\n"
            "@tf.keras.utils.register_keras_serializable()\n"
            "class Doubled(tf.keras.layers.Dense):\n"
            "    pass\n"
        )
        sys.path.insert(0, folder)
        self.addCleanup(sys.path.remove, folder)
        path = self.save(
            tf.keras.Input((8,)), importlib.import_module("layers_of_a_model").Doubled(3)
        )
        command = ("-m", "tf_vsinit", "compare", path)
        output = processes.output_of(*command, "--import", "layers_of_a_model")
        self.assertIn("| [8, 3] | float32 | 24 | 0 |", output)
        result = processes.run(*command)
        self.assertEqual(result.returncode, 2)
        self.assertIn("Doubled", result.stderr)

    def test_a_seed_of_too_many_bits_is_named(self):
        status, _, err = run("compare", "--seed", str(2**63))
        self.assertEqual(status, 2)
        self.assertIn(f"seed=[{2**63}, 0]", err)

    def test_different_values_fail(self):
        ours = tf_vsinit.VarianceScaling

        def of_one_stream(*args, stream, **kwargs):
            return ours(*args, **kwargs)

        path = self.save(
            tf.keras.Input((8,)), tf.keras.layers.Dense(3, kernel_initializer="he_normal")
        )
        with unittest.mock.patch.object(tf_vsinit, "VarianceScaling", of_one_stream):
            status, out, _ = run("compare", path)
        self.assertEqual(status, 1)
        self.assertEqual(self.rows(out)[-1], ["all", "", "", "24", "24", "24"])

    def test_a_file_that_is_no_model_is_named(self):
        status, _, err = run("compare", "/nothing/here.keras")
        self.assertEqual(status, 2)
        self.assertIn("/nothing/here.keras", err)


class PlotTest(absltest.TestCase):
    def test_writes_a_png(self):
        path = pathlib.Path(self.enter_context(tempfile.TemporaryDirectory())) / "plot.png"
        status, out, _ = run("plot", "--output", str(path), "--values", "1000")
        self.assertEqual(status, 0)
        self.assertIn(str(path), out)
        self.assertEqual(path.read_bytes()[:8], b"\x89PNG\r\n\x1a\n")

    def test_densities_are_of_unit_mass_and_variance(self):
        x = np.linspace(-10, 10, 2_000_001)
        for distribution in ("uniform", "truncated_normal", "untruncated_normal"):
            density = plot._density(distribution, x)
            self.assertAlmostEqual(np.sum(density) * 1e-5, 1.0, delta=1e-5)
            self.assertAlmostEqual(np.sum(density * x**2) * 1e-5, 1.0, delta=1e-4)


class BenchTest(absltest.TestCase):
    def test_shards_cover_their_variable_once(self):
        for shape, axis, count in (([64, 64], 0, 7), ([64, 64], 1, 8), ([3, 5], 0, 0)):
            times = np.zeros(shape, int)
            for begin, size in bench._shards(shape, axis, count):
                times[tuple(slice(b, b + s) for b, s in zip(begin, size, strict=True))] += 1
            self.assertTrue(np.all(times == 1))

    def test_prints_every_row(self):
        # The row of peak memory takes gigabytes; what it prints does not depend on how many.
        with unittest.mock.patch.object(bench, "_peak_rise", return_value=1.0):
            status, out, _ = run("bench", "--extent", "64", "--repeats", "1")
        self.assertEqual(status, 0)
        for draw in ("he_normal", "glorot_uniform", "untruncated normal"):
            for dtype in ("float32", "float64", "bfloat16", "float16"):
                self.assertIn(f"| {draw} | {dtype} | ", out)
        for part in ("in 8 shards by columns", "in shards of 1 MiB by rows", "by one graph"):
            self.assertRegex(out, rf"\| .*{part}.* \| \d+\.\d\d \|")
        self.assertIn("64 x 64, microseconds", out)
        self.assertIn("peak resident memory", out)


if __name__ == "__main__":
    absltest.main()
