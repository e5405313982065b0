"""The commands `report`, `inspect`, `compare`, `plot` and `bench` of the command line."""

import contextlib
import importlib
import io
import json
import math
import pathlib
import subprocess
import sys
import tempfile
import unittest.mock

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

import tf_vsinit
from tests.support import processes
from tests.support.command_line import (
    in_new_folder,
    keys,
    quick_bench,
    run,
    run_json,
    save_model,
    tables,
)
from tf_vsinit import loading
from tf_vsinit.cli import bench, compare, model_shapes, plot, report


class ReportTest(absltest.TestCase):
    def test_the_table_shows_the_json_object(self):
        found = run_json("report")
        self.assertEqual(found["tf_vsinit_version"], tf_vsinit.__version__)
        self.assertEqual(found["tensorflow_version"], tf.__version__)
        self.assertEqual(found["op_library"], str(loading.libraries().op_library))
        self.assertTrue(found["self_check_passed"])
        self.assertEqual(found["wrong_draws"], [])
        status, out, _ = run()
        self.assertEqual((status, out), run("report")[:2])
        self.assertEqual(status, 0)
        (rows,) = tables(out)
        shown = dict(rows)
        self.assertStartsWith(shown.pop("self check"), "passed")
        self.assertEqual(shown.pop("built for"), f"TensorFlow {found['built_for_tensorflow']}")
        self.assertEqual(shown.pop("devices"), ", ".join(found["devices"]))
        self.assertContainsSubset(shown.values(), [v for v in found.values() if type(v) is str])

    def test_the_report_shows_a_wrong_value(self):
        *draw, bits = report._GOLDEN[0]
        wrong = (*draw, bits[:-1] + ("1" if bits[-1] == "0" else "0"))
        with unittest.mock.patch.object(report, "_GOLDEN", [wrong]):
            status, out, _ = run()
            json_status, json_out, _ = run("report", "--json")
        self.assertEqual((status, json_status), (1, 1))
        installed, wrong_rows = tables(out)
        self.assertStartsWith(dict(installed)["self check"], "WRONG")
        found = json.loads(json_out)
        self.assertFalse(found["self_check_passed"])
        self.assertEqual([list(draw.values()) for draw in found["wrong_draws"]], wrong_rows)
        self.assertEqual({draw["values"] for draw in found["wrong_draws"]}, {bits})

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
                return run_json("report")["gpu_kernels"]

        self.assertRegex(reported("nvcc is missing"), "^none: nvcc is missing$")
        there = (
            "^loaded$" if tf.config.list_logical_devices("GPU") else "^loaded, but .* sees no GPU"
        )
        self.assertRegex(reported(None), there)


class InspectTest(parameterized.TestCase):
    def test_shows_what_the_initializers_do(self):
        found = run_json("inspect", "3x3x64x128", "--seed", "5")
        self.assertEqual(found["shape"], [3, 3, 64, 128])
        self.assertEqual((found["fan_in"], found["fan_out"]), (576, 1152))
        rows = {row["initializer"]: row for row in found["initializers"]}
        self.assertAlmostEqual(rows["GlorotUniform"]["limit"], np.sqrt(6 / (576 + 1152)))
        self.assertIsNone(rows["GlorotUniform"]["stddev"])
        self.assertAlmostEqual(rows["HeNormal"]["stddev"], np.sqrt(2 / 576))
        self.assertIsNone(rows["HeNormal"]["limit"])
        for name, row in rows.items():
            drawn = getattr(tf_vsinit, name)(seed=5)([3, 3, 64, 128])
            self.assertEqual(row["first_values"], np.ravel(drawn)[:6].tolist())

    def test_the_table_shows_the_json_object(self):
        command = ("inspect", "300", "200", "--dtype", "bfloat16")
        found = run_json(*command)
        status, out, _ = run(*command)
        self.assertEqual(status, 0)
        self.assertIn("shape [300, 200], 60000 elements: fan_in 300, fan_out 200\n", out)
        (rows,) = tables(out)
        self.assertLen(rows, 6)
        for row, (name, *spread, values) in zip(found["initializers"], rows, strict=True):
            self.assertEqual(row["initializer"], name)
            for key, shown in zip(("limit", "stddev"), spread, strict=True):
                self.assertEqual("" if row[key] is None else f"{row[key]:.6g}", shown)
            self.assertEqual([f"{v:+.6g}" for v in row["first_values"]], values.split())

    @parameterized.parameters("3x3x64x128", "3,3,64,128", "3x3 64,128")
    def test_a_shape_in_other_forms(self, shape):
        self.assertEqual(run("inspect", *shape.split()), run("inspect", "3", "3", "64", "128"))

    @parameterized.parameters("7", "0 3", "1000000 1000000 2")
    def test_shapes_of_any_rank(self, shape):
        self.assertEqual(run("inspect", *shape.split())[0], 0)

    def test_a_model_has_a_row_for_each_variable(self):
        layers = tf.keras.layers
        path = save_model(
            in_new_folder(self),
            tf.keras.Input((8, 8, 4)),
            layers.DepthwiseConv2D(3, depthwise_initializer="he_normal"),
            layers.Conv2D(3, 1, kernel_initializer=tf_vsinit.HeNormal(seed=1)),
        )
        found = run_json("inspect", path)
        inspected = tf_vsinit.inspect(tf.keras.models.load_model(path))
        self.assertEqual(found, json.loads(json.dumps(inspected.to_dict())))
        status, out, _ = run("inspect", path)
        self.assertEqual(status, 0)
        (rows,) = tables(out)
        self.assertEqual(rows, [variable.row() for variable in inspected])
        verdicts = [row[-1] for row in rows]
        self.assertStartsWith(verdicts[0], "wrong fans for DepthwiseConv2D: 9 in")
        self.assertEqual(verdicts[1:], ["as designed"] * 3)
        for key in keys(found):
            self.assertRegex(run("inspect", "--help")[1], rf"\b{key}\b")


class CompareTest(absltest.TestCase):
    def save(self, *layers):
        return save_model(in_new_folder(self), *layers)

    def test_the_tensorflow_stream_gives_the_stock_values_of_every_class_and_dtype(self):
        status, out, _ = run("compare")
        self.assertEqual(status, 0)
        ((*rows, total),) = tables(out)
        self.assertLen(rows, 6 * 4 * len(compare._SHAPES))
        self.assertEqual({row[4] for row in rows}, {"0"})
        self.assertEqual(total[0], "all")
        found = run_json("compare")
        self.assertEqual([list(map(str, row.values())) for row in found["variables"]], rows)
        self.assertEqual(list(map(str, found["all"].values())), total[3:])
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
        status, out, err = run("compare", path, "--seed", "5")
        self.assertEqual(status, 0)
        self.assertEqual(
            [row[:5] for row in tables(out)[0]],
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
        self.assertStartsWith(err, "Not drawn: 9 other variables")
        found = run_json("compare", path, "--seed", "5")
        self.assertEqual((found["model"], found["seed"], found["not_drawn"]), (path, 5, 9))

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
        self.assertEqual(tables(out)[0][-1], ["all", "", "", "24", "24", "24"])


class PlotTest(absltest.TestCase):
    def test_writes_a_png(self):
        path = in_new_folder(self) / "plot.png"
        command = ("plot", "--output", "plot.png", "--values", "1000")
        self.assertEqual(run(*command), (0, f"1000 values of each distribution: {path}\n", ""))
        self.assertEqual(path.read_bytes()[:8], b"\x89PNG\r\n\x1a\n")
        found = run_json(*command)
        self.assertEqual((found["output"], found["values_of_each"]), (str(path), 1000))

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
        small = unittest.mock.patch.object(model_shapes, "MODELS", {"two": [(8, 4), (2, 4, 2)]})
        with unittest.mock.patch.object(bench, "_peak_rise", return_value=1.0), small:
            status, out, _ = run("bench", "--extent", "64", "--repeats", "1")
        self.assertEqual(status, 0)
        for draw in ("he_normal", "glorot_uniform", "untruncated normal"):
            for dtype in ("float32", "float64", "bfloat16", "float16"):
                self.assertIn(f"| {draw} | {dtype} | ", out)
        for part in ("in 8 shards by columns", "in shards of 1 MiB by rows", "by one graph"):
            self.assertRegex(out, rf"\| .*{part}.* \| \d+\.\d\d \|")
        self.assertIn("64 x 64, microseconds", out)
        self.assertIn("peak resident memory", out)
        self.assertRegex(out, r"\| two, 2 variables \| 48 \| \d+\.\d\d \| \d+\.\d\d \| ")

    def test_the_tables_show_the_json_object(self):
        quick_bench(self)
        found = run_json("bench", "--extent", "64", "--repeats", "1")
        self.assertEqual((found["extent"], found["repeats"]), (64, 1))
        _, out, _ = run("bench", "--extent", "64", "--repeats", "1")
        self.assertStartsWith(
            out,
            f"TensorFlow {found['tensorflow_version']}, {found['cpus']} CPUs, "
            f"{found['instruction_set']}; 64 x 64 in million values per second, medians of 1\n\n",
        )
        draws, boxes, *others, models = tables(out)
        for row, cells in zip(found["draws_million_values_per_second"], draws, strict=True):
            ours, tensorflow, stock = row["tf_vsinit"], row["tensorflow"], row["stock"]
            numbers = (ours, ours / stock, tensorflow, tensorflow / stock, stock, row["fill"])
            shown = [f"{n:.{i % 2 if i < 4 else 0}f}" for i, n in enumerate(numbers)]
            self.assertEqual([row["draw"], row["dtype"], *shown], cells)
        for row, cells in zip(found["boxes_time_over_share_of_whole"], boxes, strict=True):
            self.assertEqual([row["box"], f"{row['ratio']:.2f}"], cells)
        names = (
            "small_call_microseconds",
            "fresh_memory_million_values_per_second",
            "peak_memory_gib",
        )
        for name, digits, table in zip(names, (1, 0, 3), others, strict=True):
            ((row,), (cells,)) = found[name], table
            self.assertStartsWith(cells[0], row["draw"])
            self.assertEqual([f"{row[k]:.{digits}f}" for k in ("tf_vsinit", "stock")], cells[1:3])

        for row, cells in zip(found["models"], models, strict=True):
            self.assertEqual(cells[0], f"{row['model']}, {row['variables']} variables")
            costs = [f"{row[k]:.2f}" for k in ("tf_vsinit", "stock", "tf_vsinit_gib", "stock_gib")]
            self.assertEqual(cells[1:4] + cells[5:], [str(row["values"]), *costs])

    def test_the_shapes_of_models_are_those_of_keras(self):
        def kernels(weights):
            return sorted(tuple(weight.shape) for weight in weights if len(weight.shape) > 1)

        resnet = tf.keras.applications.ResNet50(weights=None)
        self.assertEqual(sorted(model_shapes.resnet_50()), kernels(resnet.weights))
        (embedding, positions), layer = (
            model_shapes.transformer()[i:j] for i, j in ((0, 2), (2, 8))
        )
        self.assertEqual(model_shapes.transformer(), [embedding, positions, *18 * layer])
        width = embedding[1]
        attention = tf.keras.layers.MultiHeadAttention(*layer[0][1:], use_bias=False)
        attention.build((1, 1, width), (1, 1, width))
        self.assertEqual(sorted(layer[:4]), kernels(attention.weights))
        self.assertBetween(sum(map(math.prod, model_shapes.transformer())), 1e9, 1.02e9)

    def test_a_model_that_memory_has_no_room_for_is_skipped_with_a_note(self):
        quick_bench(self)
        with unittest.mock.patch.object(bench, "_available_bytes", return_value=5e9):
            status, out, err = run("bench", "--extent", "64", "--repeats", "1")
        self.assertEqual(status, 0)
        self.assertIn("| ResNet-50, 54 variables | 25502912 |", out)
        self.assertNotIn("transformer", out)
        self.assertEqual(err, "Not made: transformer of 10^9 parameters. It needs 5.6 GiB.\n")

    def test_a_process_of_the_bench_that_fails_says_why(self):
        err = io.StringIO()
        with contextlib.redirect_stderr(err), self.assertRaises(subprocess.CalledProcessError):
            bench._numbers_from_fresh_process("raise ValueError('no number')")
        self.assertIn("ValueError: no number", err.getvalue())


if __name__ == "__main__":
    absltest.main()
