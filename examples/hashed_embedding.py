"""An embedding in a hash table: a word's first vector does not depend on who asked first.

python examples/hashed_embedding.py
"""

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import tensorflow as tf

import tf_vsinit

SIZE = 16
# A word is a row of a table that no memory could hold. A million words share no row, but for one
# chance in 300 000.
ROWS = 2**57 - 1


class HashedEmbedding:
    """Vectors of the words that were looked up so far; the first look-up of a word draws one."""

    def __init__(self, seed):
        self._seed = [seed, 0]
        # NaN marks the words that have no vector yet.
        self._table = tf.lookup.experimental.MutableHashTable(
            tf.int64, tf.float32, default_value=[float("nan")] * SIZE
        )

    def __call__(self, words):
        """Returns the vectors of the words, [n, SIZE]."""
        rows = rows_of(words)
        vectors = self._table.lookup(rows)
        is_new = tf.math.is_nan(vectors[:, 0])
        new_rows, _ = tf.unique(rows[is_new])
        self._table.insert(new_rows, self._first_vectors(new_rows))
        return self._table.lookup(rows)

    def add(self, words, steps):
        """Adds to the vectors of different words, as training does."""
        self._table.insert(rows_of(words), self(words) + steps)

    def __len__(self):
        return int(self._table.size())

    def _first_vectors(self, rows):
        return tf_vsinit.stateless_variance_scaling_rows(
            [ROWS, SIZE], self._seed, rows, mode="fan_out", distribution="uniform"
        )


def rows_of(words):
    """Returns the rows of words. The hash is the same in every process and release."""
    return tf.strings.to_hash_bucket_fast(words, ROWS)


def main():
    """Compares embeddings that met the same words in another order."""
    words = tf.constant("the cat sat on the mat because the mat was warm".split())
    first, second = HashedEmbedding(seed=1), HashedEmbedding(seed=1)
    all_same = True

    def compare(what, found, wanted):
        nonlocal all_same
        same = found.numpy().tobytes() == wanted.numpy().tobytes()
        all_same &= same
        print(f"{what}, the same bits: {same}")

    at_once = first(words)
    for word in reversed(words):
        second(word[tf.newaxis])
    print(f"{len(first)} of {len(words)} words are different")
    compare("all at once and one by one from the end", second(words), at_once)

    restarted = HashedEmbedding(seed=1)
    compare("one word alone in another table", restarted(words[3:4]), at_once[3:4])

    first.add(tf.constant(["cat", "warm"]), tf.ones([2, SIZE]))
    compare("a trained word", first(words[1:2]), at_once[1:2] + 1.0)
    compare("its untrained neighbour", first(words[2:3]), at_once[2:3])
    sys.exit(not all_same)


if __name__ == "__main__":
    main()
