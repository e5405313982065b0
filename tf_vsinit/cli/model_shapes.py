"""The shapes that `python -m tf_vsinit bench` makes variables of: those of two models."""

Shape = tuple[int, ...]


def resnet_50() -> list[Shape]:
    """Returns the shapes of the kernels of ResNet-50, as keras.applications makes them."""
    shapes: list[Shape] = [(7, 7, 3, 64)]
    channels = 64
    for blocks, width in ((3, 64), (4, 128), (6, 256), (3, 512)):
        shapes.append((1, 1, channels, 4 * width))
        for _ in range(blocks):
            shapes += [(1, 1, channels, width), (3, 3, width, width), (1, 1, width, 4 * width)]
            channels = 4 * width
    return [*shapes, (channels, 1000)]


def transformer() -> list[Shape]:
    """Returns the shapes of the embeddings and kernels of a GPT with 10^9 parameters, by Keras."""
    vocabulary, positions, layers, heads, width = 50257, 1024, 18, 16, 2048
    projection = (width, heads, width // heads)
    layer: list[Shape] = [
        *[projection] * 3,
        (heads, width // heads, width),
        (width, 4 * width),
        (4 * width, width),
    ]
    return [(vocabulary, width), (positions, width), *layer * layers]


MODELS: dict[str, list[Shape]] = {
    "ResNet-50": resnet_50(),
    "transformer of 10^9 parameters": transformer(),
}
