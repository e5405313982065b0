"""`python -m tf_vsinit`: what is installed, and whether it draws the values that it should."""

import argparse
import platform
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

import tf_vsinit
from tf_vsinit import loading
from tf_vsinit.cli import output


def run(options: argparse.Namespace) -> int:
    """Prints what is installed, and whether it draws the values that it should."""
    keras = tf.keras.initializers.Initializer.__module__.partition(".")[0]
    wrong = list(_wrong_draws())
    report = {
        "tf_vsinit_version": tf_vsinit.__version__,
        "tensorflow_version": tf.__version__,
        "keras": f"{keras} {sys.modules[keras].__version__}",
        "python_version": platform.python_version(),
        "numpy_version": np.__version__,
        "op_library": str(loading.libraries().op_library),
        "built_for_tensorflow": loading.libraries().tensorflow,
        "instruction_set": loading.instruction_set(),
        "xla": f"none: {reason}" if (reason := loading.why_no_xla()) else "supported",
        "gpu_kernels": _gpu_kernels(),
        "devices": [device.name for device in tf.config.list_logical_devices()],
        "self_check_passed": not wrong,
        "wrong_draws": wrong,
    }
    if options.json:
        output.print_json(report)
    else:
        _print(report)
    return 1 if wrong else 0


def _print(report: dict[str, Any]) -> None:
    passed = "passed: the values are those promised"
    installed = (
        ("tf_vsinit", report["tf_vsinit_version"]),
        ("TensorFlow", report["tensorflow_version"]),
        ("tf.keras", report["keras"]),
        ("Python", report["python_version"]),
        ("NumPy", report["numpy_version"]),
        ("op library", report["op_library"]),
        ("built for", f"TensorFlow {report['built_for_tensorflow']}"),
        ("instruction set", report["instruction_set"]),
        ("XLA", report["xla"]),
        ("GPU kernels", report["gpu_kernels"]),
        ("devices", ", ".join(report["devices"])),
        ("self check", passed if report["self_check_passed"] else "WRONG, see below"),
    )
    output.print_table(["what", "here"], installed, text_columns=2)
    if report["wrong_draws"]:
        output.print_text("")
        headings = ["device", "draw", "values", "expected"]
        rows = [list(draw.values()) for draw in report["wrong_draws"]]
        output.print_table(headings, rows, text_columns=4)


def _gpu_kernels() -> str:
    reason = loading.why_no_gpu_kernels()
    if reason:
        return f"none: {reason}"
    if not tf.config.list_logical_devices("GPU"):
        return "loaded, but TensorFlow sees no GPU here"
    return "loaded"


# Seed, first index, dtype, distribution, stream, and in hexadecimal the values from that index on
# for a standard deviation of 1.
_GOLDEN = (
    ((1, 2), 0, "float32", "truncated_normal", "vsinit", "bf33a264 be85ee05 3fbcb98b bfb65a6d"),
    ((1, 2), 0, "float32", "untruncated_normal", "vsinit", "bf26ab0b be771023 3fb578b8 bfae9e6e"),
    ((1, 2), 0, "float32", "uniform", "vsinit", "3f988ee1 bf888c74 3fdc0721 bf9695ff"),
    (
        (-1, 1099511627776),
        8589934593,
        "float64",
        "truncated_normal",
        "vsinit",
        "bfe2d2467a429c88 3ff14c42476d3bf3 3fee24b997107f0b",
    ),
    (
        (-1, 1099511627776),
        8589934593,
        "float64",
        "untruncated_normal",
        "vsinit",
        "bfe16cedb64b28b2 3ff03c5ed8686fc7 3fec25933d0e4422",
    ),
    (
        (-1, 1099511627776),
        8589934593,
        "float64",
        "uniform",
        "vsinit",
        "bfea71fce0ada921 3fe0711818b24c3c 3fde83858236b6a0",
    ),
    ((1, 2), 3, "bfloat16", "truncated_normal", "vsinit", "bfb6 c00e 3fcf bf3b"),
    ((1, 2), 3, "float16", "uniform", "vsinit", "bcb5 ba52 3824 bd72"),
    (
        (1, 2),
        0,
        "float32",
        "truncated_normal",
        "tensorflow",
        "3f1e5a9c 3e716b00 3dab46f0 3d583945",
    ),
    (
        (-1, 1099511627776),
        8589934593,
        "float64",
        "truncated_normal",
        "tensorflow",
        "3fe25634965e4e4c bfd974672bcf0360 bfda5cc03267332b",
    ),
    ((1, 2), 1, "bfloat16", "untruncated_normal", "tensorflow", "3e54 3d97 3d3e bfa7"),
    ((1, 2), 3, "float16", "uniform", "tensorflow", "3d74 bcf1 b260 bdb3"),
)


def _wrong_draws() -> Iterator[dict[str, str]]:
    """Yields each draw on a device that gives other values than its stream defines."""
    for device in tf.config.list_logical_devices():
        if device.device_type not in ("CPU", "GPU"):
            continue
        with tf.device(device.name):
            for seed, first, dtype, distribution, stream, expected in _GOLDEN:
                draw = seed, first, dtype, distribution, stream
                try:
                    got = _drawn_bits(*draw, count=len(expected.split()))
                except tf.errors.OpError as error:
                    got = error.message
                if got != expected:
                    yield {
                        "device": device.name,
                        "draw": f"{draw}",
                        "values": got,
                        "expected": expected,
                    }


def _drawn_bits(
    seed: Sequence[int], first: int, dtype: str, distribution: str, stream: str, count: int
) -> str:
    drawn = tf_vsinit.stateless_variance_scaling(
        [2**40, 1],
        seed,
        mode="fan_out",
        distribution=distribution,
        dtype=dtype,
        begin=[first, 0],
        size=[count, 1],
        stream=stream,
    )
    values = np.ravel(drawn)
    bits = values.view(f"u{values.itemsize}")
    return " ".join(f"{int(value):0{2 * values.itemsize}x}" for value in bits)
