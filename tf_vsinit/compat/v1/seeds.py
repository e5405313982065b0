"""The seed of each initial value: TensorFlow's graph and operation seeds, one pair a variable.

TensorFlow's stateful random ops use Philox with the graph seed as the key and the operation seed as
the high half of the counter. Ours derives key and counter from its seed by one invertible Philox
block, so there is a seed of ours for every such pair. `stateless_seed` computes it, and a float32
or float64 uniform is then what the stock initializer draws first.
"""

import dataclasses
import math
import operator
import re
import secrets
import threading
import weakref

from tensorflow.python.framework import ops, random_seed

from tf_vsinit.partition import Partition

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


def variable_seed(op_seed: int | None) -> tuple[int, int]:
    """Returns the stateless seed of a new variable.

    The graph seed of the default graph, or TensorFlow's global seed when eager, and `op_seed`
    combine as in any random op of TensorFlow's. With neither, the seed comes from the operating
    system.

    Raises:
      ValueError: if `op_seed` is neither an integer nor None.
    """
    graph_seed, op_seed = random_seed.get_seed(_checked_seed(op_seed))
    if graph_seed is None:
        return _signed(secrets.randbits(64)), _signed(secrets.randbits(64))
    return stateless_seed(int(graph_seed), op_seed)


def shard_seed(initializer, partition: Partition, partition_info) -> tuple[int, int]:
    """Returns the stateless seed of a shard's variable, the same for all its shards.

    An initializer without a seed gets another one from TensorFlow at each call, and is called for
    each shard, so what the first shard of a variable got is kept until the last one is made. Where
    initializers draw several times for each shard, the first draws of all shards are parts of one
    variable here, the second ones of another, and so on.

    Args:
      initializer: the initializer that is called.
      partition: where the shard lies.
      partition_info: the object that says so. All that draws for a shard is given one object; a
        shard that is made again comes with another.
    """
    if initializer.seed is not None:
        return variable_seed(initializer.seed)
    name = _variable_name()
    with _lock:
        unfinished = _unfinished_variables.setdefault(ops.get_default_graph(), [])
        variable = _continued(unfinished, name, initializer, partition, partition_info)
        # No call can continue what this leaves out.
        unfinished[:] = [v for v in unfinished if v.by_name or v.initializer() is not None]
        if variable is None:
            variable = _Variable(variable_seed(None), name, by_name=name is not None)
            unfinished.append(variable)
        variable.shards.append(partition)
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
    """A variable of which some shards are made."""

    seed: tuple[int, int]
    name: str | None
    # Whether an initializer that made no shard of it may continue it.
    by_name: bool
    shards: list[Partition] = dataclasses.field(default_factory=list)
    # Of the last shard.
    partition_info: object = None
    initializer: weakref.ref | None = None

    def is_complete(self) -> bool:
        made = sum(math.prod(shard.size) for shard in self.shards)
        return made == math.prod(self.shards[0].full_shape)

    def has_just_got(self, partition, partition_info) -> bool:
        return self.partition_info is partition_info and self.shards[-1] == partition


# For each graph, in the order in which they were begun. Threads may build one graph.
_unfinished_variables = weakref.WeakKeyDictionary()
_lock = threading.RLock()


def _continued(unfinished, name, initializer, partition, partition_info):
    """Returns the variable that a shard continues, or None if it begins one.

    It is the first one, of those the same initializer made a shard of or else of those with the
    same name, that has got nothing yet from this making of the shard. One that has the shard from
    an earlier making is not continued any more.
    """
    candidates = [
        variable
        for variable in unfinished
        if (variable.by_name or variable.initializer() is initializer)
        and variable.name == name
        and variable.shards[0].full_shape == partition.full_shape
        and not variable.has_just_got(partition, partition_info)
    ]
    for variable in sorted(candidates, key=lambda v: v.initializer() is not initializer):
        if not any(partition.overlaps(shard) for shard in variable.shards):
            return variable
        # Another initializer may still work at it, if two that are called by hand take turns.
        variable.by_name = False
        if variable.initializer() is initializer:
            unfinished.remove(variable)
    return None


def _checked_seed(seed):
    try:
        return None if seed is None else operator.index(seed)
    except TypeError:
        raise ValueError(
            f"Argument `seed` must be an integer or None. Received: seed={seed!r}"
        ) from None


def _variable_name():
    match = _SHARD_SCOPE.match(ops.get_name_scope())
    return match and match.group(1)


def _undo_round(words, step):
    """Returns what a round of Philox, the first being 0, turns into the given words."""
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
