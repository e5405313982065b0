"""The initializers of `tf.compat.v1`, with the values drawn by the op.

Constructors, configs, defaults, errors and deprecation warnings are inherited, so they are
TensorFlow's own.
"""

import tensorflow as tf
from tensorflow.python.ops import init_ops as stock
from tensorflow.python.util import deprecation

from tf_vsinit import functional
from tf_vsinit.compat.v1.seeds import shard_seed, variable_seed
from tf_vsinit.partition import checked_partition

_register = tf.keras.utils.register_keras_serializable(package="tf_vsinit.compat.v1")
_dtype_is_deprecated = deprecation.deprecated_args(
    None,
    "Call initializer instance with the dtype argument instead of passing it to the constructor",
    "dtype",
)


@_register
class VarianceScaling(stock.VarianceScaling):
    """Draws weights whose variance is `scale` over the number of units they connect.

    A drop-in for `tf.compat.v1.variance_scaling_initializer`, and a subclass of it: same arguments,
    config, errors and warnings. With n the fan that `mode` selects, the values are normal,
    truncated at two standard deviations or not, with standard deviation sqrt(scale / n), or uniform
    in [-limit, limit) with limit = sqrt(3 * scale / n).

    The seed of a variable follows from `seed` and `tf.compat.v1.set_random_seed` as for any random
    op of TensorFlow's, and is fixed when the initializer is called: running the same graph again
    gives the same values. A partitioned variable has one seed for all its shards, and they hold
    what the whole variable would. A float32 or float64 `uniform` equals the first draw of the stock
    initializer, bit for bit.

    Args:
      scale: positive float.
      mode: what n is: `fan_in`, `fan_out` or `fan_avg`, their mean.
      distribution: `truncated_normal` (also spelled `normal`, which is deprecated),
        `untruncated_normal` or `uniform`.
      seed: integer operation seed, or None.
      dtype: floating dtype for calls that give none; deprecated.

    Raises:
      ValueError: for a scale, mode, distribution or dtype out of its range.

    References:
      - Glorot and Bengio, Understanding the difficulty of training deep feedforward neural
        networks, AISTATS 2010.
      - He et al., Delving deep into rectifiers, ICCV 2015.

    Example:

    >>> import tensorflow as tf
    >>> from tf_vsinit.compat import v1
    >>> initializer = v1.VarianceScaling(scale=0.1, mode="fan_out", seed=1)
    >>> initializer([3, 3, 16, 32]).shape
    TensorShape([3, 3, 16, 32])
    """

    @functional.entry_point
    def __call__(self, shape, dtype=None, partition_info=None) -> tf.Tensor:
        """Returns a tensor of initial values, of shape `shape`.

        Args:
          shape: shape of the variable, or of the shard: integers, a `tf.TensorShape`, or, without
            `partition_info`, an int32 or int64 tensor.
          dtype: float16, bfloat16, float32 or float64; None means the initializer's dtype.
          partition_info: where the shard lies, as `tf.compat.v1.get_variable` passes it: the
            variable's shape as `full_shape`, from which the fans come, and the shard's first
            element as `var_offset`. None means the whole variable.

        Raises:
          ValueError: for an argument out of its range; the message names it and its value.
        """
        if partition_info is None:
            begin = size = None
            seed = variable_seed(self.seed)
        else:
            partition = checked_partition(shape, partition_info)
            shape, begin, size = partition
            seed = shard_seed(self, partition, partition_info)
        return functional.stateless_variance_scaling(
            shape,
            seed,
            scale=self.scale,
            mode=self.mode,
            distribution=self.distribution,
            dtype=self.dtype if dtype is None else dtype,
            begin=begin,
            size=size,
        )


@_register
class GlorotNormal(VarianceScaling, stock.GlorotNormal):
    """Truncated normal with variance 2 / (fan_in + fan_out); Glorot and Bengio, 2010.

    A drop-in for `tf.compat.v1.glorot_normal_initializer`, and a subclass of it. Called like
    `VarianceScaling`.

    Args:
      seed: integer operation seed, or None.
      dtype: floating dtype for calls that give none; deprecated.

    Raises:
      ValueError: for a dtype that is not floating.

    Example:

    >>> from tf_vsinit.compat import v1
    >>> v1.GlorotNormal(seed=1)([64, 32]).shape
    TensorShape([64, 32])
    """

    @_dtype_is_deprecated
    def __init__(self, seed=None, dtype=tf.float32):
        """Checks the dtype and keeps both arguments."""
        super().__init__(seed=seed)
        # The stock class forgets this argument.
        self.dtype = _floating(dtype)


@_register
class GlorotUniform(VarianceScaling, stock.GlorotUniform):
    """Uniform with variance 2 / (fan_in + fan_out); Glorot and Bengio, 2010.

    A drop-in for `tf.compat.v1.glorot_uniform_initializer`, and a subclass of it. Called like
    `VarianceScaling`.

    Args:
      seed: integer operation seed, or None.
      dtype: floating dtype for calls that give none; deprecated.

    Raises:
      ValueError: for a dtype that is not floating.

    Example:

    >>> from tf_vsinit.compat import v1
    >>> v1.GlorotUniform(seed=1)([64, 32]).shape
    TensorShape([64, 32])
    """

    @_dtype_is_deprecated
    def __init__(self, seed=None, dtype=tf.float32):
        """Checks the dtype and keeps both arguments."""
        super().__init__(seed=seed)
        # The stock class forgets this argument.
        self.dtype = _floating(dtype)


class _FixedButSeed(VarianceScaling):
    """A `VarianceScaling` of which nothing but the seed can be chosen."""

    _fixed: dict

    def __init__(self, seed=None):
        """Keeps the seed."""
        super().__init__(**self._fixed, seed=seed)

    def get_config(self):
        """Returns what `from_config` needs to make an equal initializer: the seed."""
        return {"seed": self.seed}


@_register
class LecunNormal(_FixedButSeed):
    """Truncated normal with variance 1 / fan_in; Klambauer et al., NIPS 2017.

    A drop-in for `tf.compat.v1.keras.initializers.lecun_normal` of tf_keras. Called like
    `VarianceScaling`; the dtype of a call that gives none is float32.

    Args:
      seed: integer operation seed, or None.

    Example:

    >>> from tf_vsinit.compat import v1
    >>> v1.LecunNormal(seed=1)([64, 32]).shape
    TensorShape([64, 32])
    """

    _fixed = dict(scale=1.0, mode="fan_in", distribution="truncated_normal")


@_register
class LecunUniform(_FixedButSeed):
    """Uniform with variance 1 / fan_in; LeCun et al., Efficient backprop, 1998.

    A drop-in for `tf.compat.v1.keras.initializers.lecun_uniform` of tf_keras. Called like
    `VarianceScaling`; the dtype of a call that gives none is float32.

    Args:
      seed: integer operation seed, or None.

    Example:

    >>> from tf_vsinit.compat import v1
    >>> v1.LecunUniform(seed=1)([64, 32]).shape
    TensorShape([64, 32])
    """

    _fixed = dict(scale=1.0, mode="fan_in", distribution="uniform")


@_register
class HeNormal(_FixedButSeed):
    """Truncated normal with variance 2 / fan_in; He et al., ICCV 2015.

    A drop-in for `tf.compat.v1.keras.initializers.he_normal` of tf_keras. Called like
    `VarianceScaling`; the dtype of a call that gives none is float32.

    Args:
      seed: integer operation seed, or None.

    Example:

    >>> from tf_vsinit.compat import v1
    >>> v1.HeNormal(seed=1)([64, 32]).shape
    TensorShape([64, 32])
    """

    _fixed = dict(scale=2.0, mode="fan_in", distribution="truncated_normal")


@_register
class HeUniform(_FixedButSeed):
    """Uniform with variance 2 / fan_in; He et al., ICCV 2015.

    A drop-in for `tf.compat.v1.keras.initializers.he_uniform` of tf_keras. Called like
    `VarianceScaling`; the dtype of a call that gives none is float32.

    Args:
      seed: integer operation seed, or None.

    Example:

    >>> from tf_vsinit.compat import v1
    >>> v1.HeUniform(seed=1)([64, 32]).shape
    TensorShape([64, 32])
    """

    _fixed = dict(scale=2.0, mode="fan_in", distribution="uniform")


def lecun_normal(seed: int | None = None) -> VarianceScaling:
    """Returns the `VarianceScaling` that is truncated normal with variance 1 / fan_in.

    A drop-in for `tf.compat.v1.initializers.lecun_normal`, whose config also tells scale, mode,
    distribution and dtype. `LecunNormal` is the same as a class of its own.

    Args:
      seed: integer operation seed, or None.

    References:
      Klambauer et al., Self-normalizing neural networks, NIPS 2017.

    Example:

    >>> from tf_vsinit.compat import v1
    >>> v1.lecun_normal(seed=1)([64, 32]).shape
    TensorShape([64, 32])
    """
    return VarianceScaling(scale=1.0, mode="fan_in", distribution="truncated_normal", seed=seed)


def lecun_uniform(seed: int | None = None) -> VarianceScaling:
    """Returns the `VarianceScaling` that is uniform with variance 1 / fan_in.

    A drop-in for `tf.compat.v1.initializers.lecun_uniform`, whose config also tells scale, mode,
    distribution and dtype. `LecunUniform` is the same as a class of its own.

    Args:
      seed: integer operation seed, or None.

    References:
      LeCun et al., Efficient backprop, 1998.

    Example:

    >>> from tf_vsinit.compat import v1
    >>> v1.lecun_uniform(seed=1)([64, 32]).shape
    TensorShape([64, 32])
    """
    return VarianceScaling(scale=1.0, mode="fan_in", distribution="uniform", seed=seed)


def he_normal(seed: int | None = None) -> VarianceScaling:
    """Returns the `VarianceScaling` that is truncated normal with variance 2 / fan_in.

    A drop-in for `tf.compat.v1.initializers.he_normal`, whose config also tells scale, mode,
    distribution and dtype. `HeNormal` is the same as a class of its own.

    Args:
      seed: integer operation seed, or None.

    References:
      He et al., ICCV 2015.

    Example:

    >>> from tf_vsinit.compat import v1
    >>> v1.he_normal(seed=1)([64, 32]).shape
    TensorShape([64, 32])
    """
    return VarianceScaling(scale=2.0, mode="fan_in", distribution="truncated_normal", seed=seed)


def he_uniform(seed: int | None = None) -> VarianceScaling:
    """Returns the `VarianceScaling` that is uniform with variance 2 / fan_in.

    A drop-in for `tf.compat.v1.initializers.he_uniform`, whose config also tells scale, mode,
    distribution and dtype. `HeUniform` is the same as a class of its own.

    Args:
      seed: integer operation seed, or None.

    References:
      He et al., ICCV 2015.

    Example:

    >>> from tf_vsinit.compat import v1
    >>> v1.he_uniform(seed=1)([64, 32]).shape
    TensorShape([64, 32])
    """
    return VarianceScaling(scale=2.0, mode="fan_in", distribution="uniform", seed=seed)


def _floating(dtype):
    return stock._assert_float_dtype(tf.as_dtype(dtype))
