"""Drawing a variable again."""

from typing import Any

from tf_vsinit import functional
from tf_vsinit.box import make_box


def redraw(variable: Any, seed: Any, **options: Any) -> None:
    """Gives a variable the values that `functional.draw` draws for its shape and dtype."""
    box = make_box(variable.shape)
    variable.assign(functional.draw(box, seed, dtype=variable.dtype, **options))
