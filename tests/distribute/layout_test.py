"""The argument `layout` gives a DTensor, and each device draws its own shard."""

import contextlib
import functools
import itertools
from unittest import mock

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized
from tensorflow.dtensor.python import api
from tensorflow.experimental import dtensor

import tf_vsinit
from tests.support import legacy_keras
from tf_vsinit import functional, reference

DEVICES = 6
# Every axis divides into 1, 2, 3 and 6 shards.
SHAPES = ((), (12,), (6, 12), (12, 6, 6), (6, 12, 6, 6))
STREAMS = ("vsinit", "tensorflow")
MESHES = (
    (("x", 6),),
    (("x", 1),),
    (("x", 3), ("y", 2)),
    (("x", 1), ("y", 6)),
    (("x", 3), ("y", 1), ("z", 2)),
)


def setUpModule():
    # Another test in this process may have used TensorFlow already.
    dtensor.initialize_accelerator_system(
        "CPU", num_logical_cpu_devices=DEVICES, experimental_reset_context=True
    )


def tearDownModule():
    dtensor.shutdown_accelerator_system()
    api._reset()  # Otherwise the next test in this process meets a device that is gone.


def mesh_of(*dimensions):
    count = int(np.prod([size for _, size in dimensions]))
    return dtensor.create_mesh(list(dimensions), devices=[f"CPU:{i}" for i in range(count)])


def two_by_three():
    return mesh_of(("x", 3), ("y", 2))


def layouts_of(mesh, rank):
    """Returns all layouts of a rank: every way to cut axes by distinct mesh dimensions."""
    choices = itertools.product([None, *mesh.dim_names], repeat=rank)
    return [
        dtensor.Layout([name or dtensor.UNSHARDED for name in names], mesh)
        for names in choices
        if len(set(filter(None, names))) == len(list(filter(None, names)))
    ]


def expected_shards(whole, layout):
    """Cuts an array with NumPy. Devices are numbered row-major in the mesh."""
    mesh = layout.mesh
    sizes = dict(zip(mesh.dim_names, mesh.shape(), strict=True))
    for number in range(mesh.size):
        places = np.unravel_index(number, mesh.shape()) if sizes else ()
        place = dict(zip(mesh.dim_names, places, strict=True))
        box = []
        for extent, name in zip(whole.shape, layout.sharding_specs, strict=True):
            count = 1 if name == dtensor.UNSHARDED else extent // sizes[name]
            first = 0 if name == dtensor.UNSHARDED else place[name] * count
            box.append(slice(None) if name == dtensor.UNSHARDED else slice(first, first + count))
        yield whole[tuple(box)]


def gathered(value):
    """Returns a DTensor, or a variable of one, as an array that DTensor gathers."""
    value = tf.convert_to_tensor(value)
    replicated = dtensor.Layout.replicated(dtensor.fetch_layout(value).mesh, value.shape.rank)
    return dtensor.unpack(dtensor.relayout(value, replicated))[0].numpy()


@contextlib.contextmanager
def drawn():
    """Collects the device and the number of elements of every tensor that the op draws."""
    op, made = functional._op, []

    def recording(*args, **kwargs):
        output = op(*args, **kwargs)
        made.append((output.device, output.shape.num_elements()))
        return output

    with mock.patch.object(functional, "_op", recording):
        yield made


def he_normal(shape, seed=(1, 0), **options):
    return reference.stateless_variance_scaling(shape, seed, scale=2.0, **options)


class LayoutTestCase(parameterized.TestCase):
    def assert_is(self, value, whole, layout):
        """Checks the shards of a DTensor against those that NumPy cuts from an array."""
        self.assertTrue(dtensor.is_dtensor(value))
        self.assertEqual(dtensor.fetch_layout(value), layout)
        self.assertEqual(value.shape, whole.shape)
        shards = dtensor.unpack(value)
        self.assertEqual([shard.device for shard in shards], layout.mesh.local_devices())
        for shard, expected in zip(shards, expected_shards(whole, layout), strict=True):
            np.testing.assert_array_equal(shard, expected)

    def assert_draws_shards_of(self, made, layout, shape):
        """Checks that each device has drawn once, and no more than its shard."""
        shards = [layout.num_shards(axis) for axis in range(len(shape))]
        count = int(np.prod(shape)) // int(np.prod(shards))
        self.assertEqual(made, [(device, count) for device in layout.mesh.local_devices()])


class EveryLayoutTest(LayoutTestCase):
    @parameterized.parameters(itertools.product(MESHES, SHAPES))
    def test_shards_are_those_of_the_unsharded_tensor(self, dimensions, shape):
        mesh = mesh_of(*dimensions)
        whole = he_normal(shape)
        initializer = tf_vsinit.HeNormal(seed=1)
        for layout in layouts_of(mesh, len(shape)):
            with drawn() as made:
                value = initializer(shape, layout=layout)
            self.assert_is(value, whole, layout)
            self.assert_draws_shards_of(made, layout, shape)

    def test_layouts_of_finds_all_layouts(self):
        layouts = layouts_of(mesh_of(("x", 3), ("y", 1), ("z", 2)), 4)
        self.assertLen(set(layouts), 73)  # The sum over k of C(4, k) * 3! / (3 - k)!
        self.assertIn(["z", "unsharded", "y", "x"], [layout.sharding_specs for layout in layouts])

    @parameterized.parameters(0, 1, 2)
    def test_dtensor_gathers_the_unsharded_tensor(self, index):
        layout = dtensor.Layout(
            [["x", "y"], ["unsharded", "x"], ["y", "unsharded"]][index], two_by_three()
        )
        value = tf_vsinit.HeNormal(seed=1)([6, 12], layout=layout)
        np.testing.assert_array_equal(gathered(value), he_normal([6, 12]))

    @parameterized.parameters(
        itertools.product(
            ("GlorotNormal", "GlorotUniform", "HeUniform", "LecunNormal", "LecunUniform"),
            ("float16", "bfloat16", "float32", "float64"),
        )
    )
    def test_every_initializer_and_dtype(self, name, dtype):
        layout = dtensor.Layout(["x", "unsharded", "y"], two_by_three())
        initializer = getattr(tf_vsinit, name)(seed=-3)
        whole = initializer([9, 5, 8], dtype).numpy()
        self.assert_is(initializer([9, 5, 8], dtype, layout), whole, layout)
        like_stock = getattr(tf_vsinit, name)(seed=-3, stream="tensorflow")
        stock = getattr(tf.keras.initializers, name)(seed=-3)
        whole = stock([9, 5, 8], dtype).numpy()
        self.assert_is(like_stock([9, 5, 8], dtype, layout), whole, layout)

    def test_every_argument_of_variance_scaling(self):
        layout = dtensor.Layout(["x", "y"], two_by_three())
        options = dict(scale=0.3, mode="fan_out", distribution="untruncated_normal")
        whole = reference.stateless_variance_scaling([6, 4], [5, 0], **options)
        self.assert_is(
            tf_vsinit.VarianceScaling(seed=5, **options)([6, 4], layout=layout), whole, layout
        )

    @absltest.skipUnless(legacy_keras.HAS_AXES, "this Keras has no axes")
    def test_fans_are_those_of_the_given_axes_of_the_whole(self):
        layout = dtensor.Layout(["x", "unsharded", "y"], two_by_three())
        axes = dict(input_axes=[0], output_axes=[1, 2])
        whole = reference.stateless_variance_scaling([6, 4, 2], [5, 0], scale=2.0, **axes)
        self.assert_is(tf_vsinit.HeNormal(seed=5, **axes)([6, 4, 2], layout=layout), whole, layout)

    def test_an_empty_variable(self):
        layout = dtensor.Layout(["x", "y"], two_by_three())
        value = tf_vsinit.HeNormal(seed=1)([0, 4], layout=layout)
        self.assert_is(value, np.zeros([0, 4], np.float32), layout)

    @parameterized.parameters(
        dict(shape=tf.TensorShape([6, 4])), dict(shape=(6, 4)), dict(shape=np.array([6, 4]))
    )
    def test_every_form_of_shape_is_accepted(self, shape):
        layout = dtensor.Layout(["x", "y"], two_by_three())
        self.assert_is(tf_vsinit.HeNormal(seed=1)(shape, layout=layout), he_normal([6, 4]), layout)

    def test_a_shape_that_is_a_tensor(self):
        layout = dtensor.Layout(["x", "y"], two_by_three())
        value = tf_vsinit.HeNormal(seed=1)(tf.constant([6, 4]), layout=layout)
        self.assert_is(value, he_normal([6, 4]), layout)


class EveryMeshTest(LayoutTestCase):
    """Meshes that `dtensor.create_mesh` does not make."""

    def check(self, ids, local_ids, devices):
        names = [f"/job:localhost/replica:0/task:0/device:CPU:{i}" for i in devices]
        mesh = dtensor.Mesh(["x", "y"], np.array(ids), local_ids, names)
        layout = dtensor.Layout(["y", "x"], mesh)
        value = tf_vsinit.HeNormal(seed=1)([8, 6], layout=layout)
        self.assertEqual([p.device for p in dtensor.unpack(value)], names)
        np.testing.assert_array_equal(gathered(value), he_normal([8, 6]))

    def test_devices_in_another_order(self):
        self.check([[0, 1], [2, 3]], [0, 1, 2, 3], devices=[3, 0, 2, 1])

    def test_local_devices_in_another_order_than_the_mesh(self):
        self.check([[0, 1], [2, 3]], [2, 0, 3, 1], devices=[2, 0, 3, 1])

    def test_device_ids_that_do_not_start_at_0(self):
        layout = dtensor.Layout(
            ["x"],
            dtensor.Mesh(
                ["x"],
                np.arange(4, 8),
                [4, 5, 6, 7],
                [f"/job:localhost/replica:0/task:0/device:CPU:{i}" for i in range(4)],
            ),
        )
        value = tf_vsinit.HeNormal(seed=1)([8], layout=layout)
        self.assert_is(value, he_normal([8]), layout)


class WhereTest(LayoutTestCase):
    """Where a draw can make a DTensor, and what can hold it."""

    def setUp(self):
        super().setUp()
        self.layout = dtensor.Layout(["x", "y"], two_by_three())
        self.initializer = tf_vsinit.HeNormal(seed=1)
        self.whole = he_normal([6, 4])

    def test_variable(self):
        draw = functools.partial(self.initializer, [6, 4], layout=self.layout)
        for initial_value in (draw, draw()):
            variable = dtensor.DVariable(initial_value)
            self.assertEqual(variable.layout, self.layout)
            self.assert_is(variable.read_value(), self.whole, self.layout)

    def test_call_with_layout_of_dtensor(self):
        with drawn() as made:
            value = dtensor.call_with_layout(self.initializer, self.layout, [6, 4])
        self.assert_is(value, self.whole, self.layout)
        self.assert_draws_shards_of(made, self.layout, [6, 4])

    def test_call_with_layout_of_a_function(self):
        function = tf.function(functools.partial(self.initializer, [6, 4]))
        with drawn() as made:
            value = dtensor.call_with_layout(function, self.layout)
        self.assert_is(value, self.whole, self.layout)
        self.assert_draws_shards_of(made, self.layout, [6, 4])

    def test_the_argument_overrides_call_with_layout(self):
        other = dtensor.Layout(["y", "x"], two_by_three())
        draw = functools.partial(self.initializer, [6, 6], layout=other)
        self.assert_is(dtensor.call_with_layout(draw, self.layout), he_normal([6, 6]), other)

    def test_a_call_after_call_with_layout_is_ordinary(self):
        dtensor.call_with_layout(self.initializer, self.layout, [6, 4])
        self.assertFalse(dtensor.is_dtensor(self.initializer([6, 4])))

    def test_inside_a_default_mesh(self):
        with dtensor.default_mesh(mesh_of(("other", 6))):
            value = self.initializer([6, 4], layout=self.layout)
        self.assert_is(value, self.whole, self.layout)

    def test_a_function_draws_the_shards_once_while_it_is_traced(self):
        function = tf.function(lambda: self.initializer([6, 4], layout=self.layout))
        with drawn() as made:
            first = function()
            second = function()
        self.assert_draws_shards_of(made, self.layout, [6, 4])
        self.assert_is(first, self.whole, self.layout)
        self.assert_is(second, self.whole, self.layout)

    @parameterized.parameters(None, True)
    def test_a_function_computes_with_the_dtensor(self, jit_compile):
        @tf.function(jit_compile=jit_compile)
        def scaled(factor):
            return factor * self.initializer(factor.shape, layout=self.layout)

        twos = dtensor.call_with_layout(tf.fill, self.layout, [6, 4], 2.0)
        self.assert_is(scaled(twos), 2 * self.whole, self.layout)

    def test_assignment_in_a_function(self):
        variable = dtensor.DVariable(dtensor.call_with_layout(tf.zeros, self.layout, [6, 4]))

        @tf.function
        def reset():
            variable.assign(self.initializer([6, 4], layout=self.layout))

        reset()
        self.assert_is(variable.read_value(), self.whole, self.layout)

    def test_gradient_step(self):
        variable = dtensor.DVariable(self.initializer([6, 4], layout=self.layout))
        with dtensor.default_mesh(self.layout.mesh):
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(variable * variable)
            variable.assign_sub(0.25 * tape.gradient(loss, variable))
        self.assert_is(variable.read_value(), self.whole / 2, self.layout)


class SeedTest(LayoutTestCase):
    def setUp(self):
        super().setUp()
        self.layout = dtensor.Layout(["x", "y"], two_by_three())

    def test_no_seed_is_one_seed_for_all_shards(self):
        tf.keras.utils.set_random_seed(3)
        first, second = tf_vsinit.HeNormal(), tf_vsinit.HeNormal()
        value = first([6, 4], layout=self.layout)
        tf.keras.utils.set_random_seed(3)
        whole = tf_vsinit.HeNormal()([6, 4]).numpy()
        self.assert_is(value, whole, self.layout)
        self.assertFalse(np.array_equal(gathered(second([6, 4], layout=self.layout)), whole))

    @parameterized.parameters(*STREAMS)
    @absltest.skipIf(legacy_keras.IN_USE, "tf_keras has no seed generators")
    def test_a_generator_gives_one_seed_for_all_devices(self, stream):
        generator = tf.keras.random.SeedGenerator(5)
        initializer = tf_vsinit.HeNormal(seed=generator, stream=stream)
        for count in range(3):
            expected = he_normal([6, 4], (5, count), stream=stream)
            self.assert_is(initializer([6, 4], layout=self.layout), expected, self.layout)

    @parameterized.parameters(*STREAMS)
    @absltest.skipIf(legacy_keras.IN_USE, "tf_keras has no seed generators")
    def test_a_generator_that_is_on_a_mesh(self, stream):
        with dtensor.default_mesh(self.layout.mesh):
            generator = tf.keras.random.SeedGenerator(5)
            initializer = tf_vsinit.HeNormal(seed=generator, stream=stream)
            value = initializer([6, 4], layout=self.layout)
        self.assert_is(value, he_normal([6, 4], (5, 0), stream=stream), self.layout)

    @absltest.skipIf(legacy_keras.IN_USE, "tf_keras has no seed generators")
    def test_a_generator_in_a_function_is_an_error(self):
        initializer = tf_vsinit.HeNormal(seed=tf.keras.random.SeedGenerator(5))
        function = tf.function(lambda: initializer([6, 4], layout=self.layout))
        with self.assertRaisesRegex(ValueError, "`layout`.*seed"):
            function()

    @parameterized.parameters(2**64, -(2**63) - 1)
    def test_an_error_names_a_seed_beyond_64_bits(self, seed):
        with self.assertRaisesRegex(ValueError, f"`seed`.*{seed}"):
            tf_vsinit.HeNormal(seed=seed)([6, 4], layout=self.layout)


class FunctionalOpTest(LayoutTestCase):
    """DTensor does not know the op, so it runs the op whole."""

    def setUp(self):
        super().setUp()
        self.layout = dtensor.Layout(["x", "y"], two_by_three())
        self.draw = functools.partial(
            tf_vsinit.stateless_variance_scaling, [6, 4], [1, 0], scale=2.0
        )
        self.initializer = functools.partial(tf_vsinit.HeNormal(seed=1), [6, 4])
        self.stock = functools.partial(tf.keras.initializers.HeNormal(seed=1), [6, 4])

    def test_eager_mode_gives_an_ordinary_tensor(self):
        value = dtensor.call_with_layout(self.draw, self.layout)
        self.assertFalse(dtensor.is_dtensor(value))
        np.testing.assert_array_equal(value, he_normal([6, 4]))

    def functions(self, draw):
        """Yields functions that draw in `call_with_layout`. All but the first read a DTensor."""
        zeros = dtensor.call_with_layout(tf.zeros, self.layout, [6, 4])

        def values():
            return dtensor.call_with_layout(draw, self.layout)

        yield tf.function(values)
        yield functools.partial(tf.function(lambda _: values()), zeros)
        yield tf.function(lambda: zeros + values())

    # In a function, DTensor does not pass the layout to initializers either.
    @parameterized.parameters("draw", "initializer")
    def test_a_function_cuts_the_whole(self, name):
        draw = getattr(self, name)
        in_a_mesh, with_an_input, with_a_capture = self.functions(draw)
        for function, scope in (
            (in_a_mesh, dtensor.default_mesh(self.layout.mesh)),
            (with_an_input, contextlib.nullcontext()),
            (with_a_capture, contextlib.nullcontext()),
        ):
            with drawn() as made, scope:
                value = function()
            self.assert_is(value, he_normal([6, 4]), self.layout)
            self.assertEqual([count for _, count in made], [24])

    @parameterized.parameters("draw", "initializer", "stock")
    def test_a_function_without_a_dtensor_or_a_mesh_fails_as_with_stock(self, name):
        function, *_ = self.functions(getattr(self, name))
        with self.assertRaisesRegex(
            tf.errors.InvalidArgumentError, "No OpKernel was registered to support Op 'Relayout'"
        ):
            function()


class BadLayoutTest(LayoutTestCase):
    """A bad layout is an error that names it."""

    def setUp(self):
        super().setUp()
        self.mesh = two_by_three()
        self.initializer = tf_vsinit.HeNormal(seed=1)

    def assert_error(self, shape, layout, *words, **kwargs):
        with drawn() as made, self.assertRaises(ValueError) as caught:
            self.initializer(shape, layout=layout, **kwargs)
        for word in ("Argument `layout`", *words):
            self.assertIn(word, str(caught.exception))
        self.assertEmpty(made)

    @parameterized.parameters(((6,),), ((6, 4, 2),), ((),))
    def test_a_layout_of_another_rank(self, shape):
        layout = dtensor.Layout(["x", "y"], self.mesh)
        self.assert_error(shape, layout, f"{len(shape)} axes", str(list(shape)), repr(layout))

    @parameterized.parameters(
        dict(shape=[7, 4], axis=0, shards=3), dict(shape=[6, 5], axis=1, shards=2)
    )
    def test_a_layout_that_cuts_an_axis_unequally(self, shape, axis, shards):
        layout = dtensor.Layout(["x", "y"], self.mesh)
        self.assert_error(
            shape,
            layout,
            "equal shards",
            f"axis {axis} of shape={shape} has {shape[axis]} elements for {shards} shards",
            repr(layout),
        )

    def test_a_layout_with_a_partition(self):
        layout = dtensor.Layout(["x", "y"], self.mesh)
        for partition in (
            dict(partition_shape=[2, 4], partition_offset=[0, 0]),
            dict(partition_shape=[2, 4]),
            dict(partition_offset=[0, 0]),
        ):
            values = [f"{name}={value}" for name, value in partition.items()]
            self.assert_error([6, 4], layout, repr(layout), *values, **partition)

    def test_a_partition_inside_call_with_layout(self):
        layout = dtensor.Layout(["x", "y"], self.mesh)
        with self.assertRaisesRegex(ValueError, "`layout`.*`partition_shape`"):
            dtensor.call_with_layout(
                self.initializer,
                layout,
                [6, 4],
                partition_shape=[2, 4],
                partition_offset=[0, 0],
            )

    @parameterized.parameters("x", 3, [["x", "y"]], False)
    def test_a_layout_of_another_type(self, layout):
        self.assert_error([6, 4], layout, "tf.experimental.dtensor.Layout", repr(layout))

    def test_a_layout_with_match(self):
        layout = dtensor.Layout([dtensor.MATCH, "x"], self.mesh)
        self.assert_error([6, 4], layout, "UNSHARDED", repr(layout))

    def test_a_layout_of_one_device_without_a_mesh(self):
        layout = dtensor.Layout.from_device("/job:localhost/replica:0/task:0/device:CPU:0")
        self.assert_error([6, 4], layout, "mesh of named dimensions", repr(layout))

    def test_a_layout_in_a_v1_graph(self):
        layout = dtensor.Layout(["x", "y"], self.mesh)
        with tf.Graph().as_default():
            self.assert_error([6, 4], layout, "v1 graph")

    def test_a_layout_for_an_unknown_shape(self):
        layout = dtensor.Layout(["x", "y"], self.mesh)
        function = tf.function(lambda shape: self.initializer(shape, layout=layout))
        with self.assertRaisesRegex(ValueError, "`layout`.*shape is not known"):
            function(tf.constant([6, 4]))

    def test_errors_of_other_arguments_name_them(self):
        layout = dtensor.Layout(["x", "y"], self.mesh)
        with self.assertRaisesRegex(ValueError, r"`shape`.*\[-6, 4\]"):
            self.initializer([-6, 4], layout=layout)
        with self.assertRaisesRegex(ValueError, "`dtype`.*int32"):
            self.initializer([6, 4], "int32", layout=layout)


class LegacyKerasTest(legacy_keras.LegacyKerasTest):
    """Runs this file with tf_keras."""


if __name__ == "__main__":
    absltest.main()
