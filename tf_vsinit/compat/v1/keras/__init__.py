"""The names of `tf.compat.v1.keras`."""

from tf_vsinit.compat.v1.keras import initializers

__all__ = ["initializers"]
