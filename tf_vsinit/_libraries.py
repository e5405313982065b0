"""Chooses the libraries for the TensorFlow that is installed, and checks their files.

A package holds an op library, and perhaps a GPU library, for each TensorFlow line that it supports.
A line is a minor version, such as 2.21: its patch releases can load the same library. The build
writes what it knows of a line's libraries to `_vsinit_<line>.json`.
"""

import dataclasses
import hashlib
import importlib.util
import json
import os
import pathlib

PACKAGE = pathlib.Path(__file__).parent
# What to type when a library is not what it should be.
REPAIR = "run `pip install --force-reinstall` with its wheel, or `make build` in a checkout"


@dataclasses.dataclass(frozen=True)
class Libraries:
    """The libraries of one TensorFlow line."""

    line: str
    # The version that they were compiled for.
    tensorflow: str
    has_xla: bool
    op_library: pathlib.Path
    # None where the build had no CUDA compiler.
    gpu_library: pathlib.Path | None
    # Size and SHA-256 of each file, by its name.
    _written: dict[str, dict[str, int | str]]

    def check(self, library: pathlib.Path) -> None:
        """Raises ImportError if a library is not as the build wrote it."""
        written = self._written[library.name]
        try:
            content = library.read_bytes()
        except OSError as error:
            raise ImportError(
                f"tf_vsinit cannot read its library {library} ({error.strerror}): {REPAIR}."
            ) from None
        # A library that is cut short would end the process when it is loaded.
        if len(content) != written["size"]:
            difference = f"it has {len(content)} bytes instead of {written['size']}"
        elif hashlib.sha256(content).hexdigest() != written["sha256"]:
            difference = "its checksum is not the one that the build noted"
        else:
            return
        raise ImportError(f"The tf_vsinit library {library} is damaged, {difference}: {REPAIR}.")


def lines() -> list[str]:
    """Returns the TensorFlow lines that this package has libraries for, the oldest first."""
    names = [path.stem.removeprefix("_vsinit_") for path in PACKAGE.glob("_vsinit_*.json")]
    numbers = sorted([int(number) for number in name.split("_")] for name in names)
    return [f"{major}.{minor}" for major, minor in numbers]


def line_of(version: str) -> str:
    """Returns the line of a TensorFlow version, such as 2.21 for 2.21.0."""
    return ".".join(version.split(".")[:2])


def check_tensorflow_is_installed() -> None:
    """Raises ImportError if there is no TensorFlow to import."""
    if importlib.util.find_spec("tensorflow") is None:
        raise ImportError(
            f"tf_vsinit needs TensorFlow {_listed(lines())}, and none is installed here: run "
            "`pip install tensorflow` or `pip install tensorflow-cpu`.",
            name="tensorflow",
        )


def check_keras_is_installed() -> None:
    """Raises ImportError if there is none of the Keras that `tf.keras` stands for."""
    # As TensorFlow reads the variable.
    if os.environ.get("TF_USE_LEGACY_KERAS") not in ("1", "true", "True"):
        if importlib.util.find_spec("keras") is None:
            raise ImportError(
                "tf_vsinit needs Keras, and none is installed here: run `pip install keras`.",
                name="keras",
            )
    elif importlib.util.find_spec("tf_keras") is None:
        raise ImportError(
            "The environment variable TF_USE_LEGACY_KERAS asks for tf_keras, which is not "
            "installed here: run `pip install tf_keras`, or unset the variable.",
            name="tf_keras",
        )


def libraries_for(version: str) -> Libraries:
    """Returns the libraries for a TensorFlow version.

    Args:
      version: as `tf.__version__` has it.

    Raises:
      ImportError: if the package has none for this version's line.
    """
    line = line_of(version)
    stem = line.replace(".", "_")
    description = PACKAGE / f"_vsinit_{stem}.json"
    if not description.exists():
        raise ImportError(_no_libraries(version, line))
    try:
        described = json.loads(description.read_text())
    except (OSError, ValueError) as error:
        raise ImportError(
            f"The tf_vsinit file {description} is damaged ({error}): {REPAIR}."
        ) from None
    gpu_library = PACKAGE / f"_vsinit_gpu_{stem}.so"
    return Libraries(
        line=line,
        tensorflow=described["tensorflow"],
        has_xla=described["xla"],
        op_library=PACKAGE / f"_vsinit_ops_{stem}.so",
        gpu_library=gpu_library if gpu_library.name in described["libraries"] else None,
        _written=described["libraries"],
    )


def _no_libraries(version: str, line: str) -> str:
    carried = lines()
    if not carried:
        return (
            f"tf_vsinit in {PACKAGE} has no op library: run `make build` in its checkout, or "
            "`pip install .` there."
        )
    return (
        f"This tf_vsinit supports TensorFlow {_listed(carried)}, and TensorFlow {version} is "
        f"running: run `pip install 'tensorflow=={carried[-1]}.*'`, or build tf_vsinit for "
        f"TensorFlow {line} from its checkout."
    )


def _listed(names: list[str]) -> str:
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} or {names[-1]}"


check_tensorflow_is_installed()
check_keras_is_installed()
