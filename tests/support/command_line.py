"""Runs the command line in the process of a test, and reads what it prints."""

import contextlib
import io
import json
import os
import pathlib
import re
import tempfile
import unittest.mock

import tensorflow as tf

from tf_vsinit import cli
from tf_vsinit.cli import bench


class Terminal(io.StringIO):
    """Keeps what is written to it, as StringIO does, and says that it is a terminal."""

    def isatty(self):
        return True


def run(*arguments, stdout=io.StringIO, stderr=io.StringIO):
    """Returns the exit status, standard output and standard error of a command."""
    out, err = stdout(), stderr()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = cli.main(arguments)
        except SystemExit as end:
            status = end.code
    return status, out.getvalue(), err.getvalue()


def run_json(*arguments):
    """Returns what a command that succeeds prints with --json."""
    status, out, err = run(*arguments, "--json")
    if status or err:
        raise AssertionError(f"exit status {status}\n{out}\n{err}")
    return json.loads(out)


def tables(out):
    """Returns the rows of each Markdown table in an output, without the headings."""
    found = re.findall(r"(?:^\|.*\n)+", out, re.MULTILINE)
    return [
        [[cell.strip() for cell in row.split("|")[1:-1]] for row in text.splitlines()[2:]]
        for text in found
    ]


def keys(value):
    """Returns the keys of all objects in a JSON document."""
    if isinstance(value, dict):
        return set(value).union(*map(keys, value.values()))
    return set().union(*map(keys, value)) if isinstance(value, list) else set()


def in_new_folder(test):
    """Makes a new folder the working directory until the end of a test."""
    folder = pathlib.Path(test.enter_context(tempfile.TemporaryDirectory()))
    # contextlib.chdir came with Python 3.11.
    test.addCleanup(os.chdir, os.getcwd())
    os.chdir(folder)
    return folder


def save_model(folder, *layers):
    path = str(folder / "model.keras")
    tf.keras.Sequential(layers, name="model").save(path)
    return path


def quick_bench(test):
    """Makes a bench take no time: each call once, and made-up seconds for all that it measures."""
    medians = bench._medians

    def made_up(calls, repeats):
        del repeats
        medians(calls, 1)
        return [0.001 * (i + 1) for i in range(len(calls))]

    test.enter_context(unittest.mock.patch.object(bench, "_medians", made_up))
    made_up_numbers = {
        "_numbers_from_fresh_process": [0.002],
        "_peak_rise": 1.0,
        "_costs_of_model": (0.002, 1.0),
        "_available_bytes": 1e12,
    }
    for name, value in made_up_numbers.items():
        test.enter_context(unittest.mock.patch.object(bench, name, return_value=value))
