"""The shards of a partitioned variable of tf.compat.v1 join to the whole variable."""

import functools
import itertools

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized
from tensorflow.python.ops import variable_scope, variables

import tf_vsinit
from tests.support.bits import assert_same_bits
from tests.support.v1_partitions import SHAPE, PartitionInfo, kept_objects
from tf_vsinit.compat import v1

tf1 = tf.compat.v1

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
STREAMS = ("vsinit", "tensorflow")


def join(shards):
    """Joins the shards of a variable that is cut along at most one axis."""
    shards = list(shards)
    if len(shards) == 1:
        return shards[0]
    axes = [axis for axis, extent in enumerate(SHAPE) if shards[0].shape[axis] != extent]
    return np.concatenate(shards, axes[0])


def shards_of(variable):
    return list(variable) if isinstance(variable, variables.PartitionedVariable) else [variable]


def initialised(*created):
    """Initialises variables of the default graph. Returns the values of the shards of each."""
    with tf1.Session() as session:
        session.run(tf1.global_variables_initializer())
        return [session.run(shards_of(variable)) for variable in created]


def draw_ops(tensor):
    """Returns the drawing ops that a tensor depends on."""
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
    def build(self, partitioner, graph_seed, seed, make=v1.VarianceScaling, **kwargs):
        """Makes three variables in one graph, the second with an initializer of its own."""
        tf1.set_random_seed(graph_seed)
        first, second = (make(1.5, "fan_avg", "uniform", seed=seed) for _ in range(2))
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

    @parameterized.product(seeds=((1, None), (None, 2), (1, 2)), count=COUNTS)
    def test_shards_join_to_the_unpartitioned_stock_variable(self, seeds, count):
        with tf.Graph().as_default():
            wholes = initialised(*self.build(None, *seeds, make=tf1.variance_scaling_initializer))
        with tf.Graph().as_default():
            partitioner = tf1.fixed_size_partitioner(count, 1)
            make = functools.partial(v1.VarianceScaling, stream="tensorflow")
            made = initialised(*self.build(partitioner, *seeds, make=make))
        # A second draw with one operation seed is another one in stock alone.
        compared = 3 if seeds[1] is None else 1
        for shards, (whole,) in list(zip(made, wholes, strict=True))[:compared]:
            assert_same_bits(join(shards), whole)

    @parameterized.product(distribution=DISTRIBUTIONS, dtype=DTYPES, stream=STREAMS)
    def test_every_distribution_and_dtype(self, distribution, dtype, stream):
        options = (0.5, "fan_out", distribution)
        initializer = v1.VarianceScaling(*options, seed=3, stream=stream)
        is_stock = stream == "tensorflow"
        original = tf1.variance_scaling_initializer(*options, seed=3) if is_stock else initializer
        whole = original(SHAPE, tf.as_dtype(dtype))
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
            assert_same_bits(join(shards), whole)

    @parameterized.product(seeds=tuple(itertools.product((None, 1), (None, 2))), count=COUNTS)
    def test_shards_share_a_seed_and_variables_do_not(self, seeds, count):
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
    def test_every_form_of_initializer_is_accepted(self, _, initializer):
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


def fresh_objects():
    """Returns the same, with new objects for each shard."""
    return lambda shape, dtype=None, partition_info=None: kept_objects()(
        shape, dtype, partition_info
    )


def kept_and_fresh_objects():
    """Returns an initializer that uses a new object for each shard, then a shared one."""
    kept = v1.he_normal()
    return lambda shape, dtype=None, partition_info=None: (
        v1.GlorotUniform()(shape, dtype, partition_info) - 2 * kept(shape, dtype, partition_info)
    )


def failing_at(number, initializer):
    """Returns an initializer that raises RuntimeError after its draw in the given call."""
    calls = itertools.count()

    def failing(shape, dtype=None, partition_info=None):
        value = initializer(shape, dtype, partition_info)
        if next(calls) == number:
            raise RuntimeError
        return value

    return failing


@parameterized.parameters(kept_objects, fresh_objects, kept_and_fresh_objects)
class CompositeTest(parameterized.TestCase):
    """Several initializers make one variable together."""

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

    def test_draws_have_different_seeds_and_shards_have_the_same_ones(self, composite):
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

    def test_a_variable_that_fails_does_not_change_the_next(self, composite):
        partitioner = tf1.fixed_size_partitioner(3)
        initializer = composite()
        tf1.set_random_seed(1)
        whole = self.eager_variable(initializer)
        for number in range(3):
            with self.assertRaises(RuntimeError):
                self.eager_variable(failing_at(number, initializer), partitioner)
            tf1.set_random_seed(1)
            assert_same_bits(self.eager_variable(initializer, partitioner), whole)


class KerasInitializerTest(parameterized.TestCase):
    """get_variable passes partition_info to the Keras initializers, too."""

    @parameterized.product(kind=tuple(PARTITIONERS), axis=(0, 1, 2), seed=(None, 1), stream=STREAMS)
    def test_shards_join_to_the_whole_variable(self, kind, axis, seed, stream):
        initializer = tf_vsinit.HeNormal(seed=seed, stream=stream)
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
        with self.assertRaisesRegex(ValueError, "`shape` must lie between 0 and 3 on axis 0"):
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
        # Without optimisation: it would turn the draw of such a small shard into a constant.
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
        # One allocation has the size of the shard. The others hold the arguments.
        self.assertEqual(allocated.pop(OP_TYPE), shard_bytes)
        self.assertLess(sum(allocated.values()), 1024)


if __name__ == "__main__":
    absltest.main()
