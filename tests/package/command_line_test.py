"""The command line, `python -m tf_vsinit`: its help, its answers to mistakes, and its output."""

import contextlib
import io
import json
import os
import pathlib
import re
import shlex
import sys
import unittest.mock

import tensorflow as tf
from absl.testing import absltest, parameterized

import tf_vsinit
from tests.support import processes
from tests.support.command_line import (
    Terminal,
    in_new_folder,
    keys,
    quick_bench,
    run,
    run_json,
    save_model,
)
from tf_vsinit import _before_tensorflow
from tf_vsinit.cli import bench, output, plot, report

COMMANDS = ("report", "bench", "compare", "inspect", "plot")


class BeforeTensorFlowTest(parameterized.TestCase):
    @parameterized.parameters(
        ("--version", 0),
        ("--help", 0),
        ("bench --help", 0),
        ("bench --extent 0", 2),
        ("nonsense", 2),
    )
    def test_help_and_mistakes_are_answered_without_an_import_of_tensorflow(self, line, status):
        result = processes.run("-X", "importtime", "-m", "tf_vsinit", *line.split())
        self.assertEqual(result.returncode, status)
        self.assertRegex(result.stderr, r"\| +tf_vsinit\._before_tensorflow\n")
        self.assertNotRegex(result.stderr, r"\| +(tensorflow|numpy|rich)\n")

    def test_no_log_line_of_tensorflow_is_printed(self):
        level = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
        with unittest.mock.patch.dict(os.environ, level, clear=True):
            result = processes.run("-m", "tf_vsinit", "report", "--json")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertTrue(json.loads(result.stdout)["self_check_passed"])

    def test_the_log_is_shown_if_its_level_is_set(self):
        result = processes.run("-m", "tf_vsinit", TF_CPP_MIN_LOG_LEVEL="0")
        self.assertEqual(result.returncode, 0)
        self.assertRegex(result.stderr, r"(?m)^(I0000|.* I tensorflow/)")
        self.assertStartsWith(result.stdout, "| what | here |\n|---|---|\n| tf_vsinit |")

    def test_without_tensorflow_the_error_is_shown_and_help_works(self):
        # -S leaves out the folder that TensorFlow is in.
        package = {"PYTHONPATH": str(pathlib.Path(tf_vsinit.__file__).parent.parent)}
        result = processes.run("-S", "-m", "tf_vsinit", **package)
        self.assertIn("tf_vsinit needs TensorFlow", result.stderr)
        self.assertIn("usage: ", processes.output_of("-S", "-m", "tf_vsinit", "--help", **package))

    @parameterized.parameters(
        (["-m"], ["python", "-m", "tf_vsinit"], True),
        (["-m", "bench", "--json"], ["python", "-m", "tf_vsinit", "bench", "--json"], True),
        # A package that imports tf_vsinit, and the main module of tf_vsinit after the package.
        (["-m", "tf_vsinit"], ["python", "-m", "other", "tf_vsinit"], False),
        (["tf_vsinit/__main__.py"], ["python", "-m", "tf_vsinit"], False),
        (["-c"], ["python", "-c", "import tf_vsinit"], False),
        # A program that embeds Python.
        ([], [], False),
        (["-m", "tf_vsinit"], [], False),
    )
    def test_only_the_command_line_is_prepared(self, argv, orig_argv, expected):
        with unittest.mock.patch.multiple(sys, argv=argv, orig_argv=orig_argv):
            self.assertEqual(_before_tensorflow._is_the_command_line(), expected)


class HelpTest(parameterized.TestCase):
    def test_the_version_is_that_of_the_package(self):
        self.assertEqual(run("--version"), (0, f"tf_vsinit {tf_vsinit.__version__}\n", ""))

    def test_help_names_every_command(self):
        status, out, _ = run("--help")
        self.assertEqual(status, 0)
        for command in COMMANDS:
            self.assertRegex(out, rf"\n    {command} +[A-Z]")

    def examples(self, *command):
        program = "  python -m tf_vsinit"
        lines = run(*command, "--help")[1].splitlines()
        return [shlex.split(line[len(program) :]) for line in lines if line.startswith(program)]

    @parameterized.parameters([()], *([(command,)] for command in COMMANDS))
    def test_the_examples_run(self, command):
        folder = in_new_folder(self)
        save_model(folder, tf.keras.Input((8,)), tf.keras.layers.Dense(3))
        quick_bench(self)
        examples = self.examples(*command)
        self.assertNotEmpty(examples)
        for example in examples:
            status, out, _ = run(*example)
            self.assertEqual(status, 0, example)
            if "--json" in example:
                json.loads(out)

    @parameterized.parameters(*COMMANDS)
    def test_help_names_every_key_of_the_json_object(self, command):
        in_new_folder(self)
        quick_bench(self)
        example = next(e for e in self.examples(command) if "model.keras" not in e)
        example = [argument for argument in example if argument != "--json"]
        if command == "report":
            wrong = unittest.mock.patch.object(report, "_drawn_bits", return_value="0")
            with wrong:
                found = json.loads(run(*example, "--json")[1])
        else:
            found = run_json(*example)
        for key in keys(found):
            self.assertRegex(run(command, "--help")[1], rf"\b{key}\b")


class MistakesTest(parameterized.TestCase):
    def check(self, *arguments, named):
        status, out, err = run(*arguments)
        self.assertEqual(status, 2)
        self.assertEqual(out, "")
        self.assertStartsWith(err, "python -m tf_vsinit")
        self.assertEqual(err.count("\n"), 1)
        for text in named:
            self.assertIn(text, err)

    @parameterized.parameters(
        ("nonsense", "'nonsense'", "'report'"),
        ("report --nonsense", "--nonsense"),
        ("bench --instruction-set FOO", "argument --instruction-set", "whose best is", "'FOO'"),
        ("bench --extent 0", "argument --extent", "an integer from 64", "'0'"),
        ("bench --extent many", "argument --extent", "an integer from 64", "'many'"),
        ("bench --repeats 0", "argument --repeats", "an integer from 1", "'0'"),
        ("plot --values 0", "argument --values", "an integer from 1", "'0'"),
        ("plot --output missing/a.png", "argument --output", "'missing/a.png'", "No such file"),
        ("plot --output .", "argument --output", "'.'", "directory"),
        ("plot --output a.xyz", "argument --output", "'a.xyz'", "png"),
        ("inspect", "target"),
        ("inspect 3 -1", "argument target", "3x3x64x128", "'-1'"),
        ("inspect 3xx3", "argument target", "3x3x64x128", "'3xx3'"),
        ("inspect 3 --dtype int8", "argument --dtype", "'int8'", "bfloat16"),
        ("inspect 3 --seed 9223372036854775808", "argument --seed", "'9223372036854775808'"),
        ("inspect 10000000000x10000000000", "argument target", "2^63", "10000000000]"),
        ("inspect 3 model.keras", "argument target", "one model or one shape", "'model.keras'"),
        ("inspect missing.keras", "argument target", "'missing.keras'", "not found"),
        ("inspect missing", "argument target", "a Keras model", "'missing'"),
        ("inspect damaged.keras", "argument target", "'damaged.keras'"),
        ("inspect damaged.keras --import no_such_module", "argument --import", "'no_such_module'"),
        ("compare --seed 9223372036854775808", "argument --seed", "'9223372036854775808'"),
        ("compare --import no_such_module", "argument --import", "'no_such_module'"),
        ("compare --import .", "argument --import", "'.'"),
        ("compare no/model.keras", "argument model", "'no/model.keras'", "not found"),
        ("compare ''", "argument model", "''"),
        ("compare damaged.keras", "argument model", "'damaged.keras'"),
        ("compare empty.h5", "argument model", "'empty.h5'"),
        ("compare .", "argument model", "'.'"),
    )
    def test_the_message_says_what_is_wrong_and_what_would_be_right(self, line, *named):
        folder = in_new_folder(self)
        (folder / "damaged.keras").write_bytes(b"PK\3\4 no archive")
        (folder / "empty.h5").touch()
        self.check(*shlex.split(line), named=named)

    def test_a_picture_that_cannot_be_drawn_is_left_as_it_is(self):
        picture = in_new_folder(self) / "tf_vsinit.png"
        picture.write_text("as it is")
        self.check("plot", "--values", "0", named=["--values"])
        self.assertEqual(picture.read_text(), "as it is")

    @parameterized.parameters(
        ("bench --extent 1048576 --json", "_medians", bench),
        ("plot --values 1000000000", "_write_picture", plot),
    )
    def test_more_than_memory_has_room_for(self, line, function, module):
        error = tf.errors.ResourceExhaustedError(None, None, "out of memory")
        with unittest.mock.patch.object(module, function, side_effect=error):
            command, option, value, *_ = line.split()
            self.check(*line.split(), named=[f"argument {option}", "memory", value])

    def test_a_model_without_variance_scaling_is_not_called_equal(self):
        layers = tf.keras.Input((8,)), tf.keras.layers.Dense(3, kernel_initializer="ones")
        path = save_model(in_new_folder(self), *layers)
        self.check("compare", path, named=["argument model", path, "2 others"])

    def test_a_model_without_variables_is_not_inspected(self):
        path = save_model(in_new_folder(self), tf.keras.Input((8,)), tf.keras.layers.ReLU())
        self.check("inspect", path, named=["argument target", "have variables", path])


class OutputTest(absltest.TestCase):
    ROWS = (["[bold]a[/bold]", "x" * 30, 1], ["b", "y", 22])

    def printed(self, stdout):
        with contextlib.redirect_stdout(stdout):
            with unittest.mock.patch.dict(os.environ, {"COLUMNS": "40", "TERM": "xterm"}):
                output.print_table(["first", "second", "third"], self.ROWS, text_columns=2)
        return stdout.getvalue()

    def test_a_table_in_a_file_is_markdown_of_any_width(self):
        self.assertEqual(
            self.printed(io.StringIO()),
            "| first | second | third |\n|---|---|--:|\n"
            f"| [bold]a[/bold] | {'x' * 30} | 1 |\n| b | y | 22 |\n",
        )

    def test_a_table_on_a_terminal_is_drawn_in_its_width_and_loses_nothing(self):
        out = re.sub(r"\x1b\[[0-9;]*m", "", self.printed(Terminal()))
        self.assertLen(set(map(len, out.splitlines())), 1)
        self.assertLessEqual(len(out.splitlines()[0]), 40)
        lines = [re.split("[│┃]", line)[1:-1] for line in out.splitlines() if line[0] in "│┃"]
        columns = ["".join(map(str.strip, column)) for column in zip(*lines, strict=True)]
        self.assertEqual(columns, ["first[bold]a[/bold]b", f"second{'x' * 30}y", "third122"])

    def test_progress_is_shown_on_a_terminal_alone_and_erased(self):
        status, out, err = run("compare", stderr=Terminal)
        self.assertEqual(status, 0)
        self.assertIn("Comparing GlorotNormal ...", err)
        self.assertTrue(err.endswith(output._ERASE_LINE))
        self.assertNotIn("Comparing", out)
        self.assertEqual(run("compare")[2], "")


if __name__ == "__main__":
    absltest.main()
