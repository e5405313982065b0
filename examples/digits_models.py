"""Data and models of the demo: scikit-learn's digits, a convolutional network, a transformer.

Both models take the module that holds the initializers, `tf_vsinit` or `tf.keras.initializers`. The
names and arguments are the same in both.
"""

import sklearn.datasets
import sklearn.model_selection
import tensorflow as tf

CLASSES = 10
EDGE = 8  # An image is EDGE x EDGE pixels.


def load_digits():
    """Returns (train images, train labels), (test images, test labels): 1437 and 360 images.

    Images are float32 of shape [n, EDGE, EDGE], scaled to mean 0 and standard deviation 1 over all
    pixels.
    """
    digits = sklearn.datasets.load_digits()
    images = digits.images.astype("float32")
    images = (images - images.mean()) / images.std()
    split = sklearn.model_selection.train_test_split(
        images, digits.target, test_size=360, random_state=0, stratify=digits.target
    )
    train_images, test_images, train_labels, test_labels = split
    return (train_images, train_labels), (test_images, test_labels)


def convolutional_network(initializers, depth=8, filters=32):
    """Returns a stack of 3 x 3 convolutions with ReLU, without normalisation or shortcuts.

    Nothing rescales the activations, so their spread depends only on the initial weights.
    """
    layers = tf.keras.layers
    images = tf.keras.Input([EDGE, EDGE])
    x = layers.Reshape([EDGE, EDGE, 1])(images)
    for i in range(1, depth + 1):
        x = layers.Conv2D(
            filters,
            3,
            padding="same",
            activation="relu",
            kernel_initializer=initializers.HeNormal(),
            name=f"conv{i}",
        )(x)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dense(CLASSES, kernel_initializer=initializers.LecunNormal(), name="logits")(x)
    return tf.keras.Model(images, x)


def transformer(initializers, width=32, heads=4):
    """Returns a model with one transformer block. Its tokens are the rows of an image."""
    layers = tf.keras.layers
    images = tf.keras.Input([EDGE, EDGE])
    # Each row of the image has its own bias, which serves as the position embedding.
    x = layers.EinsumDense(
        "brp,pw->brw",
        [EDGE, width],
        bias_axes="rw",
        kernel_initializer=initializers.LecunNormal(),
        bias_initializer=initializers.GlorotNormal(),
        name="embed",
    )(images)
    attended = layers.LayerNormalization(name="norm1")(x)
    attended = layers.MultiHeadAttention(
        heads, width // heads, kernel_initializer=initializers.GlorotUniform(), name="attn"
    )(attended, attended)
    x = layers.Add(name="residual1")([x, attended])
    hidden = layers.LayerNormalization(name="norm2")(x)
    hidden = layers.Dense(
        4 * width, "relu", kernel_initializer=initializers.HeNormal(), name="expand"
    )(hidden)
    hidden = layers.Dense(width, kernel_initializer=initializers.LecunNormal(), name="contract")(
        hidden
    )
    x = layers.Add(name="residual2")([x, hidden])
    x = layers.GlobalAveragePooling1D()(x)
    x = layers.Dense(CLASSES, kernel_initializer=initializers.LecunNormal(), name="logits")(x)
    return tf.keras.Model(images, x)
