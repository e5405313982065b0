"""The initializers of `tf.compat.v1`, with the values drawn by the op.

Arguments, defaults, configs and deprecation warnings are TensorFlow's own, but for the keyword
`stream`.
"""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from tf_vsinit import _tensorflow_private, arguments, functional
from tf_vsinit.box import make_box, shard_box
from tf_vsinit.compat.v1.seeds import shard_seed, variable_seed

# Without its warnings, which would name a line of this file.
_stock_init = inspect.unwrap(tf.compat.v1.variance_scaling_initializer.__init__)

_register = tf.keras.utils.register_keras_serializable(package="tf_vsinit.compat.v1")
_dtype_is_deprecated = _tensorflow_private.deprecated_argument(
    "dtype",
    "Call initializer instance with the dtype argument instead of passing it to the constructor",
)
_normal_is_deprecated = _tensorflow_private.deprecated_value(
    "`normal` is a deprecated alias for `truncated_normal`", distribution="normal"
)


@_register
class VarianceScaling(tf.compat.v1.variance_scaling_initializer):
    """Draws weights whose variance is `scale` over the number of units they connect.

    A drop-in for `tf.compat.v1.variance_scaling_initializer`, and a subclass of it: same arguments
    (but for `stream`), config and warnings. With n the fan that `mode` selects, the values are
    normal, truncated at two standard deviations or not, with standard deviation sqrt(scale / n), or
    uniform in [-limit, limit) with limit = sqrt(3 * scale / n) rounded to float32 unless the dtype
    is float64.

    The seed of a variable follows from `seed` and `tf.compat.v1.set_random_seed` as for any random
    op of TensorFlow, and is fixed when the initializer is called: running the same graph again
    gives the same values. A partitioned variable has one seed for all its shards, and they hold
    the values of the whole variable. A float32 or float64 `uniform` equals the first draw of the
    stock initializer, bit for bit.

    Args:
      scale: positive finite float.
      mode: what n is: `fan_in`, `fan_out` or `fan_avg`, their mean.
      distribution: `truncated_normal` (also spelled `normal`, which is deprecated),
        `untruncated_normal` or `uniform`.
      seed: integer operation seed, or None.
      dtype: floating dtype for calls that give none; deprecated.
      stream: `vsinit`, or `tensorflow` for the values of the stock initializer's first draw in
        eager mode on a CPU, bit for bit in every dtype. A keyword only.

    Raises:
      ValueError: for a scale, mode, distribution, dtype or stream out of its range.

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

    # For objects that were pickled before there were streams.
    stream = "vsinit"
    # Set by `tf_vsinit.scope`. It is not in the config, because it belongs to one variable.
    path_seed: int | None = None

    @_dtype_is_deprecated
    @_normal_is_deprecated
    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: int | None = None,
        dtype: tf.DType | str = tf.float32,
        *,
        stream: str = "vsinit",
    ) -> None:
        """Checks the arguments and keeps them."""
        _stock_init(self, scale, mode, distribution, seed, dtype)
        self.stream = arguments.checked_stream(stream)

    # The setter checks, so that a later assignment is checked too. The stock constructor, which
    # assigns, makes its own check first.
    @property
    def scale(self) -> float:
        """The scale: a positive finite number."""
        return self._scale

    @scale.setter
    def scale(self, value: float) -> None:
        arguments.checked_scale(value)
        self._scale = value

    def __repr__(self) -> str:
        """Returns the call that makes an equal initializer."""
        return arguments.constructor_call(self)

    def get_config(self) -> dict[str, Any]:
        """Returns the config of the stock class, with `stream` if it is not the default."""
        return self._with_stream(super().get_config())

    def _with_stream(self, config):
        return config if self.stream == "vsinit" else {**config, "stream": self.stream}

    @arguments.entry_point
    def __call__(
        self,
        shape: Sequence[int] | tf.TensorShape | tf.Tensor,
        dtype: tf.DType | str | None = None,
        partition_info: Any = None,
    ) -> tf.Tensor:
        """Returns a tensor of initial values, of shape `shape`.

        Args:
          shape: shape of the variable, or of the shard: integers, a `tf.TensorShape`, or, without
            `partition_info`, an int32 or int64 tensor.
          dtype: float16, bfloat16, float32 or float64; None means the initializer's dtype.
          partition_info: the shard, as `tf.compat.v1.get_variable` describes it: `full_shape` is
            the shape of the variable, which gives the fans, and `var_offset` is where the shard
            begins on each axis. None means the whole variable.

        Raises:
          ValueError: for an argument out of its range; the message names it and its value.
        """
        if partition_info is None:
            # The seed first: it counts the ops in the graph, and a box from a tensor adds some.
            seed = self.next_seed()
            box = make_box(shape)
        else:
            box = shard_box(shape, partition_info)
            seed = self._seed_of_path() or shard_seed(self, box, partition_info)
        dtype = self.dtype if dtype is None else dtype
        return functional.draw(box, seed, dtype=dtype, **self.draw_options())

    def draw_options(self) -> dict[str, Any]:
        """Returns the arguments of `functional.draw` that this initializer fixes."""
        return dict(
            scale=self.scale,
            mode=self.mode,
            distribution=self.distribution,
            stream=arguments.checked_stream(self.stream),
        )

    def next_seed(self) -> tuple[int, int]:
        """Returns the seed of the next draw of a whole variable."""
        return self._seed_of_path() or variable_seed(self.seed)

    def _seed_of_path(self):
        return None if self.path_seed is None else (self.path_seed, 0)


class _WithFixedScale(VarianceScaling):
    """A `VarianceScaling` whose scale, mode and distribution are fixed."""

    _fixed: dict[str, Any]

    def __init__(self, seed: int | None = None, *, stream: str = "vsinit") -> None:
        """Keeps the seed and the stream."""
        VarianceScaling.__init__(self, **self._fixed, seed=seed, stream=stream)

    def get_config(self) -> dict[str, Any]:
        """Returns what `from_config` needs to make an equal initializer: the seed."""
        return self._with_stream({"seed": self.seed})


class _Glorot(_WithFixedScale):
    """A `_WithFixedScale` that takes a dtype as well."""

    def __init__(
        self,
        seed: int | None = None,
        dtype: tf.DType | str = tf.float32,
        *,
        stream: str = "vsinit",
    ) -> None:
        """Checks the dtype and keeps the arguments."""
        super().__init__(seed, stream=stream)
        # The stock classes forget this argument.
        self.dtype = tf.as_dtype(dtype)
        if not self.dtype.is_floating:
            raise ValueError(
                f"Argument `dtype` is expected to be floating point. Received: {self.dtype}."
            )

    def get_config(self) -> dict[str, Any]:
        """Returns what `from_config` needs to make an equal initializer: seed and dtype."""
        return self._with_stream({"seed": self.seed, "dtype": self.dtype.name})


_CLASS_DOCSTRING_END = """
    Called like `VarianceScaling`. The dtype of a call that gives none is {dtype}.

    Args:
      seed: integer operation seed, or None.{more_arguments}
      stream: `vsinit` or `tensorflow`, as for `VarianceScaling`. A keyword only.{raises}

    Example:

    >>> from tf_vsinit.compat import v1
    >>> v1.{name}(seed=1)([64, 32]).shape
    TensorShape([64, 32])
    """
_DTYPE_ARGUMENT = """
      dtype: floating dtype for calls that give none; deprecated."""
_RAISES = """

    Raises:
      ValueError: for a dtype that is not floating."""
_FUNCTION_DOCSTRING = """Returns the `VarianceScaling` that draws what `{cls}` draws.

    {summary}

    A drop-in for `tf.compat.v1.initializers.{name}`. Its config also has scale, mode, distribution
    and dtype.

    Args:
      seed: integer operation seed, or None.
      stream: `vsinit` or `tensorflow`, as for `VarianceScaling`. A keyword only.

    Example:

    >>> from tf_vsinit.compat import v1
    >>> v1.{name}(seed=1)([64, 32]).shape
    TensorShape([64, 32])
    """


def _documented(cls: type) -> type:
    """Adds to the docstring of a class what it shares with the others."""
    takes_dtype = issubclass(cls, _Glorot)
    # `python -OO` drops the docstring in the source.
    cls.__doc__ = (cls.__doc__ or "") + _CLASS_DOCSTRING_END.format(
        name=cls.__name__,
        dtype="`dtype`" if takes_dtype else "float32",
        more_arguments=_DTYPE_ARGUMENT if takes_dtype else "",
        raises=_RAISES if takes_dtype else "",
    )
    return cls


def _function(name: str, cls: type[_WithFixedScale]) -> Callable[..., VarianceScaling]:
    """Returns the function that TensorFlow has beside a class."""

    def initializer(seed: int | None = None, *, stream: str = "vsinit") -> VarianceScaling:
        return VarianceScaling(**cls._fixed, seed=seed, stream=stream)

    initializer.__name__ = initializer.__qualname__ = name
    summary = (cls.__doc__ or "").partition("\n")[0]
    initializer.__doc__ = _FUNCTION_DOCSTRING.format(name=name, cls=cls.__name__, summary=summary)
    return initializer


@_register
@_documented
class GlorotNormal(_Glorot, tf.compat.v1.glorot_normal_initializer):
    """Truncated normal with variance 2 / (fan_in + fan_out); Glorot and Bengio, 2010.

    A drop-in for `tf.compat.v1.glorot_normal_initializer`, and a subclass of it.
    """

    _fixed = dict(scale=1.0, mode="fan_avg", distribution="truncated_normal")

    # TensorFlow warns once for each class, and its warning names the class.
    @_dtype_is_deprecated
    def __init__(
        self,
        seed: int | None = None,
        dtype: tf.DType | str = tf.float32,
        *,
        stream: str = "vsinit",
    ) -> None:
        """Checks the dtype and keeps the arguments."""
        super().__init__(seed, dtype, stream=stream)


@_register
@_documented
class GlorotUniform(_Glorot, tf.compat.v1.glorot_uniform_initializer):
    """Uniform with variance 2 / (fan_in + fan_out); Glorot and Bengio, 2010.

    A drop-in for `tf.compat.v1.glorot_uniform_initializer`, and a subclass of it.
    """

    _fixed = dict(scale=1.0, mode="fan_avg", distribution="uniform")

    # TensorFlow warns once for each class, and its warning names the class.
    @_dtype_is_deprecated
    def __init__(
        self,
        seed: int | None = None,
        dtype: tf.DType | str = tf.float32,
        *,
        stream: str = "vsinit",
    ) -> None:
        """Checks the dtype and keeps the arguments."""
        super().__init__(seed, dtype, stream=stream)


@_register
@_documented
class LecunNormal(_WithFixedScale):
    """Truncated normal with variance 1 / fan_in; Klambauer et al., NIPS 2017.

    A drop-in for `tf.compat.v1.keras.initializers.lecun_normal` of tf_keras.
    """

    _fixed = dict(scale=1.0, mode="fan_in", distribution="truncated_normal")


@_register
@_documented
class LecunUniform(_WithFixedScale):
    """Uniform with variance 1 / fan_in; LeCun et al., Efficient backprop, 1998.

    A drop-in for `tf.compat.v1.keras.initializers.lecun_uniform` of tf_keras.
    """

    _fixed = dict(scale=1.0, mode="fan_in", distribution="uniform")


@_register
@_documented
class HeNormal(_WithFixedScale):
    """Truncated normal with variance 2 / fan_in; He et al., ICCV 2015.

    A drop-in for `tf.compat.v1.keras.initializers.he_normal` of tf_keras.
    """

    _fixed = dict(scale=2.0, mode="fan_in", distribution="truncated_normal")


@_register
@_documented
class HeUniform(_WithFixedScale):
    """Uniform with variance 2 / fan_in; He et al., ICCV 2015.

    A drop-in for `tf.compat.v1.keras.initializers.he_uniform` of tf_keras.
    """

    _fixed = dict(scale=2.0, mode="fan_in", distribution="uniform")


lecun_normal = _function("lecun_normal", LecunNormal)
lecun_uniform = _function("lecun_uniform", LecunUniform)
he_normal = _function("he_normal", HeNormal)
he_uniform = _function("he_uniform", HeUniform)
