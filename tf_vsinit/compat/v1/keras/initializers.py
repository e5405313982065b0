"""The names of `tf.compat.v1.keras.initializers`, as tf_keras has them: all are classes."""

from tf_vsinit.compat.v1.init_ops import GlorotNormal as glorot_normal
from tf_vsinit.compat.v1.init_ops import GlorotUniform as glorot_uniform
from tf_vsinit.compat.v1.init_ops import HeNormal as he_normal
from tf_vsinit.compat.v1.init_ops import HeUniform as he_uniform
from tf_vsinit.compat.v1.init_ops import LecunNormal as lecun_normal
from tf_vsinit.compat.v1.init_ops import LecunUniform as lecun_uniform
from tf_vsinit.compat.v1.init_ops import VarianceScaling

__all__ = [
    "VarianceScaling",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "lecun_normal",
    "lecun_uniform",
]
