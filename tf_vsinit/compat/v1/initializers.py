"""The names of `tf.compat.v1.initializers`."""

from tf_vsinit.compat.v1.init_ops import GlorotNormal as glorot_normal
from tf_vsinit.compat.v1.init_ops import GlorotUniform as glorot_uniform
from tf_vsinit.compat.v1.init_ops import VarianceScaling as variance_scaling
from tf_vsinit.compat.v1.init_ops import he_normal, he_uniform, lecun_normal, lecun_uniform

__all__ = [
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "lecun_normal",
    "lecun_uniform",
    "variance_scaling",
]
