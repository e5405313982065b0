"""What the command line accepts, and its help. No import of TensorFlow, so that both are quick."""

import argparse
import os
import re
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from tf_vsinit import __version__
from tf_vsinit.cli import output

_PROGRAM = "python -m tf_vsinit"
_INT64_MIN, _INT64_MAX = -(2**63), 2**63 - 1
_DTYPES = ("float16", "bfloat16", "float32", "float64")


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Returns the options of a command, by default of `report`.

    `--help` and `--version` end the process with status 0, and mistakes with status 2. The options
    hold `error`, a function that does the same for a mistake that the command finds.
    """
    return _parser().parse_args(arguments or ["report"])


class _Parser(argparse.ArgumentParser):
    """A parser that answers a mistake with one line, without the usage."""

    def error(self, message: str) -> NoReturn:
        output.clear_progress()
        self.exit(2, f"{self.prog}: {message}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog=_PROGRAM,
        description="Check, measure and show what tf_vsinit does on this machine.",
        epilog="Without a command, the command is report. `COMMAND --help` says more.\n\n"
        "The exit status is 0 if all is well, 1 if report or compare found wrong values,\n"
        "and 2 if an argument is wrong.\n\n"
        "Tables and JSON go to standard output, and progress and notes to standard error.\n"
        "TF_CPP_MIN_LOG_LEVEL=0 in the environment shows the log of TensorFlow as well.\n\n"
        f"example:\n  {_PROGRAM}\n",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"tf_vsinit {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for add in (_add_report, _add_bench, _add_compare, _add_inspect, _add_plot):
        add(commands)
    return parser


def _add_report(commands: Any) -> None:
    _add(
        commands,
        "report",
        "Show what is installed, and check the values that it draws.",
        """\
The exit status is 1 if a device gives other values than the streams define.

The JSON object has the keys tf_vsinit_version, tensorflow_version, keras,
python_version, numpy_version, op_library, built_for_tensorflow, instruction_set,
xla, gpu_kernels, devices, self_check_passed, and wrong_draws: a list of objects
with the keys device, draw, values, expected.
""",
        "report",
        "report --json",
    )


def _add_bench(commands: Any) -> None:
    command = _add(
        commands,
        "bench",
        "Time the draws beside those of stock TensorFlow.",
        """\
The draws of the first table have the shape [extent, extent]. All tables take
five minutes at the defaults. The last two draw 1 GiB and the variables of models,
which take up to 6 GiB; a model that memory has no room for is left out.

The JSON object has the keys tensorflow_version, cpus, instruction_set, extent,
repeats, and a list of objects for each table:
  draws_million_values_per_second: draw, dtype, tf_vsinit (the default stream),
    tensorflow (the stream of that name), stock, fill (tf.fill)
  boxes_time_over_share_of_whole: box, ratio
  small_call_microseconds, fresh_memory_million_values_per_second,
  peak_memory_gib: draw, tf_vsinit, stock
  models: model, variables, values, tf_vsinit, stock (seconds), tf_vsinit_gib,
    stock_gib (rise of peak memory)
""",
        "bench --extent 512 --repeats 3",
        "bench --extent 512 --repeats 3 --json",
    )
    command.add_argument(
        "--extent",
        # The smallest for which every box has elements, and the largest that fits in 4 TiB.
        type=_integer_between(64, 2**20),
        default=8192,
        metavar="N",
        help="extent of both axes (default: %(default)s)",
    )
    command.add_argument(
        "--repeats",
        type=_integer_between(1, 10**6),
        default=5,
        metavar="N",
        help="how many timings to take the median of (default: %(default)s)",
    )
    command.add_argument(
        "--instruction-set",
        default="",
        metavar="NAME",
        help="AVX3 (AVX-512), AVX2, NEON or scalar, if this machine has it (default: its best)",
    )


def _add_compare(commands: Any) -> None:
    command = _add(
        commands,
        "compare",
        "Count the values that differ from those of the stock initializers.",
        """\
Draws variables with the stock initializers and with those of tf_vsinit, all with
one seed. The exit status is 0 if the stream `tensorflow` gives the stock values,
bit for bit, 1 if not, and 2 if nothing was compared.

The JSON object has the keys seed, model, not_drawn (how many variables of the
model), variables (a list of objects), and all (an object: their sums). The objects
have the keys values, different_with_tensorflow, different_with_vsinit, and those
of the list also variable, shape, dtype.
""",
        "compare",
        "compare model.keras --seed 5",
        "compare model.keras --json",
    )
    command.add_argument(
        "model",
        nargs="?",
        help="file of a Keras model whose variables to draw (default: some usual shapes in every "
        "dtype)",
    )
    _add_import(command)
    _add_seed(command, default=1)


def _add_inspect(commands: Any) -> None:
    command = _add(
        commands,
        "inspect",
        "Show what each variable of a model got, or what initializers draw for a shape.",
        """\
For a model, the table has a row for each variable: how it was meant to start, its
values, and a verdict, which help(tf_vsinit.inspect) explains. --seed and --dtype
are for shapes, and --import is for models.

For a shape, the JSON object has the keys shape, dtype, seed, elements, fan_in,
fan_out, and initializers: a list of objects with the keys initializer, limit (null
for normals), stddev (null for uniforms), first_values.
For a model, it has the key layers, which is empty, and variables: a list of objects
with the keys path, shape, dtype, initializer, fan_in, fan_out, wanted_stddev,
found_stddev, min, max, verdict.
""",
        "inspect 3 3 64 128",
        "inspect 3x3x64x128 --dtype bfloat16",
        "inspect 300,200 --seed 5 --json",
        "inspect model.keras",
    )
    command.add_argument(
        "target",
        type=_extents_or_file,
        nargs="+",
        help="file of a Keras model; or shape of a variable, such as 3 3 64 128, 3x3x64x128 or "
        "3,3,64,128",
    )
    _add_import(command)
    _add_seed(command, default=0)
    command.add_argument(
        "--dtype", choices=_DTYPES, default="float32", help="dtype (default: %(default)s)"
    )


def _add_plot(commands: Any) -> None:
    command = _add(
        commands,
        "plot",
        "Plot a histogram of each distribution under its density.",
        """\
This needs matplotlib: pip install matplotlib.

The JSON object has the keys output, distributions, values_of_each.
""",
        "plot",
        "plot --output picture.png --values 1000 --json",
    )
    command.add_argument(
        "--output",
        default="tf_vsinit.png",
        metavar="FILE",
        help="picture to write (default: %(default)s)",
    )
    command.add_argument(
        "--values",
        type=_integer_between(1, 10**9),
        default=1_000_000,
        metavar="N",
        help="how many values of each distribution to draw (default: %(default)s)",
    )


def _add(commands: Any, name: str, summary: str, more: str, *examples: str) -> _Parser:
    lines = [f"  {_PROGRAM} {example}\n" for example in examples]
    command = commands.add_parser(
        name,
        help=summary.removesuffix("."),
        description=summary,
        epilog=f"{more}\nexamples:\n{''.join(lines)}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument(
        "--json", action="store_true", help="print one JSON object and nothing else"
    )
    command.set_defaults(error=command.error)
    return command


def _add_import(command: _Parser) -> None:
    command.add_argument(
        "--import",
        dest="modules",
        action="append",
        default=[],
        metavar="MODULE",
        help="module to import first, such as the one that registers the layers of the model",
    )


def _add_seed(command: _Parser, default: int) -> None:
    command.add_argument(
        "--seed",
        type=_integer_between(_INT64_MIN, _INT64_MAX),
        default=default,
        metavar="N",
        help="seed of every variable (default: %(default)s)",
    )


def _integer_between(least: int, most: int) -> Callable[[str], int]:
    def checked(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(
                f"must be an integer from {least} to {most}. Received: {text[:100]!r}"
            )
        return value

    return checked


def _extents_or_file(text: str) -> list[int] | str:
    """Returns the extents in one word of a shape, such as 3, 3x3 or 3,3; or the file of a model."""
    words = re.split("[x,]", text)
    if all(re.fullmatch("[0-9]{1,19}", word) for word in words):
        return [int(word) for word in words]
    if text.endswith((".keras", ".h5")) or os.path.exists(text):
        return text
    raise argparse.ArgumentTypeError(
        "must be the file of a Keras model, or extents such as 3 3 64 128, 3x3x64x128 or "
        f"3,3,64,128. Received: {text[:100]!r}"
    )
