"""Drop-in replacements for the variance-scaling initializers of `tf.compat.v1`.

Every name that TensorFlow gives them is here at the same place: replace `tf.compat.v1` by
`tf_vsinit.compat.v1`. All the names together are also in this one namespace.

>>> import tensorflow as tf
>>> from tf_vsinit.compat import v1
>>> with tf.Graph().as_default():
...     kernel = tf.compat.v1.get_variable(
...         "kernel", [300, 200], initializer=v1.glorot_uniform_initializer(seed=7),
...         partitioner=tf.compat.v1.fixed_size_partitioner(3))
>>> kernel.shape
TensorShape([300, 200])
"""

from tf_vsinit.compat.v1 import initializers, keras
from tf_vsinit.compat.v1.init_ops import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    VarianceScaling,
    he_normal,
    he_uniform,
    lecun_normal,
    lecun_uniform,
)

glorot_normal = glorot_normal_initializer = GlorotNormal
glorot_uniform = glorot_uniform_initializer = GlorotUniform
variance_scaling = variance_scaling_initializer = VarianceScaling

__all__ = [
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "LecunNormal",
    "LecunUniform",
    "VarianceScaling",
    "glorot_normal",
    "glorot_normal_initializer",
    "glorot_uniform",
    "glorot_uniform_initializer",
    "he_normal",
    "he_uniform",
    "initializers",
    "keras",
    "lecun_normal",
    "lecun_uniform",
    "variance_scaling",
    "variance_scaling_initializer",
]
