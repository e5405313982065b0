"""The initializers behind TensorFlow's older interfaces, as `tf.compat` has them.

>>> import tf_vsinit
>>> tf_vsinit.compat.v1.glorot_uniform_initializer(seed=7)([64, 32]).shape
TensorShape([64, 32])
"""

from tf_vsinit.compat import v1

__all__ = ["v1"]
