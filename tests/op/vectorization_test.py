"""One call for many seeds, by tf.vectorized_map or by the op, has the values of single draws."""

import itertools

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

import tf_vsinit
from tests.support import xla
from tests.support.bits import assert_same_bits

DTYPES = (tf.float16, tf.bfloat16, tf.float32, tf.float64)
DISTRIBUTIONS = ("truncated_normal", "untruncated_normal", "uniform")
SEEDS = tf.constant([[i, 7] for i in range(5)], tf.int64)
WAYS = ["eager", "graph", "compiled"]
if not xla.IS_SUPPORTED:
    WAYS.remove("compiled")
# Shape, begin, size.
BOXES = (
    ((6, 4), (0, 0), (6, 4)),
    ((), (), ()),
    ((0, 4), (0, 0), (0, 4)),
    ((257, 131), (5, 7), (100, 64)),
    # More than one unit of work for each seed. The last unit is incomplete.
    ((300, 201), (1, 0), (299, 200)),
    ((2**25, 2**25), (2**25 - 3, 2**25 - 9), (3, 9)),
)

draw = tf_vsinit.stateless_variance_scaling
op = tf_vsinit.load().vsinit_stateless_variance_scaling


def run(way, function, *args):
    if way != "eager":
        function = tf.function(function, jit_compile=way == "compiled", autograph=False)
    return function(*args)


def nodes_of(function, *args):
    """Returns all nodes in the graph of a function."""
    graph = tf.function(function, autograph=False).get_concrete_function(*args).graph.as_graph_def()
    return itertools.chain(graph.node, *(inner.node_def for inner in graph.library.function))


class VectorizedMapTest(parameterized.TestCase):
    def check_same(self, found, wanted):
        self.assertEqual(found.shape, wanted.shape)
        assert_same_bits(found, wanted)

    @parameterized.parameters(
        *itertools.product(WAYS, DISTRIBUTIONS, DTYPES, ("vsinit",)),
        *itertools.product(WAYS, DISTRIBUTIONS, (tf.bfloat16, tf.float64), ("tensorflow",)),
    )
    def test_a_map_over_seeds(self, way, distribution, dtype, stream):
        options = dict(distribution=distribution, dtype=dtype, stream=stream)
        for shape, begin, size in BOXES:
            member = lambda seed, box=(shape, begin, size): draw(  # noqa: E731
                box[0], seed, begin=box[1], size=box[2], **options
            )
            found = run(way, lambda seeds, f=member: tf.vectorized_map(f, seeds), SEEDS)
            self.check_same(found, tf.stack([member(seed) for seed in SEEDS]))

    @parameterized.parameters(*WAYS)
    def test_a_map_that_computes_int32_seeds_and_has_other_options(self, way):
        def member(i):
            return 2.0 * draw(
                [3, 8, 6], tf.stack([i, -i]), mode="fan_avg", input_axes=[1], output_axes=[0, 2]
            )

        found = run(way, lambda i: tf.vectorized_map(member, i), tf.range(4))
        self.check_same(found, tf.stack([member(i) for i in tf.range(4)]))

    @parameterized.parameters(*WAYS)
    def test_a_map_inside_a_map(self, way):
        members = lambda seeds: tf.vectorized_map(lambda s: draw([6, 4], s), seeds)  # noqa: E731
        pairs = tf.reshape(SEEDS[:4], [2, 2, 2])
        found = run(way, lambda pairs: tf.vectorized_map(members, pairs), pairs)
        wanted = tf.stack([draw([6, 4], seed) for seed in SEEDS[:4]])
        self.check_same(found, tf.reshape(wanted, [2, 2, 6, 4]))

    @xla.needs_xla
    def test_a_map_is_one_call_without_a_loop(self):
        member = lambda seed: draw([6, 4], seed)  # noqa: E731
        nodes = list(nodes_of(lambda seeds: tf.vectorized_map(member, seeds), SEEDS))
        self.assertLen([node for node in nodes if node.attr["batch"].b], 1)
        self.assertEmpty([node.op for node in nodes if "While" in node.op or "Map" in node.op])
        compiled = tf.function(lambda seeds: tf.vectorized_map(member, seeds), jit_compile=True)
        hlo = compiled.experimental_get_compiler_ir(SEEDS)(stage="optimized_hlo")
        self.assertRegex(hlo, r"ROOT .* = f32\[5,6,4\]\{2,1,0\} custom-call\(")
        self.assertEqual(hlo.count("custom-call("), 1)

    def test_a_map_of_a_tf_function(self):
        for jit_compile in (False, True) if xla.IS_SUPPORTED else (False,):
            member = tf.function(lambda seed: draw([6, 4], seed), jit_compile=jit_compile)
            self.check_same(tf.vectorized_map(member, SEEDS), tf.stack([*map(member, SEEDS)]))

    def test_shape_and_number_of_seeds_known_only_at_run_time(self):
        @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.int64), tf.TensorSpec([2])])
        def members(seeds, shape):
            shape = tf.cast(shape, tf.int32)
            return tf.vectorized_map(lambda seed: draw(shape, seed), seeds)

        wanted = tf.stack([draw([6, 4], seed) for seed in SEEDS])
        self.check_same(members(SEEDS, [6.0, 4.0]), wanted)
        self.check_same(members(SEEDS[:2], [6.0, 4.0]), wanted[:2])
        self.assertEqual(members(SEEDS[:0], [6.0, 4.0]).shape, [0, 6, 4])

    def test_other_arguments_that_differ_are_drawn_in_a_loop(self):
        rows = tf.vectorized_map(
            lambda row: draw([6, 4], [1, 2], begin=tf.stack([row, 0]), size=[1, 4])[0], tf.range(6)
        )
        self.check_same(rows, draw([6, 4], [1, 2]))
        scaled = lambda seed, scale: draw([6, 4], seed, scale=scale)  # noqa: E731
        scales = tf.constant([1.0, 2.0, 3.0, 4.0, 5.0])
        found = tf.vectorized_map(lambda pair: scaled(*pair), (SEEDS, scales))
        wanted = tf.stack([scaled(*pair) for pair in zip(SEEDS, scales, strict=True)])
        self.check_same(found, wanted)

    def test_a_draw_that_is_not_mapped_happens_once(self):
        found = tf.vectorized_map(lambda seed: draw([6, 4], [1, 2]) + 0.0 * seed, tf.zeros([3]))
        for member in found:
            np.testing.assert_array_equal(member, draw([6, 4], [1, 2]))

    def test_a_batch_larger_than_the_caches(self):
        seeds = tf.constant([[i, 1] for i in range(3)], tf.int64)
        # With an odd number of elements, the members begin between pages.
        found = tf.vectorized_map(lambda seed: draw([1501, 1003], seed), seeds)
        for i, seed in enumerate(seeds):
            assert_same_bits(found[i], draw([1501, 1003], seed))


class BatchTest(parameterized.TestCase):
    """The op's attribute `batch`."""

    def call(self, seed, **attributes):
        box = tf.constant([6, 4])
        return op(box, seed, tf.zeros_like(box), box, tf.constant(1.0, tf.float64), **attributes)

    @parameterized.parameters(*WAYS)
    def test_no_seeds(self, way):
        found = run(way, lambda seed: self.call(seed, batch=True), tf.zeros([0, 2], tf.int64))
        self.assertEqual(found.shape, [0, 6, 4])

    @parameterized.parameters(tf.int32, tf.int64)
    def test_seeds_of_both_integer_types(self, dtype):
        seeds = tf.constant([[1, -2], [-(2**31), 2**31 - 1]], dtype)
        for way in WAYS:
            found = run(way, lambda seeds: self.call(seeds, batch=True), seeds)
            wanted = tf.stack([draw([6, 4], seed) for seed in seeds])
            assert_same_bits(found, wanted)

    @parameterized.parameters(*itertools.product(WAYS, ([1, 2], [[1, 2, 3]], [[[1, 2]]])))
    def test_seeds_of_a_wrong_shape_are_an_error(self, way, seed):
        call = tf.function(
            lambda seed: self.call(seed, batch=True),
            jit_compile=way == "compiled",
            # The unknown shape gets past the shape function.
            input_signature=[tf.TensorSpec(None, tf.int64)],
        )
        if way == "eager":
            call = lambda seed: self.call(seed, batch=True)  # noqa: E731
        with self.assertRaisesRegex(
            tf.errors.InvalidArgumentError, r"seed must have shape \[n, 2\], got \["
        ):
            call(tf.constant(seed, tf.int64))

    def test_building_a_graph_infers_the_shape(self):
        def shape_of(*seed_shape, **attributes):
            spec = tf.TensorSpec(*seed_shape, tf.int64)
            function = tf.function(lambda seed: self.call(seed, **attributes))
            return function.get_concrete_function(spec).output_shapes

        self.assertEqual(shape_of([5, 2], batch=True), [5, 6, 4])
        self.assertEqual(shape_of([None, 2], batch=True).as_list(), [None, 6, 4])
        self.assertEqual(shape_of(None, batch=True).as_list(), [None, 6, 4])
        self.assertEqual(shape_of(None), [6, 4])
        with self.assertRaisesRegex(ValueError, r"seed must have shape \[n, 2\], got \[2\]"):
            shape_of([2], batch=True)
        with self.assertRaisesRegex(ValueError, r"seed must have shape \[2\], got \[5,2\]"):
            shape_of([5, 2])

    def test_too_many_elements_are_an_error(self):
        box = tf.constant([2**30, 2**29], tf.int64)
        with self.assertRaisesRegex(
            tf.errors.InvalidArgumentError,
            r"size must cut out fewer than 2\^60 elements, got \[1073741824, 536870912\] for each",
        ):
            op(box, SEEDS, tf.zeros_like(box), box, tf.constant(1.0, tf.float64), batch=True)


if __name__ == "__main__":
    absltest.main()
