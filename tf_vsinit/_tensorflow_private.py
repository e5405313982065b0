"""Every private name of TensorFlow and Keras that the package uses, each with the reason for it.

The public API does not suffice for these, and any release of TensorFlow may change them: to adapt
the package to a new one, read this file.
"""

import copy
import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.dtensor.python import api as dtensor_api
from tensorflow.python.eager import context as eager_context
from tensorflow.python.framework import op_def_registry, ops
from tensorflow.python.ops import variable_scope
from tensorflow.python.ops.parallel_for import pfor
from tensorflow.python.util import deprecation

# What makes the variables of `tf.compat.v1.get_variable`.
VariableStore = variable_scope._VariableStore
# The variable that a strategy with a `variable_partitioner` makes. Nothing public names its class.
ShardedVariable = tf.__internal__.distribute.ShardedVariable


def host_tensors() -> Callable[[Any, tf.DType], tf.Tensor]:
    """Returns the function that turns a value and a dtype into an eager tensor in host memory.

    The function returns a kept tensor where tensors can be kept, because making the five inputs of
    a draw costs as much as drawing a small variable.
    """
    context = eager_context.context()
    # A tensor that was sent to a server cannot be used after the servers change. Nothing but the
    # server definition shows that there are servers, so nothing is kept while there is one.
    if context.get_server_def() is not None:
        return _new_host_tensor
    return functools.partial(_kept_host_tensor, context._id)


def op_is_registered(op_type: str) -> bool:
    """Says whether some library that this process has loaded registers an op of this name."""
    return op_def_registry.get(op_type) is not None


def set_vectorization(op_type: str, convert: Callable) -> None:
    """Has `tf.vectorized_map` call `convert` for an op, unless it has a function for it already.

    There is no public way to say how an op is vectorised. Without one, TensorFlow makes a loop.
    `convert` gets pfor's description of the op's inputs. It returns what `stacked` or `in_a_loop`
    returns.
    """
    if op_type not in pfor._pfor_converter_registry:
        pfor.RegisterPFor(op_type)(convert)


def stacked(output: tf.Tensor) -> Any:
    """Wraps an output whose first axis is that of the members of a `tf.vectorized_map`."""
    return pfor.wrap(output, True)


def in_a_loop(pfor_input: Any) -> Any:
    """Runs an op once for each member of a `tf.vectorized_map`, in a loop."""
    return pfor._fallback_converter(pfor_input)


def current_dtensor_layout() -> str | None:
    """Returns the text of the layout that an enclosing `dtensor.call_with_layout` sets, or None."""
    device = dtensor_api._dtensor_singleton
    text = None if device is None else device._current_output_layout
    return None if text is None else text.decode()


def deprecated_argument(name: str, instruction: str) -> Callable:
    """Returns a decorator that warns of a deprecated argument in TensorFlow's own words."""
    return deprecation.deprecated_args(None, instruction, name)


def deprecated_value(instruction: str, **arguments: Any) -> Callable:
    """Returns a decorator that warns of a deprecated value in TensorFlow's own words."""
    return deprecation.deprecated_arg_values(None, instruction, **arguments)


def tf_keras_seed(initializer: Any) -> Any:
    """Returns the two integers that an initializer of tf_keras passes to stateless ops.

    If it has no seed, the first call takes one from the source that
    `tf.keras.utils.set_random_seed` seeds.
    """
    return initializer._random_generator.make_seed_for_stateless_op()


def keras_classes() -> tuple[list[Any], tuple[type, ...]]:
    """Returns the base classes of all layers, and the classes of Sequential and functional models.

    tf_keras has a second base class, for graphs of TensorFlow 1. Keras has no public name for the
    class of functional models.
    """
    if hasattr(tf.keras, "random"):
        from keras.src.models.functional import Functional

        return [tf.keras.Layer], (tf.keras.Sequential, Functional)
    from tf_keras.src.engine.base_layer_v1 import Layer
    from tf_keras.src.engine.functional import Functional

    return [tf.keras.layers.Layer, Layer], (Functional,)


def given_seed(initializer: Any) -> Any:
    """Returns the seed that an initializer was made with; Keras 3 replaces None by one it draws."""
    return getattr(initializer, "_init_seed", initializer.seed)


def variables_of_layer(layer: Any) -> list[Any]:
    """Returns the variables that a layer itself has, without those of the layers in it."""
    if hasattr(tf.keras, "random"):
        return [*layer._trainable_variables, *layer._non_trainable_variables]
    return [*layer._trainable_weights, *layer._non_trainable_weights]


def with_axes_of_layer(initializer: Any, layer: Any) -> Any:
    """Returns the initializer with the axes that Keras's EinsumDense gives it in `build`."""
    if getattr(initializer, "input_axes", 0) is not None or not hasattr(layer, "equation"):
        return initializer
    from keras.src.layers.core import einsum_dense

    *_, input_axes, output_axes = einsum_dense._analyze_einsum_string(
        layer.equation,
        layer.bias_axes,
        layer._build_shapes_dict["input_shape"],
        layer.partial_output_shape,
    )
    # A copy, because a constructor would draw a seed.
    with_axes = copy.copy(initializer)
    with_axes.input_axes, with_axes.output_axes = input_axes, output_axes
    return with_axes


def note_tf_keras_use(initializer: Any) -> None:
    """Has an unseeded initializer of tf_keras warn of its second use."""
    initializer._warn_reuse()


# The key is the value, so nothing goes stale, and the context's number, because a tensor does not
# outlive its context. Callers use this in eager mode only, so no graph captures a kept tensor.
@functools.lru_cache(maxsize=4096)
def _kept_host_tensor(context_id, value, dtype):
    del context_id
    return _new_host_tensor(value, dtype)


def _new_host_tensor(value, dtype):
    eager_context.ensure_initialized()
    # TensorFlow keeps the tensors of Python's numbers for ever, but not those of arrays.
    if not isinstance(value, tuple):
        value = np.array(value, dtype.as_numpy_dtype)
    # This is what tf.constant does, in a fifth of its time. No device means the host: tensors of
    # these dtypes would otherwise go to a GPU, and every draw would fetch them.
    return ops.EagerTensor(value, device=None, dtype=dtype.as_datatype_enum)
