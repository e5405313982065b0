"""Partitioned variables of tf.compat.v1 hold, shard by shard, what the whole variable would."""

import collections
import contextlib
import gc
import itertools
import weakref

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized
from tensorflow.python.ops import variable_scope, variables

import tf_vsinit
from tests.support.bits import assert_same_bits
from tf_vsinit.compat import v1

tf1 = tf.compat.v1

SHAPE = (12, 10, 7)
OP_TYPE = "VsinitStatelessVarianceScaling"
DTYPES = ("float16", "bfloat16", "float32", "float64")
DISTRIBUTIONS = ("truncated_normal", "untruncated_normal", "uniform")
# Partitioners that cut a float32 variable of SHAPE along an axis into at most `count` shards.
PARTITIONERS = {
    "fixed_size": lambda axis, count: tf1.fixed_size_partitioner(count, axis),
    "variable_axis_size": lambda axis, count: tf1.variable_axis_size_partitioner(
        -(-4 * np.prod(SHAPE) // count), axis
    ),
    "min_max": lambda axis, count: tf1.min_max_variable_partitioner(count, axis, min_slice_size=4),
}
COUNTS = (1, 2, 3, 7)

PartitionInfo = collections.namedtuple("PartitionInfo", "full_shape var_offset")


class MutablePartitionInfo:
    """What a namedtuple is not: its attributes can change, and it can be referred to weakly."""

    def __init__(self, full_shape, var_offset):
        self.full_shape, self.var_offset = full_shape, var_offset


def join(shards):
    """Puts the shards of one variable, cut along one axis at most, together."""
    shards = list(shards)
    if len(shards) == 1:
        return shards[0]
    axes = [axis for axis, extent in enumerate(SHAPE) if shards[0].shape[axis] != extent]
    return np.concatenate(shards, axes[0])


def shards_of(variable):
    return list(variable) if isinstance(variable, variables.PartitionedVariable) else [variable]


def initialised(*created):
    """Initialises variables of the default graph; returns the shards' values for each."""
    with tf1.Session() as session:
        session.run(tf1.global_variables_initializer())
        return [session.run(shards_of(variable)) for variable in created]


def draw_ops(tensor):
    """Returns the ops that draw what a tensor is computed from."""
    ops, found, waiting = set(), [], [tensor.op]
    while waiting:
        op = waiting.pop()
        if op in ops:
            continue
        ops.add(op)
        found += [op] if op.type == OP_TYPE else []
        waiting += [i.op for i in op.inputs]
    return found


def seed_in_graph(shard):
    (op,) = draw_ops(shard.initial_value)
    return tuple(tf.get_static_value(op.inputs[1]))


class GetVariableTest(parameterized.TestCase):
    def build(self, partitioner, graph_seed, seed, **kwargs):
        """Makes three variables in one graph, the second with an initializer of its own."""
        tf1.set_random_seed(graph_seed)
        first, second = (v1.VarianceScaling(1.5, "fan_avg", "uniform", seed=seed) for _ in range(2))
        with tf1.variable_scope("scope", initializer=first, partitioner=partitioner):
            return (
                tf1.get_variable("a", SHAPE, **kwargs),
                tf1.get_variable("b", SHAPE, initializer=second, **kwargs),
                tf1.get_variable("c", SHAPE, **kwargs),
            )

    @parameterized.product(
        kind=tuple(PARTITIONERS),
        axis=(0, 1, 2),
        use_resource=(False, True),
        seeds=((1, None), (None, 2)),
    )
    def test_shards_join_to_the_whole_variable(self, kind, axis, use_resource, seeds):
        with tf.Graph().as_default():
            wholes = initialised(*self.build(None, *seeds, use_resource=use_resource))
        numbers_of_shards = set()
        for count in COUNTS:
            with tf.Graph().as_default():
                partitioner = PARTITIONERS[kind](axis, count)
                made = initialised(*self.build(partitioner, *seeds, use_resource=use_resource))
            numbers_of_shards.add(len(made[0]))
            for shards, (whole,) in zip(made, wholes, strict=True):
                assert_same_bits(join(shards), whole)
        self.assertGreaterEqual(len(numbers_of_shards), 3)

    @parameterized.product(distribution=DISTRIBUTIONS, dtype=DTYPES)
    def test_every_distribution_and_dtype(self, distribution, dtype):
        initializer = v1.VarianceScaling(0.5, "fan_out", distribution, seed=3)
        with tf.Graph().as_default():
            created = []
            for axis in range(3):
                partitioner = tf1.fixed_size_partitioner(4, axis)
                created.append(
                    tf1.get_variable(f"v{axis}", SHAPE, dtype, initializer, partitioner=partitioner)
                )
            made = initialised(*created)
        for shards in made:
            self.assertLen(shards, 4)
            assert_same_bits(join(shards), initializer(SHAPE, dtype))

    @parameterized.product(seeds=tuple(itertools.product((None, 1), (None, 2))), count=COUNTS)
    def test_all_shards_have_one_seed_and_every_variable_its_own(self, seeds, count):
        with tf.Graph().as_default():
            created = self.build(tf1.fixed_size_partitioner(count, 1), *seeds)
            found = [{seed_in_graph(s) for s in shards_of(v)} for v in created]
            made = initialised(*created)
        for seed, shards in zip(found, made, strict=True):
            self.assertLen(seed, 1)
            whole = tf_vsinit.stateless_variance_scaling(
                SHAPE, seed.pop(), scale=1.5, mode="fan_avg", distribution="uniform"
            )
            assert_same_bits(join(shards), whole)
        self.assertEqual(
            len({join(shards).tobytes() for shards in made}), 3 if seeds[1] is None else 1
        )

    @parameterized.parameters(
        ("class", v1.GlorotUniform),
        ("short class", v1.HeNormal),
        ("object", v1.he_uniform()),
        ("object used before", v1.he_uniform()),
        (
            "keyword function",
            lambda s, dtype, partition_info: v1.he_normal()(s, dtype, partition_info),
        ),
    )
    def test_an_initializer_may_be_given_as(self, _, initializer):
        with tf.Graph().as_default():
            tf1.set_random_seed(1)
            whole = tf1.get_variable("w", SHAPE, initializer=initializer)
            ((expected,),) = initialised(whole)
        with tf.Graph().as_default():
            tf1.set_random_seed(1)
            variable = tf1.get_variable(
                "w",
                SHAPE,
                initializer=initializer,
                partitioner=tf1.fixed_size_partitioner(5),
            )
            (made,) = initialised(variable)
        assert_same_bits(join(made), expected)

    def test_one_name_in_two_variable_stores_is_two_variables(self):
        partitioner = tf1.fixed_size_partitioner(3)
        with tf.Graph().as_default():
            created = []
            for _ in range(2):
                store = variable_scope._VariableStore()
                created.append(
                    store.get_variable(
                        "w", SHAPE, initializer=v1.GlorotNormal, partitioner=partitioner
                    )
                )
            first, second = initialised(*created)
            self.assertLen({seed_in_graph(shard) for v in created for shard in v}, 2)
        self.assertFalse(np.array_equal(join(first), join(second)))

    def test_reuse_draws_nothing(self):
        with tf.Graph().as_default() as graph:
            for _ in range(2):
                with tf1.variable_scope("s", reuse=tf1.AUTO_REUSE):
                    variable = tf1.get_variable(
                        "w",
                        SHAPE,
                        initializer=v1.he_normal(),
                        partitioner=tf1.fixed_size_partitioner(3),
                    )
            drawing = [op for op in graph.get_operations() if op.type == OP_TYPE]
            self.assertLen(drawing, 3)
            self.assertLen({seed_in_graph(shard) for shard in variable}, 1)

    @parameterized.parameters(None, 5)
    def test_eager(self, seed):
        self.addCleanup(tf1.set_random_seed, None)
        made = []
        for partitioner in (None, tf1.fixed_size_partitioner(3), tf1.fixed_size_partitioner(2, 1)):
            tf1.set_random_seed(1)
            with variable_scope.EagerVariableStore().as_default():
                variable = tf1.get_variable(
                    "w", SHAPE, initializer=v1.he_normal(seed), partitioner=partitioner
                )
            made.append(join([shard.numpy() for shard in shards_of(variable)]))
        assert_same_bits(made[1], made[0])
        assert_same_bits(made[2], made[0])

    def test_wrapped_function(self):
        def program():
            variable = tf1.get_variable(
                "w",
                SHAPE,
                initializer=v1.he_normal(),
                partitioner=tf1.fixed_size_partitioner(3, 2),
            )
            return tf.convert_to_tensor(variable)

        self.addCleanup(tf1.set_random_seed, None)
        tf1.set_random_seed(1)
        made = tf1.wrap_function(program, [])()
        tf1.set_random_seed(1)
        assert_same_bits(made, v1.he_normal()(SHAPE))


def kept_objects():
    """Returns an initializer that draws three times, one object being used twice."""
    first, second = v1.GlorotUniform(), v1.he_normal()

    def initializer(shape, dtype=None, partition_info=None):
        return (
            first(shape, dtype, partition_info)
            - 2 * second(shape, dtype, partition_info)
            + 4 * first(shape, dtype, partition_info)
        )

    return initializer


def fresh_objects():
    """Returns the same with objects of its own for each shard."""
    return lambda shape, dtype=None, partition_info=None: kept_objects()(
        shape, dtype, partition_info
    )


def kept_and_fresh_objects():
    """Returns an initializer that draws with an object of its own for each shard, then another."""
    kept = v1.he_normal()
    return lambda shape, dtype=None, partition_info=None: (
        v1.GlorotUniform()(shape, dtype, partition_info) - 2 * kept(shape, dtype, partition_info)
    )


def failing_at(number, initializer):
    """Returns an initializer that raises RuntimeError at the call of that number, once it drew."""
    calls = itertools.count()

    def failing(shape, dtype=None, partition_info=None):
        value = initializer(shape, dtype, partition_info)
        if next(calls) == number:
            raise RuntimeError
        return value

    return failing


@parameterized.parameters(kept_objects, fresh_objects, kept_and_fresh_objects)
class CompositeTest(parameterized.TestCase):
    """Several initializers that together make one variable."""

    def setUp(self):
        super().setUp()
        self.addCleanup(tf1.set_random_seed, None)

    def eager_variable(self, initializer, partitioner=None):
        with variable_scope.EagerVariableStore().as_default():
            variable = tf1.get_variable(
                "w", SHAPE, initializer=initializer, partitioner=partitioner
            )
        return join([shard.numpy() for shard in shards_of(variable)])

    def test_shards_join_to_the_whole_variable(self, composite):
        values = []
        for partitioner in (None, *(tf1.fixed_size_partitioner(n, 1) for n in COUNTS)):
            initializer = composite()
            with tf.Graph().as_default():
                tf1.set_random_seed(1)
                created = [
                    tf1.get_variable(n, SHAPE, initializer=initializer, partitioner=partitioner)
                    for n in "ab"
                ]
                values.append([join(shards) for shards in initialised(*created)])
        for made in values[1:]:
            assert_same_bits(made, values[0])

    def test_every_draw_has_its_own_seed_and_each_shard_the_same_ones(self, composite):
        with tf.Graph().as_default() as graph:
            tf1.get_variable(
                "w", SHAPE, initializer=composite(), partitioner=tf1.fixed_size_partitioner(3)
            )
            drawing = [op for op in graph.get_operations() if op.type == OP_TYPE]
        seeds = [tuple(tf.get_static_value(op.inputs[1])) for op in drawing]
        draws = len(seeds) // 3
        self.assertLen(set(seeds), draws)
        self.assertEqual(seeds, seeds[:draws] * 3)

    def test_eager(self, composite):
        values = []
        for partitioner in (None, tf1.fixed_size_partitioner(3), tf1.fixed_size_partitioner(2, 1)):
            tf1.set_random_seed(1)
            initializer = composite()
            values.append([self.eager_variable(initializer, partitioner) for _ in range(2)])
        assert_same_bits(values[1], values[0])
        assert_same_bits(values[2], values[0])

    def test_a_variable_begun_in_vain_does_not_disturb_the_next(self, composite):
        partitioner = tf1.fixed_size_partitioner(3)
        initializer = composite()
        tf1.set_random_seed(1)
        whole = self.eager_variable(initializer)
        for number in range(3):
            with self.assertRaises(RuntimeError):
                self.eager_variable(failing_at(number, initializer), partitioner)
            tf1.set_random_seed(1)
            assert_same_bits(self.eager_variable(initializer, partitioner), whole)


class CallTest(parameterized.TestCase):
    """The initializer called by hand, with boxes that get_variable would not ask for."""

    def pieces(self):
        """Returns boxes that together cover SHAPE, cut along all its axes, in a mixed order."""
        cuts = [(0, 5, 9, 12), (0, 1, 10), (0, 4, 7)]
        spans = [list(itertools.pairwise(cut)) for cut in cuts]
        boxes = [tuple(zip(*box, strict=True)) for box in itertools.product(*spans)]
        np.random.RandomState(0).shuffle(boxes)
        return boxes

    def assemble(self, initializer):
        whole = np.full(SHAPE, np.nan, np.float32)
        for begin, end in self.pieces():
            size = [e - b for b, e in zip(begin, end, strict=True)]
            piece = initializer(size, partition_info=PartitionInfo(SHAPE, list(begin)))
            self.assertEqual(piece.shape, size)
            whole[tuple(slice(b, e) for b, e in zip(begin, end, strict=True))] = piece
        return whole

    def test_any_boxes_in_any_order(self):
        initializer = v1.he_normal(seed=1)
        assert_same_bits(self.assemble(initializer), initializer(SHAPE))

    def test_any_boxes_in_any_order_without_a_seed(self):
        self.addCleanup(tf1.set_random_seed, None)
        tf1.set_random_seed(1)
        initializer = v1.he_normal()
        wholes = [initializer(SHAPE).numpy() for _ in range(2)]
        tf1.set_random_seed(1)
        assert_same_bits(self.assemble(initializer), wholes[0])
        assert_same_bits(self.assemble(initializer), wholes[1])

    def test_a_shard_made_again_begins_another_variable(self):
        self.addCleanup(tf1.set_random_seed, None)
        initializer = v1.he_normal()
        tf1.set_random_seed(1)
        wholes = [initializer(SHAPE) for _ in range(2)]
        tf1.set_random_seed(1)
        half = (6, *SHAPE[1:])
        made = [
            initializer(half, partition_info=PartitionInfo(SHAPE, (first, 0, 0)))
            for first in (0, 0, 6)
        ]
        assert_same_bits(made[0], wholes[0][:6])
        assert_same_bits(tf.concat(made[1:], 0), wholes[1])

    @parameterized.product(
        scope=(None, "scope/part_1"),
        order=("a0 b0 a1 b1", "a0 b0 b1 a1", "a0 a1 b0 b1", "a0 a1 b1 b0", "a1 b1 a0 b0"),
        number_of_infos=(1, 2, 4),
    )
    def test_two_initializers_at_once(self, scope, order, number_of_infos):
        self.addCleanup(tf1.set_random_seed, None)
        initializers = {"a": v1.he_normal(), "b": v1.GlorotUniform()}
        tf1.set_random_seed(1)
        wholes = {name: initializers[name]([10, 5]) for name in "ab"}
        infos = [MutablePartitionInfo([10, 5], None) for _ in range(number_of_infos)]
        made = {}
        tf1.set_random_seed(1)
        for name, shard in order.split():
            # One object for everything, one for each shard, or one for each call.
            info = infos[("a0 a1 b0 b1".split().index(name + shard)) % number_of_infos]
            info.var_offset = [5 * int(shard), 0]
            with tf.name_scope(scope) if scope else contextlib.nullcontext():
                made[name + shard] = initializers[name]([5, 5], partition_info=info)
        for name in "ab":
            assert_same_bits(tf.concat([made[name + "0"], made[name + "1"]], 0), wholes[name])

    def test_one_initializer_used_twice_for_each_shard(self):
        self.addCleanup(tf1.set_random_seed, None)
        initializer = kept_objects()
        tf1.set_random_seed(1)
        whole = initializer([10, 5])
        tf1.set_random_seed(1)
        shards = [
            initializer([size, 5], None, PartitionInfo([10, 5], [first, 0]))
            for size, first in ((4, 6), (3, 3), (3, 0))
        ]
        assert_same_bits(tf.concat(shards[::-1], 0), whole)

    def test_a_shard_without_elements_is_part_of_any_variable(self):
        self.addCleanup(tf1.set_random_seed, None)
        tf1.set_random_seed(1)
        whole = v1.he_normal()([10, 5]).numpy()
        tf1.set_random_seed(1)
        initializer = v1.he_normal()
        sizes = ((6, 0), (0, 3), (4, 6))
        shards = [
            initializer([size, 5], partition_info=PartitionInfo([10, 5], [first, 0])).numpy()
            for size, first in sizes
        ]
        assert_same_bits(np.concatenate(shards), whole)

    def test_nothing_keeps_an_initializer_whose_shards_are_all_made(self):
        initializer = v1.he_normal()
        kept = weakref.ref(initializer)
        for size, first in ((6, 0), (4, 6)):
            initializer([size, 5], partition_info=PartitionInfo([10, 5], [first, 0]))
        del initializer
        gc.collect()
        self.assertIsNone(kept())

    @parameterized.parameters(None, "scope/part_0")
    def test_nothing_keeps_what_made_some_shards_only(self, scope):
        kept = []
        with tf.name_scope(scope) if scope else contextlib.nullcontext():
            for _ in range(3):
                initializer = v1.he_normal()
                info = MutablePartitionInfo([10, 5], [0, 0])
                initializer([6, 5], partition_info=info)
                kept.append((weakref.ref(initializer), weakref.ref(info)))
        del initializer, info
        gc.collect()
        self.assertEqual([initializer() for initializer, _ in kept], [None] * 3)
        # The last place is forgotten at the next call.
        self.assertEqual([info() for _, info in kept[:-1]], [None] * 2)

    def test_the_partition_info_of_tensorflow_and_lists_and_shapes_are_accepted(self):
        initializer = v1.he_normal(seed=1)
        expected = initializer(SHAPE)[3:7]
        for info in (
            variable_scope._PartitionInfo([12, 10, 7], [3, 0, 0]),
            PartitionInfo(tf.TensorShape(SHAPE), np.array([3, 0, 0])),
        ):
            for shape in ([4, 10, 7], tf.TensorShape([4, 10, 7]), np.array([4, 10, 7])):
                assert_same_bits(initializer(shape, partition_info=info), expected)

    def test_fans_are_those_of_the_whole_variable(self):
        limit = np.sqrt(3.0 / 1000)
        shard = v1.lecun_uniform(seed=1)(
            [10, 400], partition_info=PartitionInfo([1000, 400], [990, 0])
        ).numpy()
        self.assertLess(np.abs(shard).max(), limit)
        self.assertGreater(np.abs(shard).max(), 0.99 * limit)


class KerasInitializerTest(parameterized.TestCase):
    """The initializers of tf_vsinit itself in get_variable, which tells them of partitions too."""

    @parameterized.product(kind=tuple(PARTITIONERS), axis=(0, 1, 2), seed=(None, 1))
    def test_shards_join_to_the_whole_variable(self, kind, axis, seed):
        initializer = tf_vsinit.HeNormal(seed=seed)
        whole = initializer(SHAPE).numpy()
        with tf.Graph().as_default():
            partitioner = PARTITIONERS[kind](axis, 3)
            (shards,) = initialised(
                tf1.get_variable("v", SHAPE, initializer=initializer, partitioner=partitioner)
            )
        self.assertGreater(len(shards), 1)
        assert_same_bits(join(shards), whole)

    def test_a_shard_of_a_variable_larger_than_any_memory(self):
        info = PartitionInfo([2**30, 2**20], [2**29, 3])
        shard = tf_vsinit.GlorotUniform(seed=1)([2, 5], partition_info=info)
        assert_same_bits(
            shard,
            tf_vsinit.GlorotUniform(seed=1)(
                info.full_shape, partition_shape=[2, 5], partition_offset=info.var_offset
            ),
        )

    def test_a_bad_partition_is_a_value_error_that_names_it(self):
        initializer = tf_vsinit.HeNormal(seed=1)
        with self.assertRaisesRegex(ValueError, "axis 0 it ends at 11, after 10"):
            initializer([4, 5], partition_info=PartitionInfo([10, 5], [7, 0]))
        for other in ("layout", "partition_shape", "partition_offset"):
            with self.assertRaisesRegex(
                ValueError,
                f"`partition_info` must be None where .*`{other}`.* is given",
            ):
                initializer(
                    [4, 5], partition_info=PartitionInfo([10, 5], [6, 0]), **{other: [4, 5]}
                )


class AllocationTest(parameterized.TestCase):
    @parameterized.parameters(*DISTRIBUTIONS)
    def test_a_shard_of_a_variable_larger_than_any_memory(self, distribution):
        initializer = v1.VarianceScaling(distribution=distribution, seed=1)
        full_shape, offset = [2**37, 8], [2**36 + 5, 2]
        info = variable_scope._PartitionInfo(full_shape, offset)
        shard = initializer([3, 4], partition_info=info)
        expected = tf_vsinit.reference.stateless_variance_scaling(
            full_shape,
            v1.seeds.variable_seed(1),
            distribution=distribution,
            begin=offset,
            size=[3, 4],
        )
        assert_same_bits(shard, expected)

    @parameterized.parameters(0, 1)
    def test_initialising_a_shard_allocates_that_shard_only(self, axis):
        shape, count = (1024, 1024), 16
        shard_bytes = 4 * 1024 * 1024 // count
        # Unoptimised: the draw of a shard this small would become a constant before it runs.
        config = tf1.ConfigProto()
        config.graph_options.rewrite_options.disable_meta_optimizer = True
        config.graph_options.optimizer_options.opt_level = tf1.OptimizerOptions.L0
        with tf.Graph().as_default(), tf1.Session(config=config) as session:
            variable = tf1.get_variable(
                "w",
                shape,
                initializer=v1.he_normal(),
                partitioner=tf1.fixed_size_partitioner(count, axis),
            )
            options = tf1.RunOptions(trace_level=tf1.RunOptions.FULL_TRACE)
            metadata = tf1.RunMetadata()
            session.run(list(variable)[3].initializer, options=options, run_metadata=metadata)
        allocated = {
            node.node_name.rsplit("/", 1)[-1]: sum(memory.total_bytes for memory in node.memory)
            for device in metadata.step_stats.dev_stats
            for node in device.node_stats
        }
        # One allocation of the shard's size, and nothing else but what holds the arguments.
        self.assertEqual(allocated.pop(OP_TYPE), shard_bytes)
        self.assertLess(sum(allocated.values()), 1024)


class BadPartitionTest(parameterized.TestCase):
    @parameterized.named_parameters(
        ("ends_after_the_variable", [4, 5], [10, 5], [7, 0], "axis 0 it ends at 11, after 10"),
        ("begins_after_it", [1, 5], [10, 5], [11, 0], "axis 0 it ends at 12, after 10"),
        ("too_wide", [4, 6], [10, 5], [0, 0], "axis 1 it ends at 6, after 5"),
        ("rank_of_the_shape", [4], [10, 5], [0, 0], r"`shape` must have one element for each"),
        ("rank_of_the_offset", [4, 5], [10, 5], [0], r"`partition_info.var_offset` must have one"),
        ("rank_of_the_full_shape", [4, 5], [10], [0], r"`shape` must have one element for each"),
        ("negative_offset", [4, 5], [10, 5], [-1, 0], r"`partition_info.var_offset` must be a se"),
        ("negative_shape", [-1, 5], [10, 5], [0, 0], r"`shape` must be a sequence of known int"),
        ("unknown_shape", [None, 5], [10, 5], [0, 0], r"`shape` must be a sequence of known int"),
        ("float_offset", [4, 5], [10, 5], [0.5, 0], r"`partition_info.var_offset` must be a seq"),
        ("unknown_extent", [4, 5], [None, 5], [0, 0], r"`partition_info.full_shape` must be a "),
        ("offset_without_shape", [4, 5], None, [0, 0], "`full_shape` is missing"),
        ("shape_without_offset", [4, 5], [10, 5], None, "`var_offset` is missing"),
    )
    def test_gets_a_value_error_that_names_it(self, shape, full_shape, offset, message):
        info = PartitionInfo(full_shape, offset)
        for seed in (None, 1):
            with self.assertRaisesRegex(ValueError, message) as caught:
                v1.he_normal(seed=seed)(shape, partition_info=info)
            self.assertIn("Received: ", str(caught.exception))
            with tf.Graph().as_default() as graph:
                with self.assertRaisesRegex(ValueError, message):
                    v1.he_normal(seed=seed)(shape, partition_info=info)
                self.assertEmpty(graph.get_operations())

    @parameterized.parameters("partition", 3, ([10, 5],))
    def test_no_partition_info_at_all(self, info):
        with self.assertRaisesRegex(ValueError, "must have the attributes `full_shape` and"):
            v1.he_normal(seed=1)([4, 5], partition_info=info)

    def test_a_shape_known_at_run_time_only(self):
        info = PartitionInfo([10, 5], [0, 0])
        with tf.Graph().as_default():
            for shape in (
                tf1.placeholder(tf.int32, [2]),
                tf1.placeholder(tf.int32, None),
                tf.TensorShape(None),
                tf.TensorShape([None, 5]),
            ):
                with self.assertRaisesRegex(ValueError, "Argument `shape` must be a sequence of"):
                    v1.he_normal(seed=1)(shape, partition_info=info)

    def test_a_bad_shard_does_not_disturb_its_variable(self):
        self.addCleanup(tf1.set_random_seed, None)
        tf1.set_random_seed(1)
        initializer = v1.he_normal()
        whole = initializer([10, 5]).numpy()
        tf1.set_random_seed(1)
        halves = [initializer([5, 5], partition_info=PartitionInfo([10, 5], [0, 0])).numpy()]
        with self.assertRaises(ValueError):
            initializer([6, 5], partition_info=PartitionInfo([10, 5], [5, 0]))
        halves.append(initializer([5, 5], partition_info=PartitionInfo([10, 5], [5, 0])).numpy())
        assert_same_bits(np.concatenate(halves), whole)


if __name__ == "__main__":
    absltest.main()
