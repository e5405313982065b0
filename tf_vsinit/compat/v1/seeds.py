"""Derives the seed of each variable from TensorFlow's graph seed and operation seed.

TensorFlow's stateful random ops use Philox with the graph seed as the key and the operation seed as
the high half of the counter. Our op derives key and counter from its seed by one invertible Philox
block, so every such pair has one seed of ours. `stateless_seed` computes that seed, with which a
float32 or float64 uniform equals the first draw of the stock initializer.
"""

import dataclasses
import math
import operator
import re
import secrets
import threading
import weakref
from typing import Any

import numpy as np
import tensorflow as tf

from tf_vsinit.arguments import argument_error
from tf_vsinit.box import Box

# Philox4x32-10: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_INVERSES = tuple(pow(multiplier, -1, 2**32) for multiplier in _MULTIPLIERS)
_KEY_INCREMENTS = (0x9E3779B9, 0xBB67AE85)
_ROUNDS = 10
# The key with which TensorFlow turns a stateless seed into a key and a counter.
_SEED_KEY = (0x3EC8F720, 0x02461E29)

# `get_variable` calls the initializer of the shard NAME/part_3 in the scope
# NAME/part_3/Initializer, or NAME/part_3 when eager.
_SHARD_SCOPE = re.compile(r"(.+)/part_\d+")
# How many unfinished variables a graph keeps. Callers that take turns among more of them than this
# before any is complete get other seeds for the shards of the oldest.
_MAX_UNFINISHED = 1024


def variable_seed(op_seed: int | None) -> tuple[int, int]:
    """Returns the stateless seed of a new variable.

    It combines `op_seed` and the default graph's seed, or TensorFlow's global seed when eager, as
    every random op of TensorFlow does. With neither, the operating system gives the seed.

    Raises:
      ValueError: if `op_seed` is neither an integer nor None.
    """
    graph_seed, op_seed = tf.compat.v1.get_seed(_checked_seed(op_seed))
    if graph_seed is None:
        return _signed(secrets.randbits(64)), _signed(secrets.randbits(64))
    return stateless_seed(int(graph_seed), op_seed)


def shard_seed(initializer: Any, box: Box, partition_info: Any) -> tuple[int, int]:
    """Returns the stateless seed of a shard's variable, the same for all its shards.

    TensorFlow gives an initializer without a seed another one at each call, and calls it for each
    shard. So the seed of a variable's first shard is kept until its last shard is made. Where
    initializers draw several times for each shard, the first draws of all shards belong to one
    variable here, the second draws to another, and so on.

    Args:
      initializer: the initializer that is called.
      box: the shard.
      partition_info: the object that describes the shard. All draws for a shard come with the same
        object; a shard that is made again comes with another.
    """
    if initializer.seed is not None:
        return variable_seed(initializer.seed)
    name = _variable_name()
    with _lock:
        graph = tf.compat.v1.get_default_graph()
        unfinished = _unfinished_variables.setdefault(graph, [])
        variable = _continued(unfinished, name, initializer, box, partition_info)
        # No call can continue the others.
        unfinished[:] = [v for v in unfinished if v.by_name or v.initializer() is not None]
        if variable is None:
            del unfinished[: 1 - _MAX_UNFINISHED]
            variable = _Variable(variable_seed(None), name, by_name=name is not None)
            unfinished.append(variable)
        variable.shards.append(box)
        variable.partition_info = partition_info
        variable.initializer = weakref.ref(initializer)
        if variable.is_complete():
            unfinished.remove(variable)
    return variable.seed


def stateless_seed(key: int, counter: int) -> tuple[int, int]:
    """Returns the seed whose stream has a given Philox key and high half of the counter.

    Args:
      key: integer; its lowest 64 bits count.
      counter: the same.

    Returns:
      Two integers that fit int64.

    Example:

    >>> from tf_vsinit import reference
    >>> from tf_vsinit.compat.v1 import seeds
    >>> reference.stream_key(seeds.stateless_seed(87654321, 7))
    (87654321, 0, 7, 0)
    """
    words = (*_halves(key), *_halves(counter))
    for step in reversed(range(_ROUNDS)):
        words = _undo_round(words, step)
    return _signed(words[0] | words[1] << 32), _signed(words[2] | words[3] << 32)


@dataclasses.dataclass(eq=False)
class _Variable:
    """A variable with some of its shards made."""

    seed: tuple[int, int]
    name: str | None
    # Whether an initializer that made none of its shards may continue it.
    by_name: bool
    shards: list[Box] = dataclasses.field(default_factory=list)
    # What the last shard came with.
    partition_info: object = None
    initializer: weakref.ref | None = None

    def is_complete(self) -> bool:
        made = sum(math.prod(shard.size) for shard in self.shards)
        return made == math.prod(self.shards[0].shape)

    def has_just_got(self, box, partition_info) -> bool:
        return self.partition_info is partition_info and self.shards[-1] == box


# For each graph, in the order of their first shards. Several threads may build one graph.
_unfinished_variables: weakref.WeakKeyDictionary[tf.Graph, Any] = weakref.WeakKeyDictionary()
_lock = threading.RLock()


def _continued(unfinished, name, initializer, box, partition_info):
    """Returns the variable that a shard continues, or None if the shard begins one.

    Candidates are the variables that the same initializer made a shard of, and then those of the
    same name. The first one that has no draw for this `partition_info` yet continues. A variable
    that has the same shard from an earlier call does not continue any more.
    """
    candidates = [
        variable
        for variable in unfinished
        if (variable.by_name or variable.initializer() is initializer)
        and variable.name == name
        and variable.shards[0].shape == box.shape
        and not variable.has_just_got(box, partition_info)
    ]
    for variable in sorted(candidates, key=lambda v: v.initializer() is not initializer):
        if not any(box.overlaps(shard) for shard in variable.shards):
            return variable
        # Another initializer may still work on it, if the caller takes turns between two.
        variable.by_name = False
        if variable.initializer() is initializer:
            unfinished.remove(variable)
    return None


def _checked_seed(seed):
    # TensorFlow 1 takes bools for the integers 0 and 1.
    if isinstance(seed, np.bool_):
        seed = bool(seed)
    try:
        return None if seed is None else operator.index(seed)
    except TypeError:
        raise argument_error("seed", "be an integer or None", seed) from None


def _variable_name():
    match = _SHARD_SCOPE.match(tf.get_current_name_scope())
    return match and match.group(1)


def _undo_round(words, step):
    """Returns the words that a round of Philox turns into `words`; the first round is 0."""
    key0, key1 = (
        (key + step * increment) % 2**32
        for key, increment in zip(_SEED_KEY, _KEY_INCREMENTS, strict=True)
    )
    word0 = words[3] * _INVERSES[0] % 2**32
    word2 = words[1] * _INVERSES[1] % 2**32
    word1 = words[0] ^ (word2 * _MULTIPLIERS[1] >> 32) ^ key0
    word3 = words[2] ^ (word0 * _MULTIPLIERS[0] >> 32) ^ key1
    return word0, word1, word2, word3


def _halves(value):
    return value % 2**32, (value >> 32) % 2**32


def _signed(value):
    return value - 2**64 if value >= 2**63 else value
