"""The names of `tf.compat.v1.keras`, as tf_keras has them."""

from tf_vsinit.compat.v1.keras import initializers

__all__ = ["initializers"]
