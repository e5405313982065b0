"""The types of the initializers, whose constructors are those of Keras, which has no types."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf
from tensorflow.experimental import dtensor

class VarianceScaling(tf.keras.initializers.VarianceScaling):
    scale: float
    mode: str
    distribution: str
    seed: Any
    stream: str

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: int | tf.keras.random.SeedGenerator | None = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
        *,
        stream: str = "vsinit",
    ) -> None: ...
    def __call__(
        self,
        shape: Sequence[int] | tf.TensorShape | tf.Tensor,
        dtype: tf.DType | str | None = None,
        layout: dtensor.Layout | None = None,
        partition_info: Any = None,
        *,
        partition_shape: Sequence[int] | tf.Tensor | None = None,
        partition_offset: Sequence[int] | tf.Tensor | None = None,
    ) -> tf.Tensor: ...
    def get_config(self) -> dict[str, Any]: ...

class _WithFixedScale(VarianceScaling):
    def __init__(
        self,
        seed: int | tf.keras.random.SeedGenerator | None = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
        *,
        stream: str = "vsinit",
    ) -> None: ...

class GlorotNormal(_WithFixedScale): ...
class GlorotUniform(_WithFixedScale): ...
class HeNormal(_WithFixedScale): ...
class HeUniform(_WithFixedScale): ...
class LecunNormal(_WithFixedScale): ...
class LecunUniform(_WithFixedScale): ...

variance_scaling = VarianceScaling
glorot_normal = GlorotNormal
glorot_uniform = GlorotUniform
he_normal = HeNormal
he_uniform = HeUniform
lecun_normal = LecunNormal
lecun_uniform = LecunUniform
