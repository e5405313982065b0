"""Initialises two models with tf_vsinit, trains them beside stock Keras, and draws one gibibyte.

`make demo` runs this program. `--quick` makes everything smaller and takes seconds.
"""

import argparse
import functools
import os
import pathlib
import statistics
import time
import types

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import demo_figure
import digits_models
import large_tensor
import rich.box
import rich.console
import rich.table
import tensorflow as tf

import tf_vsinit
from tf_vsinit import records

SEED = 1
FIGURE = pathlib.Path("out/demo.png")
MODELS = {
    "convolutional network": digits_models.convolutional_network,
    "transformer": digits_models.transformer,
}
LAYERS_SHOWN = {
    "convolutional network": [f"conv{i}" for i in range(1, 9)] + ["logits"],
    "transformer": ["embed", "attn", "residual1", "expand", "contract", "residual2", "logits"],
}
OURS, STOCK = "tf_vsinit", "tf.keras"
INITIALIZERS = {OURS: tf_vsinit, STOCK: tf.keras.initializers}
# For comparison, the same models without variance scaling: Keras's normal with its default stddev.
UNSCALED = types.SimpleNamespace(
    **dict.fromkeys(
        ("HeNormal", "LecunNormal", "GlorotNormal", "GlorotUniform"),
        tf.keras.initializers.RandomNormal,
    )
)

console = rich.console.Console(highlight=False)


def build(model_name, initializers, seed=SEED):
    """Returns a new model. The same arguments give the same initial values."""
    tf.keras.utils.set_random_seed(seed)
    return MODELS[model_name](initializers)


def table(*columns):
    """Returns an empty table. A heading that starts with '>' aligns its column to the right."""
    result = rich.table.Table(box=rich.box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    for heading in columns:
        justify = "right" if heading.startswith(">") else "left"
        result.add_column(heading.lstrip(">"), justify=justify, no_wrap=True)
    return result


# --- Every variable ----------------------------------------------------------------------------


def show_variables(model_name):
    console.print(f"\nThe {model_name}\n", style="bold")
    # Without Rich, which would break long lines where there is no terminal.
    print(tf_vsinit.inspect(build(model_name, tf_vsinit)))


# --- Training, and stock Keras for comparison --------------------------------------------------


def median_milliseconds(function, repeats):
    seconds = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - start)
    return 1000 * statistics.median(seconds[1:])  # The first warms up.


def drawer(model):
    """Returns a function that draws the values of all variables again, except constants."""
    drawn = [
        (record.initializer, record.variable.shape)
        for record in records.variable_records(model)
        if isinstance(record.initializer, tf.keras.initializers.VarianceScaling)
    ]

    def draw():
        for initializer, shape in drawn:
            initializer(shape)

    return draw


def train(model, data, epochs):
    """Returns the seconds taken and the accuracy on the test images."""
    (images, labels), (test_images, test_labels) = data
    model.compile(
        optimizer=tf.keras.optimizers.Adam(2e-3),
        loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    start = time.perf_counter()
    model.fit(images, labels, batch_size=64, epochs=epochs, verbose=0)
    seconds = time.perf_counter() - start
    return seconds, model.evaluate(test_images, test_labels, verbose=0)[1]


def show_training(data, epochs, repeats):
    """Trains each model with the initializers of tf_vsinit and with those of stock Keras."""
    rows = table("model", "initializers", ">accuracy", ">trained", ">built", ">drawn")
    for model_name in MODELS:
        for label, initializers in INITIALIZERS.items():
            with console.status(f"Training the {model_name} with {label}"):
                build_this = functools.partial(build, model_name, initializers)
                building = median_milliseconds(build_this, repeats)
                model = build_this()
                drawing = median_milliseconds(drawer(model), 10 * repeats)
                seconds, accuracy = train(model, data, epochs)
            rows.add_row(
                model_name,
                label,
                f"{accuracy:.1%}",
                f"{seconds:.1f} s",
                f"{building:.1f} ms",
                f"{drawing:.2f} ms",
            )
    console.print(rows)


# --- The figure --------------------------------------------------------------------------------


def write_figure(path, images, samples, models):
    series = {
        "tf.keras": tf.keras.initializers,
        "tf_vsinit": tf_vsinit,
        "RandomNormal(stddev=0.05)": UNSCALED,
    }
    spreads = {
        model_name: {
            label: activation_spreads(model_name, initializers, images, models)
            for label, initializers in series.items()
        }
        for model_name in MODELS
    }
    demo_figure.write_figure(path, samples, spreads)


def activation_spreads(model_name, initializers, images, models):
    """Returns layer -> standard deviation of its output in each of `models` new models."""
    layers = LAYERS_SHOWN[model_name]
    spreads = [
        demo_figure.activation_spread(build(model_name, initializers, SEED + i), layers, images)
        for i in range(models)
    ]
    return {layer: [spread[layer] for spread in spreads] for layer in layers}


# --- A gibibyte --------------------------------------------------------------------------------


def show_large_tensor(edge):
    seconds = large_tensor.compare(console, edge)
    stock = seconds[large_tensor.STOCK]
    rows = table("he_normal", ">time", ">million values/s", ">times stock")
    for label, taken in seconds.items():
        rows.add_row(
            label, f"{taken:.2f} s", f"{edge**2 / taken / 1e6:,.0f}", f"{stock / taken:.1f}"
        )
    console.print(rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="make everything smaller")
    quick = parser.parse_args().quick
    start = time.perf_counter()
    data = digits_models.load_digits()
    (train_images, _), (test_images, _) = data

    heading("1. Every variable that tf_vsinit initialised")
    console.print(
        "fans: fan_in and fan_out. wanted, found: the standard deviation of the values, by "
        "definition and as measured. as designed: found is within 5 standard errors of wanted."
    )
    for model_name in MODELS:
        show_variables(model_name)

    epochs = 2 if quick else 8
    heading(f"2. Training on {len(train_images)} digits for {epochs} epochs, and stock Keras")
    show_training(data, epochs, repeats=1 if quick else 5)
    console.print(
        f"\naccuracy: on {len(test_images)} other digits. built: the time to make the model, with "
        "Keras's own work. drawn: the part of it that the initializers take. Both are medians of "
        "repeated runs after a warm-up. The accuracies differ by chance: tf_vsinit draws other "
        "values from the same distributions (only GlorotUniform has the same bits)."
    )

    heading("3. The figure")
    write_figure(FIGURE, test_images, 100_000 if quick else 2_000_000, models=2 if quick else 8)
    console.print(f"{FIGURE}: the distributions drawn, and the spread of activations by layer")

    edge = 2048 if quick else 16384
    heading(f"4. One tensor of {edge} x {edge} float32: {edge**2 >> 18} MiB")
    show_large_tensor(edge)
    console.print(
        "\nThe boxes equal the whole tensor bit for bit: every value was compared. Their time "
        "includes copying them into the array. The times of one call are the faster of two."
    )
    console.print(f"\nDone in {time.perf_counter() - start:.0f} s.")


def heading(text):
    console.print()
    console.rule(f"[bold]{text}", align="left")
    console.print()


if __name__ == "__main__":
    main()
