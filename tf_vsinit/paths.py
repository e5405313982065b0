"""The path of a variable in its model, and the seed that follows from a path.

docs/stream.md defines both. A path depends on nothing but the names in the model: not on what else
the process has built, nor on the order in which layers are built.
"""

import collections
import hashlib
import re
from collections.abc import Iterable
from typing import Any

from tf_vsinit import _tensorflow_private

_, _CONTAINERS = _tensorflow_private.keras_classes()


def path_seed(seed: int, path: str) -> int:
    """Returns the seed of the variable at a path: 63 bits of SHA-256 of the seed and the path.

    Args:
      seed: an integer of 64 bits.
      path: such as `block1/conv2/kernel`.

    Example:

    >>> from tf_vsinit import paths
    >>> paths.path_seed(1, "dense/kernel")
    6229560015116501635
    """
    content = seed.to_bytes(8, "little", signed=True) + path.encode()
    return int.from_bytes(hashlib.sha256(content).digest()[:8], "little") >> 1


def variable_name(name: str | None) -> str:
    """Returns the name of a variable in its layer: `variable` for none and for a generated one."""
    own = (name or "variable").rpartition("/")[2].partition(":")[0]
    return "variable" if re.fullmatch(r"[Vv]ariable(_\d+)?", own) else own


def numbered(name: str, count: int) -> str:
    """Returns what a path calls a variable, after `count` others of its name in its layer."""
    return f"{name}_{count}" if count else name


def variable_path(variable: Any) -> str:
    """Returns the path of a variable that is looked at alone: its name, with those of scopes."""
    return getattr(variable, "path", variable.name).partition(":")[0]


def repeated(found: Iterable[str]) -> list[str]:
    """Returns the paths that occur more than once."""
    return [path for path, count in collections.Counter(found).items() if count > 1]


class LayerTree:
    """Which layers are in which, and what they are called there.

    Sequential and functional models do not count: their layers stand where the model does.
    """

    def __init__(self, layers: Iterable[Any]) -> None:
        """Looks into each layer. If two of them contain a third, the first counts."""
        counted = [layer for layer in layers if not _is_container(layer)]
        self._parents: dict[int, Any] = {}
        for layer in counted:
            for each in _layers_in(layer):
                self._parents.setdefault(id(each), layer)
        self._roots = [layer for layer in counted if id(layer) not in self._parents]

    def counts(self, layer: Any) -> bool:
        """Says whether the layer has a place in paths."""
        return not _is_container(layer)

    def ancestors(self, layer: Any) -> list[Any]:
        """Returns the layers that a layer is in, the outermost first."""
        found: list[Any] = []
        while (layer := self._parents.get(id(layer))) is not None:
            found.insert(0, layer)
        return found

    def path(self, layer: Any) -> str:
        """Returns the names of a layer and of those that it is in, such as `block1/conv2`.

        A name that Keras generated, such as `dense_7`, becomes one that counts the generated names
        of the same class beside it, in the order of their numbers: `dense`, `dense_1`, ...
        """
        names = []
        siblings = self._roots
        for each in [*self.ancestors(layer), layer]:
            names.append(_name(each, siblings))
            siblings = list(_layers_in(each))
        return "/".join(names)


def _layers_in(layer):
    """Yields the layers directly in a layer; of a model that does not count, its layers."""
    for each in layer._flatten_layers(include_self=False, recursive=False):
        if _is_container(each):
            yield from _layers_in(each)
        else:
            yield each


def _is_container(layer):
    return isinstance(layer, _CONTAINERS)


def _name(layer, siblings):
    stem, number = _generated_name(layer)
    if number is None:
        return layer.name
    numbers = {n for s, n in map(_generated_name, siblings) if s == stem and n is not None}
    position = sum(n < number for n in numbers)
    return f"{stem}_{position}" if position else stem


def _generated_name(layer):
    """Splits a name that Keras generated, such as `dense_7`, into `dense` and 7; else (name, None).

    `Bidirectional` puts a word before such a name.
    """
    # As Keras makes names of classes.
    name = re.sub(r"\W+", "", type(layer).__name__)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    name = re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()
    match = re.fullmatch(rf"((?:forward_|backward_)?{name})(?:_(\d+))?", layer.name)
    return (match[1], int(match[2] or 0)) if match else (layer.name, None)
