"""MirroredStrategy: the weights on every device equal those of an undistributed model.

python examples/mirrored.py
"""

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import tensorflow as tf

import tf_vsinit

REPLICAS = 3
UNITS = 64


def main():
    """Compares all copies of each kernel with that of an undistributed model, then trains."""
    # Three logical devices on one CPU take the place of three GPUs.
    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0],
        [tf.config.LogicalDeviceConfiguration() for _ in range(REPLICAS)],
    )
    strategy = tf.distribute.MirroredStrategy([f"/device:CPU:{i}" for i in range(REPLICAS)])
    plain = make_model()
    with strategy.scope():
        model = make_model()
        model.compile(tf.keras.optimizers.SGD(0.03), "mse")

    all_same = True
    for variable, expected in zip(model.weights, plain.weights, strict=True):
        if not callable(variable.value):
            variable = variable.value  # Keras 3 wraps TensorFlow's variable.
        for copy in strategy.experimental_local_results(variable):
            same = copy.numpy().tobytes() == expected.numpy().tobytes()
            all_same &= same
            print(f"{variable.shape!s:10} on {copy.device[-5:]}, the same bits: {same}")

    x = tf.random.stateless_normal([960, 16], [1, 2])
    data = tf.data.Dataset.from_tensor_slices((x, tf.reduce_sum(x, 1, keepdims=True))).batch(48)
    losses = model.fit(data, epochs=3, verbose=0).history["loss"]
    print("loss of each epoch", *(f"{loss:.3f}" for loss in losses))
    sys.exit(not all_same)


def make_model():
    """Returns a model whose initializers have seeds."""
    model = tf.keras.Sequential(
        [
            tf.keras.layers.Dense(
                UNITS, "relu", use_bias=False, kernel_initializer=tf_vsinit.HeNormal(seed=1)
            ),
            tf.keras.layers.Dense(
                1, use_bias=False, kernel_initializer=tf_vsinit.GlorotUniform(seed=2)
            ),
        ]
    )
    model.build((None, 16))
    return model


if __name__ == "__main__":
    main()
