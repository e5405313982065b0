"""What `python -m tf_vsinit` does before TensorFlow loads; for other programs, nothing."""

import contextlib
import importlib
import os
import sys
from collections.abc import Iterator


def _is_the_command_line() -> bool:
    # While Python looks for the module of `-m`, sys.argv[0] is "-m". What follows in sys.argv are
    # the arguments, and sys.orig_argv has the module's name before them.
    return sys.argv[:1] == ["-m"] and sys.orig_argv[-len(sys.argv) :][:1] == ["tf_vsinit"]


def _prepare() -> None:
    from tf_vsinit.cli import parser

    # This ends the process for --help and for mistakes.
    parser.parse(sys.argv[1:])
    # Whoever sets the variable wants the log lines.
    if "TF_CPP_MIN_LOG_LEVEL" not in os.environ:
        os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
        _load_tensorflow_quietly()


def _load_tensorflow_quietly() -> None:
    from tf_vsinit.cli import output

    output.progress("Loading TensorFlow")
    # The import of TensorFlow logs some lines whatever the level is.
    with _standard_error_dropped():
        # First, because it says what to do where there is no TensorFlow.
        importlib.import_module("tf_vsinit._libraries")
        importlib.import_module("tensorflow")


@contextlib.contextmanager
def _standard_error_dropped() -> Iterator[None]:
    """Drops what the process, in C++ too, writes to standard error."""
    kept = os.dup(2)
    with open(os.devnull, "w") as nothing:
        os.dup2(nothing.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


# `python -m` imports the package before its command line, and with it TensorFlow, which takes
# seconds and writes log lines: so --help and mistakes must be answered here to be quick.
if _is_the_command_line():
    _prepare()
