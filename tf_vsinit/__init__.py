"""Variance-scaling weight initialisation for TensorFlow as one fused, stateless op.

>>> import tensorflow as tf
>>> import tf_vsinit
>>> layer = tf.keras.layers.Dense(128, kernel_initializer=tf_vsinit.HeNormal(seed=1))
>>> tf_vsinit.GlorotUniform(seed=7)([64, 32]).shape
TensorShape([64, 32])
"""

__version__ = "0.2.0"

import tf_vsinit._before_tensorflow  # noqa: F401 (parses the arguments of `python -m tf_vsinit`)
import tf_vsinit._libraries  # noqa: F401 (before TensorFlow: says what to do where there is none)
import tf_vsinit.vectorization  # noqa: F401 (tells tf.vectorized_map how to draw)
from tf_vsinit import compat, reference
from tf_vsinit.functional import stateless_variance_scaling
from tf_vsinit.initializers import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    VarianceScaling,
    glorot_normal,
    glorot_uniform,
    he_normal,
    he_uniform,
    lecun_normal,
    lecun_uniform,
    variance_scaling,
)
from tf_vsinit.inspection import inspect
from tf_vsinit.loading import load
from tf_vsinit.reinitialization import reinitialize
from tf_vsinit.rows import stateless_variance_scaling_rows
from tf_vsinit.scopes import scope

__all__ = [
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "LecunNormal",
    "LecunUniform",
    "VarianceScaling",
    "compat",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "inspect",
    "lecun_normal",
    "lecun_uniform",
    "load",
    "reference",
    "reinitialize",
    "scope",
    "stateless_variance_scaling",
    "stateless_variance_scaling_rows",
    "variance_scaling",
]


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
