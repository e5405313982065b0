"""Makes `import tensorflow` take half the time, in tests.

Python imports this file when it starts, if its folder is in PYTHONPATH.
"""

import gc
import importlib.abc
import sys

# TensorFlow and Keras import these packages if they are installed. Most users do not have them.
_HIDDEN = ("jax", "matplotlib", "sklearn")
# The importers are the only modules that do not find them.
_IMPORTERS = (
    "keras.src.callbacks",
    "keras.src.visualization",
    "keras.src.wrappers",
    "tensorflow.lite",
)


class HidingFinder(importlib.abc.MetaPathFinder):
    """Finds no package, and raises for one that is hidden from the module that imports it."""

    def find_spec(self, fullname, path, target=None):
        """Raises ModuleNotFoundError for a hidden package."""
        del path, target
        if fullname not in _HIDDEN:
            return
        frame = sys._getframe(1)
        while "importlib" in frame.f_globals["__name__"]:
            frame = frame.f_back
        if frame.f_globals["__name__"].startswith(_IMPORTERS):
            raise ModuleNotFoundError(f"tools/pytest.sh hides {fullname}", name=fullname)


sys.meta_path.insert(0, HidingFinder())

# The modules of TensorFlow have millions of objects, which stay. Looking for garbage among them
# so seldom takes a sixth off the time of the import.
gc.set_threshold(50_000, 20, 100)
