"""The names of `tf.compat.v1.keras.initializers`: classes, with Keras 3 those of Keras 3."""

import tensorflow as tf

if hasattr(tf.keras, "random"):  # Keras 3, which has its own classes there.
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

    __all__ = [
        "GlorotNormal",
        "GlorotUniform",
        "HeNormal",
        "HeUniform",
        "LecunNormal",
        "LecunUniform",
        "VarianceScaling",
        "glorot_normal",
        "glorot_uniform",
        "he_normal",
        "he_uniform",
        "lecun_normal",
        "lecun_uniform",
        "variance_scaling",
    ]
else:
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
