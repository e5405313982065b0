"""Hides packages that TensorFlow and Keras import if they are installed.

Most users do not have them, and importing them takes two fifths of the time of
`import tensorflow`. Python imports this file when it starts, if its folder is in PYTHONPATH.
`importlib.util.find_spec` raises for them too, where it returns None for a package that is absent.
"""

import importlib.abc
import sys


class HidingFinder(importlib.abc.MetaPathFinder):
    """Finds none of the packages."""

    def find_spec(self, fullname, path, target=None):
        """Raises ModuleNotFoundError for a hidden package."""
        del path, target
        if fullname in ("jax", "matplotlib", "sklearn"):
            raise ModuleNotFoundError(f"tools/pytest.sh hides {fullname}", name=fullname)


sys.meta_path.insert(0, HidingFinder())
