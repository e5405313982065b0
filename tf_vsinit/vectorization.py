"""`tf.vectorized_map` over seeds: one call of the op for all of them."""

import tensorflow as tf
from tensorflow.python.ops.parallel_for import pfor

from tf_vsinit import loading

_op = loading.load().vsinit_stateless_variance_scaling
_ATTRIBUTES = ("dtype", "mode", "distribution", "input_axes", "output_axes")


# There is no public way to say how an op is vectorised. Without it TensorFlow makes a loop.
@pfor.RegisterPFor("VsinitStatelessVarianceScaling")
def _draw_batch(pfor_input):
    """Draws for the seeds of all members at once.

    Another argument that differs between the members raises what TensorFlow turns into a loop.
    """
    shape, begin, size, scale = (pfor_input.unstacked_input(i) for i in (0, 2, 3, 4))
    seeds = pfor_input.stacked_input(1)
    attributes = {name: pfor_input.get_attr(name) for name in _ATTRIBUTES}
    # Of higher rank where a map is inside another: then the op draws a batch already.
    pairs = tf.reshape(seeds, [-1, 2])
    output = _op(shape, pairs, begin, size, scale, batch=True, **attributes)
    members = tf.shape(seeds)[:-1]
    output = tf.reshape(output, tf.concat([members, tf.shape(output)[1:]], axis=0))
    return pfor.wrap(output, True)
