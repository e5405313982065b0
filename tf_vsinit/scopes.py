"""`tf_vsinit.scope`, in which stock initializers draw with the op and seeds follow paths.

Keras passes every initializer of a layer to `Layer.add_weight`, whether the user gave a string, an
object or nothing. TensorFlow passes those of `tf.compat.v1.get_variable` to its store of variables.
Neither has a public hook, so a scope replaces these two methods, and the constructor of layers,
which tells it what layers there are. The methods are put back when no thread is in a scope.
"""

import contextlib
import contextvars
import copy
import functools
import inspect
import threading
import types
import weakref
from collections import Counter
from typing import Any

import tensorflow as tf

from tf_vsinit import _tensorflow_private, arguments, initializers, paths
from tf_vsinit.compat.v1 import init_ops

_LAYER_CLASSES, _ = _tensorflow_private.keras_classes()
_STORE = _tensorflow_private.VariableStore

# By the stock class. With Keras 3, `tf.compat.v1.keras` has the classes of Keras 3.
_OUR_CLASSES = (
    {
        getattr(tf.compat.v1.keras.initializers, name): cls
        for name, cls in (
            ("he_normal", init_ops.HeNormal),
            ("he_uniform", init_ops.HeUniform),
            ("lecun_normal", init_ops.LecunNormal),
            ("lecun_uniform", init_ops.LecunUniform),
        )
    }
    | {
        getattr(tf.keras.initializers, cls.__name__): cls
        for cls in (
            initializers.VarianceScaling,
            initializers.GlorotNormal,
            initializers.GlorotUniform,
            initializers.HeNormal,
            initializers.HeUniform,
            initializers.LecunNormal,
            initializers.LecunUniform,
        )
    }
    | {
        tf.compat.v1.variance_scaling_initializer: init_ops.VarianceScaling,
        tf.compat.v1.glorot_normal_initializer: init_ops.GlorotNormal,
        tf.compat.v1.glorot_uniform_initializer: init_ops.GlorotUniform,
    }
)
# The names of the first parameters of `Layer.add_weight`, which callers may leave out.
_POSITIONAL = (
    ("shape", "initializer", "dtype")
    if hasattr(tf.keras, "random")
    else ("name", "shape", "dtype", "initializer")
)


class scope(contextlib.ContextDecorator):  # noqa: N801 (used like tf.name_scope)
    """Within it, stock variance-scaling initializers are those of tf_vsinit.

    A context manager and a decorator. Within it, `kernel_initializer="he_normal"`, the default
    initializer of a layer or of `tf.compat.v1.get_variable`, and objects of the stock classes draw
    with the op. This holds for layers that are made or built in the scope, and so for models of
    `tf.keras.applications` and those that `from_config` and `clone_model` make. A layer that is
    made in the scope may be built later. The attributes of a layer that is built, and so its
    config, have the initializers of tf_vsinit.

    With a seed, each variable has a seed of its own: a hash of the scope's seed and of the
    variable's path in the model, such as `block1/conv2/kernel`. So the values stay the same when
    other layers are added, removed or renamed, and in whatever order layers are built. An
    initializer that was given a seed keeps it. docs/stream.md defines paths and hash.

    A scope counts for the thread that enters it; of nested scopes, the innermost counts. Each time
    a scope is entered, paths start over, so a decorated function makes the same model at each call.

    Args:
      seed: an integer of 64 bits, or None: then `tf.keras.utils.set_random_seed` governs the
        values, as it does without a scope.
      stream: `vsinit`, or `tensorflow` for the values that stock initializers give for the same
        seeds.

    Raises:
      ValueError: for a seed or stream out of its range; when a layer is built, if another layer of
        the scope has the same path; the message names both.
      RuntimeError: if a scope is left that was not entered.

    Example:

    >>> import tensorflow as tf
    >>> import tf_vsinit
    >>> def make_model():
    ...     return tf.keras.Sequential([tf.keras.Input([8]), tf.keras.layers.Dense(4)])
    >>> with tf_vsinit.scope(seed=1):
    ...     model = make_model()
    >>> with tf_vsinit.scope(seed=1):
    ...     again = make_model()
    >>> bool(tf.reduce_all(model.weights[0] == again.weights[0]))
    True
    """

    def __init__(self, seed: int | None = None, stream: str = "vsinit") -> None:
        """Checks the arguments and keeps them."""
        self.seed = None if seed is None else arguments.checked_int_seed(seed)
        self.stream = arguments.checked_stream(stream)
        self._of_thread = threading.local()

    def __enter__(self) -> "scope":
        """Begins the scope."""
        with contextlib.ExitStack() as stack:
            stack.enter_context(_Scope(self.seed, self.stream).entered())
            self._exits().append(stack.pop_all())
        return self

    def __exit__(self, *exception: Any) -> None:
        """Ends it."""
        if not self._exits():
            raise RuntimeError("A tf_vsinit.scope was left more often than it was entered.")
        self._exits().pop().close()

    def _exits(self):
        """Returns what undoes each entry of this thread."""
        return vars(self._of_thread).setdefault("exits", [])


def converted(initializer: Any, stream: str) -> Any:
    """Returns our equal of a stock initializer, one of ours as it is, and None for others."""
    if isinstance(initializer, (initializers.VarianceScaling, init_ops.VarianceScaling)):
        return initializer
    cls = _OUR_CLASSES.get(type(initializer))
    if cls is None:
        return None
    # Our class adds nothing but the stream. Its constructor would draw another seed, or warn.
    ours = cls.__new__(cls)
    for name, value in [*vars(initializer).items(), ("stream", stream)]:
        setattr(ours, name, value)
    return ours


def with_path_seed(initializer: Any, seed: int) -> Any:
    """Returns one of our initializers with the seed of a variable; its config stays the same."""
    seeded = copy.copy(initializer)
    seeded.path_seed = seed
    return seeded


class _Scope:
    """A scope that was entered, and the layers in it."""

    def __init__(self, seed: int | None, stream: str) -> None:
        self._seed = seed
        self._stream = stream
        self._layers: list[weakref.ref] = []
        # Until the scope is left, so that no number of a name is given twice.
        self._held: list[Any] = []
        self._tree: tuple[int, paths.LayerTree | None] = (0, None)
        self._owners: dict[str, weakref.ref] = {}  # The layer whose variable has a path.
        # How many variables of each name a layer has.
        self._counts: weakref.WeakKeyDictionary[Any, Counter[str]] = weakref.WeakKeyDictionary()

    def adopt(self, layer):
        """Makes the layer one of the scope, also when the scope is left before it is built."""
        if layer in _scope_of_layer:
            return
        _scope_of_layer[layer] = self
        self._layers.append(weakref.ref(layer))
        self._held.append(layer)
        _set_build(layer, self)

    @contextlib.contextmanager
    def entered(self):
        """Makes this the scope that counts."""
        with _patches:
            token = _current.set(self)
            try:
                yield
            finally:
                _current.reset(token)
                if token.old_value is not self:
                    # The layers hold this object. If it held them, none would ever be freed.
                    self._held.clear()
                    self._tree = (0, None)

    def convert_arguments(self, layer, args, kwargs):
        """Returns the arguments of `layer.add_weight`, with our initializer for a stock one."""
        if len(args) > len(_POSITIONAL) or set(_POSITIONAL[: len(args)]) & kwargs.keys():
            return args, kwargs  # Keras says what is wrong.
        kwargs = {**dict(zip(_POSITIONAL, args, strict=False)), **kwargs}
        name = self._next_name(layer, kwargs.get("name"))
        given = kwargs.get("initializer")
        if given is None and _is_floating(kwargs.get("dtype"), layer):
            given = "glorot_uniform"
        # An unseeded initializer draws its seed when it is made, so it must be made once.
        stock = kwargs["initializer"] = tf.keras.initializers.get(given)
        ours = converted(stock, self._stream)
        if ours is not None:
            if self._seed is not None and _has_no_seed(stock, layer):
                ours = with_path_seed(ours, self._variable_seed(layer, name))
            kwargs["initializer"] = ours
            for holder in [*self._layer_tree().ancestors(layer), layer]:
                self._convert_attributes(holder, stock, ours)
        return (), kwargs

    def v1_initializer(self, name, dtype, initializer):
        """Returns what `tf.compat.v1.get_variable` is to use for an initializer."""
        if initializer is None and tf.as_dtype(dtype).is_floating:
            initializer = tf.compat.v1.glorot_uniform_initializer
        if isinstance(initializer, type) and initializer in _OUR_CLASSES:
            initializer = initializer()
        ours = converted(initializer, self._stream)
        if ours is None:
            return initializer
        if self._seed is None or not _has_no_seed(initializer):
            return ours
        return with_path_seed(ours, paths.path_seed(self._seed, name))

    def _convert_attributes(self, holder, stock, ours):
        for name, value in vars(holder).items():
            if value is stock:
                vars(holder)[name] = ours
            elif type(value) in _OUR_CLASSES:
                vars(holder)[name] = converted(value, self._stream)

    def _next_name(self, layer, name):
        """Returns what a path calls the variable that a layer makes now."""
        name = paths.variable_name(name)
        counts = self._counts.setdefault(layer, Counter())
        counts[name] += 1
        return paths.numbered(name, counts[name] - 1)

    def _variable_seed(self, layer, name):
        path = f"{self._layer_tree().path(layer)}/{name}"
        owner = self._owners.setdefault(path, weakref.ref(layer))()
        if owner not in (layer, None):
            raise ValueError(
                f"Two variables have the path {path!r} in one tf_vsinit.scope, and would have the "
                f"same values: those of {owner} and of {layer}. Give these layers, or the layers "
                "that contain them, different names, or make each model in a scope of its own."
            )
        return paths.path_seed(self._seed, path)

    def _layer_tree(self):
        if self._tree[0] != len(self._layers):
            layers = [layer for each in self._layers if (layer := each()) is not None]
            self._tree = len(self._layers), paths.LayerTree(layers)
        return self._tree[1]


# The scope that counts for this thread.
_current: contextvars.ContextVar[_Scope | None] = contextvars.ContextVar("scope", default=None)
_scope_of_layer: weakref.WeakKeyDictionary[Any, _Scope] = weakref.WeakKeyDictionary()


def _is_floating(dtype, layer):
    return tf.as_dtype(dtype or layer.variable_dtype or tf.keras.backend.floatx()).is_floating


def _has_no_seed(initializer, layer=None):
    if _tensorflow_private.given_seed(initializer) is None:
        return True
    # EinsumDense passes a copy of its initializer, which has the drawn seed as a given one.
    return layer is not None and any(
        isinstance(value, tf.keras.initializers.VarianceScaling)
        and _tensorflow_private.given_seed(value) is None
        and value.seed == initializer.seed
        for value in vars(layer).values()
    )


def _adopting(init):
    @functools.wraps(init)
    def __init__(self, *args, **kwargs):
        init(self, *args, **kwargs)
        if (current := _current.get()) is not None:
            current.adopt(self)

    # Keras makes configs from signatures, and `functools.wraps` does not change all that it reads.
    __init__.__signature__ = inspect.signature(init)
    return __init__


def _converting(add_weight):
    @functools.wraps(add_weight)
    def converting_add_weight(layer, *args, **kwargs):
        if (current := _current.get()) is not None:
            current.adopt(layer)
            args, kwargs = _scope_of_layer[layer].convert_arguments(layer, args, kwargs)
        return add_weight(layer, *args, **kwargs)

    return converting_add_weight


def _set_build(layer, owner):
    """Has the layer enter its scope when it is built, which may be after the scope is left."""
    if "build" in vars(layer):  # Keras 3 makes one for each layer.
        build = vars(layer)["build"]

        @functools.wraps(build)
        def build_in_scope(*args, **kwargs):
            with owner.entered():
                return build(*args, **kwargs)

        vars(layer)["build"] = build_in_scope
        return

    # MultiHeadAttention of tf_keras makes its layers in the second.
    for name in ("build", "_build_from_signature"):
        if method := getattr(type(layer), name, None):
            # A method, so that the `build` of a copy builds the copy.
            vars(layer)[name] = types.MethodType(_in_scope(method, owner), layer)


def _in_scope(method, owner):
    @functools.wraps(method)
    def method_in_scope(layer, *args, **kwargs):
        with owner.entered():
            return method(layer, *args, **kwargs)

    return method_in_scope


@functools.wraps(_STORE.get_variable)
def _converting_get_variable(store, name, shape=None, dtype=tf.float32, initializer=None, **kwargs):
    if (current := _current.get()) is not None:
        initializer = current.v1_initializer(name, dtype, initializer)
    return _original_get_variable(store, name, shape, dtype, initializer, **kwargs)


_original_get_variable = _STORE.get_variable
_original_init = {cls: cls.__init__ for cls in _LAYER_CLASSES}
_original_add_weight = {cls: cls.add_weight for cls in _LAYER_CLASSES}
_converting_add_weight = {cls: _converting(cls.add_weight) for cls in _LAYER_CLASSES}
_adopting_init = {cls: _adopting(cls.__init__) for cls in _LAYER_CLASSES}


class _Patches:
    """A context manager: within it, in any thread, Keras and TensorFlow ask the current scope."""

    def __init__(self):
        self._lock = threading.Lock()
        self._count = 0

    def __enter__(self):
        with self._lock:
            if not self._count:
                self._set(_adopting_init, _converting_add_weight, _converting_get_variable)
            self._count += 1

    def __exit__(self, *exception):
        with self._lock:
            self._count -= 1
            if not self._count:
                self._set(_original_init, _original_add_weight, _original_get_variable)

    def _set(self, init, add_weight, get_variable):
        for cls in _LAYER_CLASSES:
            cls.__init__ = init[cls]
            cls.add_weight = add_weight[cls]
        _STORE.get_variable = get_variable


_patches = _Patches()
