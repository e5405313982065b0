"""Makes `import tensorflow` take half the time, in tests that Bazel runs.

Python imports this file when it starts, if its folder is in PYTHONPATH.
"""

import gc
import importlib.abc
import sys

# The importers import these packages if they are installed. Most users do not have them.
_HIDDEN = ("jax", "matplotlib", "sklearn")
_IMPORTERS = (
    "keras.src.callbacks",
    "keras.src.visualization",
    "keras.src.wrappers",
    "tensorflow.lite",
)


def _name_of(frame):
    """Returns the name of the module whose code runs in a frame."""
    return frame.f_globals.get("__name__") or ""


class HidingFinder(importlib.abc.MetaPathFinder):
    """Hides the packages from the importers, and from no other module."""

    def find_spec(self, fullname, path, target=None):
        """Raises ModuleNotFoundError for a hidden package."""
        del path, target
        if fullname not in _HIDDEN:
            return
        frame = sys._getframe(1)
        while "importlib" in _name_of(frame):
            frame = frame.f_back
        if _name_of(frame).startswith(_IMPORTERS):
            raise ModuleNotFoundError(f"{__file__} hides {fullname}", name=fullname)


sys.meta_path.insert(0, HidingFinder())

# `import tensorflow` makes 300,000 objects that stay. Looking for garbage among them less often
# takes a sixth off its time.
gc.set_threshold(50_000, 20, 100)
