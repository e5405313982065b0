"""Prints as JSON where TensorFlow's headers and libraries are, and the macros to compile with."""

import json
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf  # noqa: E402  (after the log level is set)


def main() -> None:
    defines = [flag[2:] for flag in tf.sysconfig.get_compile_flags() if flag.startswith("-D")]
    description = {
        "version": tf.__version__,
        "include": tf.sysconfig.get_include(),
        "lib": tf.sysconfig.get_lib(),
        "defines": defines,
    }
    print(json.dumps(description))


if __name__ == "__main__":
    main()
