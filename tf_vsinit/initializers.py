"""The Keras initializers: the stock classes, with the values drawn by the op.

Constructors, configs and defaults are inherited, so they are those of `tf.keras`, be that Keras 3
or tf_keras (`TF_USE_LEGACY_KERAS=1`). `_Keras3VarianceScaling` and `_LegacyVarianceScaling` hold
what differs between these two. docs/migrating.md lists what differs from stock.
"""

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf
from tensorflow.experimental import dtensor

from tf_vsinit import _tensorflow_private, arguments, functional, layouts
from tf_vsinit.box import make_box, shard_box

_stock = tf.keras.initializers
_IS_KERAS_3 = hasattr(tf.keras, "random")
_KERAS_BACKEND = tf.keras.backend.backend() if _IS_KERAS_3 else "tensorflow"
# Keras 3 takes seeds modulo this number.
_KERAS_3_SEED_MODULUS = tf.int32.max - 1
# What an initializer's caller calls the shape, begin and size of a box.
_NAMES = ("shape", "partition_offset", "partition_shape")


class _Keras3VarianceScaling(_stock.VarianceScaling):
    """What Keras 3 alone has: seed generators, and axes that EinsumDense sets."""

    def _check_seed(self):
        # The stock constructor accepts only integers and seed generators.
        if isinstance(self.seed, int):
            arguments.checked_int_seed(self.seed)

    def next_seed(self, is_partition=False):
        """Returns the seed of the next draw."""
        if isinstance(seed := self.seed if self.path_seed is None else self.path_seed, int):
            return [self._as_stock_takes(seed), 0]
        if is_partition:
            # Not a ValueError: tf.distribute catches that, draws a whole variable for each shard
            # and cuts the shard from it.
            raise tf.errors.InvalidArgumentError(
                None,
                None,
                "Argument `seed` of the initializer must be an integer where `partition_shape` is "
                "given: a generator gives each shard another seed, and the shards would not be "
                f"those of one variable. Received: seed={self.seed!r}",
            )
        # A generator's next state is a tensor of the form [seed, counter].
        return self._as_stock_takes(self.seed.next())

    def _as_stock_takes(self, seed):
        return seed % _KERAS_3_SEED_MODULUS if self.stream == "tensorflow" else seed

    def _op_stream(self):
        stream = arguments.checked_stream(self.stream)
        return "keras_3" if stream == "tensorflow" else stream

    def _axes(self):
        # Keras before 3.13 has no axes.
        input_axes = getattr(self, "input_axes", None)
        output_axes = getattr(self, "output_axes", None)
        # Keras reads one without the other as neither.
        if input_axes is None or output_axes is None:
            return None, None
        return input_axes, output_axes

    def _note_use(self):
        pass


class _LegacyVarianceScaling(_stock.VarianceScaling):
    """What tf_keras alone has: a warning when an unseeded initializer is used twice."""

    def _check_seed(self):
        if self.seed is not None:
            arguments.checked_int_seed(self.seed)

    def clone(self):
        return self.__class__.from_config(self.get_config())

    def next_seed(self, is_partition=False):
        """Returns the seed of the next draw."""
        del is_partition
        if self.path_seed is not None:
            return [self.path_seed, 0]
        return _tensorflow_private.tf_keras_seed(self)

    def _op_stream(self):
        return arguments.checked_stream(self.stream)

    def _axes(self):
        return None, None

    def _note_use(self):
        _tensorflow_private.note_tf_keras_use(self)


_VarianceScalingBase = _Keras3VarianceScaling if _IS_KERAS_3 else _LegacyVarianceScaling


def _register(cls: type) -> type:
    """Registers a class as serialisable, and has its constructor check its arguments."""
    cls.__init__ = _checking(getattr(_stock, cls.__name__).__init__)
    return tf.keras.utils.register_keras_serializable(package="tf_vsinit")(cls)


def _checking(stock_init: Callable) -> Callable:
    @functools.wraps(stock_init)
    def __init__(self, *args, stream="vsinit", **kwargs):
        stock_init(self, *args, **kwargs)
        arguments.checked_scale(self.scale)
        self.stream = arguments.checked_stream(stream)
        self._check_seed()

    stock = inspect.signature(stock_init)
    stream = inspect.Parameter(
        "stream", inspect.Parameter.KEYWORD_ONLY, default="vsinit", annotation=str
    )
    __init__.__signature__ = stock.replace(parameters=[*stock.parameters.values(), stream])
    return __init__


@_register
class VarianceScaling(_VarianceScalingBase):
    """Draws weights whose variance is `scale` over the number of units they connect.

    A drop-in for `tf.keras.initializers.VarianceScaling`, and a subclass of it: same arguments
    and config. The values are those of `tf_vsinit.stateless_variance_scaling` for the same
    arguments: a normal distribution, truncated at two standard deviations or not, of standard
    deviation sqrt(scale / n), or a uniform one in [-limit, limit), limit = sqrt(3 * scale / n)
    rounded to float32 unless the dtype is float64.

    Args:
      scale: positive finite float.
      mode: what n is: `fan_in`, `fan_out` or `fan_avg`, their mean.
      distribution: `truncated_normal` (also spelled `normal`), `untruncated_normal` or `uniform`.
      seed: an integer s of 64 bits, which stands for the seed [s, 0]; with Keras 3 also a
        `keras.random.SeedGenerator`, whose next seed each call takes; or None, for a seed that is
        drawn when the object is made (tf_keras: when it is first called) and that
        `keras.utils.set_random_seed` governs. An initializer with an integer or None gives the same
        values at every call. (Stock Keras 3 takes integers modulo 2^31 - 2, so negative and larger
        ones stand for other seeds there.)
      input_axes: axes whose product is fan_in (Keras 3.13 or later, and only with `output_axes`).
      output_axes: axes whose product is fan_out.
      stream: `vsinit`, or `tensorflow` for the values that the stock initializer gives in eager
        mode on a CPU, bit for bit in every dtype: a swap then changes no model. A keyword only.

    Raises:
      ValueError: for a scale, mode, distribution, seed or stream out of its range.

    References:
      - Glorot and Bengio, Understanding the difficulty of training deep feedforward neural
        networks, AISTATS 2010.
      - He et al., Delving deep into rectifiers, ICCV 2015.

    Example:

    >>> import tensorflow as tf
    >>> import tf_vsinit
    >>> initializer = tf_vsinit.VarianceScaling(scale=0.1, mode="fan_out", seed=1)
    >>> initializer([3, 3, 16, 32]).shape
    TensorShape([3, 3, 16, 32])
    >>> layer = tf.keras.layers.Dense(3, kernel_initializer=initializer)
    """

    # For objects that were pickled before there were streams.
    stream = "vsinit"
    # Set by `tf_vsinit.scope`. It is not in the config, because it belongs to one variable.
    path_seed: int | None = None

    def __repr__(self) -> str:
        """Returns the call that makes an equal initializer."""
        return arguments.constructor_call(self)

    def get_config(self) -> dict[str, Any]:
        """Returns the config of the stock class, with `stream` if it is not the default."""
        config = super().get_config()
        if self.stream != "vsinit":
            config["stream"] = self.stream
        return config

    def draw_options(self) -> dict[str, Any]:
        """Returns the arguments of `functional.draw` that this initializer fixes."""
        input_axes, output_axes = self._axes()
        return dict(
            scale=self.scale,
            mode=self.mode,
            distribution=self.distribution,
            input_axes=input_axes,
            output_axes=output_axes,
            stream=self._op_stream(),
        )

    @arguments.entry_point
    def __call__(
        self,
        shape: Sequence[int] | tf.TensorShape | tf.Tensor,
        dtype: tf.DType | str | None = None,
        layout: dtensor.Layout | None = None,
        partition_info: Any = None,
        *,
        partition_shape: Sequence[int] | tf.Tensor | None = None,
        partition_offset: Sequence[int] | tf.Tensor | None = None,
    ) -> tf.Tensor:
        """Returns a tensor of initial values, or an array if the backend of Keras is another.

        Args:
          shape: shape of the variable: integers, a `tf.TensorShape` or an int32 or int64 tensor.
          dtype: float16, bfloat16, float32 or float64; None means `tf.keras.backend.floatx()`.
          layout: a `tf.experimental.dtensor.Layout`, or with Keras 3 a
            `keras.distribution.TensorLayout`, to draw a DTensor: each device draws its own shard
            of the variable and nothing else. None means the layout of an enclosing
            `dtensor.call_with_layout`, or an ordinary tensor. In a `tf.function` the shards are
            drawn when it is traced: `shape` must be known then, and no seed generator used.
          partition_info: the shard wanted, as a partitioned `tf.compat.v1.get_variable` passes it:
            `shape` is then the shape of the shard, and that of the variable is
            `partition_info.full_shape`.
          partition_shape: shape of the shard wanted, as `tf.distribute` passes it; -1 means to the
            end of that axis. None means the whole variable. The fans are always those of `shape`,
            and a shard has the values that the whole variable has there.
          partition_offset: where the shard begins on each axis. Needed with `partition_shape`.

        Raises:
          ValueError: for an argument out of its range; the message names it and its value.
          tf.errors.InvalidArgumentError: for a shard that is outside its variable, if the graph
            learns this only when it runs; for a shard if the seed is a generator.
        """
        if layout is None:
            layout = layouts.surrounding()
        if partition_info is not None:
            _check_alone(
                "partition_info",
                partition_info,
                layout=layout,
                partition_shape=partition_shape,
                partition_offset=partition_offset,
            )
        elif layout is not None:
            _check_alone(
                "layout",
                layout,
                partition_shape=partition_shape,
                partition_offset=partition_offset,
            )
        if (partition_shape is None) != (partition_offset is None):
            raise ValueError(
                "Arguments `partition_shape` and `partition_offset` must be given together. "
                f"Received: partition_shape={arguments.shown(partition_shape)}, "
                f"partition_offset={arguments.shown(partition_offset)}"
            )
        is_partition = partition_info is not None or partition_shape is not None
        if not is_partition:
            # One initializer is called once for each shard of a variable: that is no second use.
            self._note_use()
        options = self.draw_options()
        options["dtype"] = tf.keras.backend.floatx() if dtype is None else dtype
        seed = self.next_seed(is_partition)
        if layout is not None:
            return layouts.draw(shape, seed, layout, **options)
        if partition_info is not None:
            box = shard_box(shape, partition_info)
        else:
            box = make_box(shape, partition_offset, partition_shape, _NAMES)
        return _of_the_backend(functional.draw(box, seed, **options))


def _of_the_backend(values):
    """Returns values as an array of Keras's backend, because JAX cannot trace a tensor."""
    if _KERAS_BACKEND == "tensorflow" or not tf.executing_eagerly():
        return values
    return tf.keras.ops.convert_to_tensor(values.numpy())


def _check_alone(name, value, **others):
    if any(other is not None for other in others.values()):
        names = " or ".join(f"`{other}`" for other in others)
        received = ", ".join(f"{other}={arguments.shown(others[other])}" for other in others)
        raise ValueError(
            f"Argument `{name}` must be None where {names} is given. "
            f"Received: {name}={arguments.shown(value)}, {received}"
        )


# Each class below inherits its constructor, and so its scale, mode and distribution, from the stock
# class that it extends.


@_register
class GlorotNormal(VarianceScaling, _stock.GlorotNormal):
    """Truncated normal with standard deviation sqrt(2 / (fan_in + fan_out)).

    Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks,
    AISTATS 2010. Arguments `seed`, `input_axes`, `output_axes`, `stream`: see `VarianceScaling`.

    >>> import tf_vsinit
    >>> tf_vsinit.GlorotNormal(seed=1)([64, 64]).shape
    TensorShape([64, 64])
    """


@_register
class GlorotUniform(VarianceScaling, _stock.GlorotUniform):
    """Uniform in [-limit, limit) with limit = sqrt(6 / (fan_in + fan_out)).

    Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks,
    AISTATS 2010. Arguments `seed`, `input_axes`, `output_axes`, `stream`: see `VarianceScaling`. In
    float32 the values are those of `tf.keras.initializers.GlorotUniform` for the same seed.

    >>> import tf_vsinit
    >>> tf_vsinit.GlorotUniform(seed=1)([64, 64]).shape
    TensorShape([64, 64])
    """


@_register
class HeNormal(VarianceScaling, _stock.HeNormal):
    """Truncated normal with standard deviation sqrt(2 / fan_in).

    He et al., Delving deep into rectifiers, ICCV 2015. Arguments `seed`, `input_axes`,
    `output_axes`, `stream`: see `VarianceScaling`.

    >>> import tf_vsinit
    >>> tf_vsinit.HeNormal(seed=1)([64, 64]).shape
    TensorShape([64, 64])
    """


@_register
class HeUniform(VarianceScaling, _stock.HeUniform):
    """Uniform in [-limit, limit) with limit = sqrt(6 / fan_in).

    He et al., Delving deep into rectifiers, ICCV 2015. Arguments `seed`, `input_axes`,
    `output_axes`, `stream`: see `VarianceScaling`. In float32 the values are those of
    `tf.keras.initializers.HeUniform` for the same seed.

    >>> import tf_vsinit
    >>> tf_vsinit.HeUniform(seed=1)([64, 64]).shape
    TensorShape([64, 64])
    """


@_register
class LecunNormal(VarianceScaling, _stock.LecunNormal):
    """Truncated normal with standard deviation sqrt(1 / fan_in).

    LeCun et al., Efficient BackProp, 1998; Klambauer et al., Self-normalizing neural networks,
    NeurIPS 2017. Arguments `seed`, `input_axes`, `output_axes`, `stream`: see `VarianceScaling`.

    >>> import tf_vsinit
    >>> tf_vsinit.LecunNormal(seed=1)([64, 64]).shape
    TensorShape([64, 64])
    """


@_register
class LecunUniform(VarianceScaling, _stock.LecunUniform):
    """Uniform in [-limit, limit) with limit = sqrt(3 / fan_in).

    LeCun et al., Efficient BackProp, 1998. Arguments `seed`, `input_axes`, `output_axes`,
    `stream`: see `VarianceScaling`. In float32 the values are those of
    `tf.keras.initializers.LecunUniform` for the same seed.

    >>> import tf_vsinit
    >>> tf_vsinit.LecunUniform(seed=1)([64, 64]).shape
    TensorShape([64, 64])
    """


variance_scaling = VarianceScaling
glorot_normal = GlorotNormal
glorot_uniform = GlorotUniform
he_normal = HeNormal
he_uniform = HeUniform
lecun_normal = LecunNormal
lecun_uniform = LecunUniform
