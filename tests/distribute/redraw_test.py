"""Variables of strategies, in shards and in layouts, drawn again: values and memory."""

import tensorflow as tf
from absl.testing import absltest, parameterized
from tensorflow.dtensor.python import api
from tensorflow.experimental import dtensor

import tf_vsinit
from tests.support import processes
from tests.support.bits import assert_same_bits
from tf_vsinit.redraw import redraw

SHAPE = (12, 8)
OPTIONS = dict(scale=2.0, mode="fan_out", distribution="uniform")
CALLS = {"eager": lambda f: f, "function": tf.function}
DEVICES = [f"/device:CPU:{i}" for i in range(4)]
STRATEGIES = {
    "one_device": lambda: tf.distribute.OneDeviceStrategy(DEVICES[1]),
    "mirrored": lambda: tf.distribute.MirroredStrategy(DEVICES[:2]),
    "central_storage": lambda: tf.distribute.experimental.CentralStorageStrategy(
        compute_devices=DEVICES, parameter_device=DEVICES[0]
    ),
}
COPIES = {"one_device": 1, "mirrored": 2, "central_storage": 1}
LAYOUTS = (
    [dtensor.UNSHARDED, dtensor.UNSHARDED],
    [dtensor.UNSHARDED, "y"],
    ["y", "x"],
)


def setUpModule():
    # Another test in this process may have used TensorFlow already.
    dtensor.initialize_accelerator_system(
        "CPU", num_logical_cpu_devices=len(DEVICES), experimental_reset_context=True
    )


def tearDownModule():
    dtensor.shutdown_accelerator_system()
    api._reset()  # Otherwise the next test in this process meets a device that is gone.


def values(seed=(1, 0)):
    return tf_vsinit.stateless_variance_scaling(SHAPE, seed, **OPTIONS)


class StrategyTest(parameterized.TestCase):
    @parameterized.product(name=tuple(STRATEGIES), call=tuple(CALLS), of_keras=(False, True))
    def test_every_copy_has_the_values(self, name, call, of_keras):
        strategy = STRATEGIES[name]()
        with strategy.scope():
            if of_keras:
                layer = tf.keras.layers.Dense(SHAPE[1], kernel_initializer="ones")
                layer.build((None, SHAPE[0]))
                variable = layer.kernel
            else:
                variable = tf.Variable(lambda: tf.ones(SHAPE))

        def copies():
            held = variable.value if of_keras else variable
            return [copy.read_value() for copy in strategy.experimental_local_results(held)]

        CALLS[call](lambda: redraw(variable, [1, 0], **OPTIONS))()
        self.assertLen(copies(), COPIES[name])
        for copy in copies():
            assert_same_bits(copy, values())


class ShardedVariableTest(parameterized.TestCase):
    @parameterized.product(rows=((12,), (5, 4, 3), (1, 11)), call=tuple(CALLS))
    def test_shards_join_to_the_whole(self, rows, call):
        shards = []
        for number, count in enumerate(rows):
            with tf.device(DEVICES[number]):
                shards.append(tf.Variable(tf.ones([count, SHAPE[1]])))
        variable = tf.__internal__.distribute.ShardedVariable(shards)
        CALLS[call](lambda: redraw(variable, [1, 0], **OPTIONS))()
        assert_same_bits(tf.concat([shard.read_value() for shard in shards], 0), values())


class LayoutTest(parameterized.TestCase):
    def make(self, specs):
        mesh = dtensor.create_mesh([("x", 2), ("y", 2)], devices=[d[8:] for d in DEVICES])
        layout = dtensor.Layout(specs, mesh)
        return dtensor.DVariable(dtensor.call_with_layout(tf.ones, layout, SHAPE)), layout

    @parameterized.product(specs=LAYOUTS, call=tuple(CALLS))
    def test_every_shard_has_the_values(self, specs, call):
        variable, layout = self.make(specs)
        run = CALLS[call](lambda: redraw(variable, [1, 0], **OPTIONS))
        wanted = dtensor.unpack(
            tf_vsinit.VarianceScaling(2.0, "fan_out", "uniform", seed=1)(SHAPE, layout=layout)
        )
        for _ in range(2):
            run()
            self.assertEqual(dtensor.fetch_layout(variable.read_value()), layout)
            for found, shard in zip(dtensor.unpack(variable.read_value()), wanted, strict=True):
                assert_same_bits(found, shard)
            variable.assign(variable * 0)

    def test_comes_after_a_pending_assignment_and_before_the_next_read(self):
        variable, layout = self.make(LAYOUTS[1])
        wanted = dtensor.unpack(
            tf_vsinit.VarianceScaling(2.0, "fan_out", "uniform", seed=1)(SHAPE, layout=layout)
        )
        for _ in range(100):
            for _ in range(5):
                variable.assign(variable * 2)  # DTensor does this in the background.
            redraw(variable, [1, 0], **OPTIONS)
            found = dtensor.unpack(variable.read_value())
            for one, other in zip(found, wanted, strict=True):
                assert_same_bits(one, other)

    def test_an_ordinary_variable_that_holds_a_dtensor(self):
        _, layout = self.make(LAYOUTS[1])
        with dtensor.default_mesh(layout.mesh):
            variable = tf.Variable(dtensor.call_with_layout(tf.ones, layout, SHAPE))
            redraw(variable, [1, 0], **OPTIONS)
        for number, shard in enumerate(dtensor.unpack(variable.read_value())):
            half = SHAPE[1] // 2
            assert_same_bits(shard, values()[:, number % 2 * half :][:, :half])

    def test_a_function_that_uses_the_variable_too(self):
        variable, layout = self.make(LAYOUTS[1])

        @tf.function
        def twice():
            redraw(variable, [1, 0], **OPTIONS)
            return variable * 2

        for found, shard in zip(
            dtensor.unpack(twice()), dtensor.unpack(variable.read_value()), strict=True
        ):
            assert_same_bits(found, shard * 2)


class ServerTest(absltest.TestCase):
    def test_a_variable_on_a_server_from_within_another_device(self):
        program = """
import tensorflow as tf, tf_vsinit
from tf_vsinit.redraw import redraw

server = tf.distribute.Server.create_local_server()
tf.config.experimental_connect_to_host(server.target)
with tf.device("/job:worker/replica:0/task:0/device:CPU:0"):
    variable = tf.Variable(tf.ones([30, 20]))

def draw_again():
    redraw(variable, [1, 0], scale=2.0, mode="fan_in", distribution="truncated_normal")

for call in draw_again, tf.function(draw_again):
    variable.assign(tf.ones([30, 20]))
    with tf.device("/device:CPU:0"):
        call()
    print("worker" in variable.device,
          bool(tf.reduce_all(variable == tf_vsinit.HeNormal(seed=1)([30, 20]))))
"""
        self.assertEqual(processes.output_of("-c", program).split(), ["True"] * 4)


class MemoryTest(parameterized.TestCase):
    @parameterized.parameters(
        ("mirrored", "eager"),
        ("mirrored", "function"),
        ("sharded", "eager"),
        ("sharded", "function"),
    )
    def test_peak_of_a_large_variable(self, kind, call):
        program = """
import sys
import tensorflow as tf
from tensorflow.experimental import dtensor
from tests.support import process_memory
from tf_vsinit.redraw import redraw

dtensor.initialize_accelerator_system("CPU", num_logical_cpu_devices=2)
SHAPE = [8192, 8192]  # 256 MiB.

def mirrored():
    with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
        return tf.Variable(lambda: tf.ones(SHAPE))

def sharded():
    shards = [tf.Variable(tf.ones([4096, 8192])) for _ in range(2)]
    return tf.__internal__.distribute.ShardedVariable(shards)

makers = {"mirrored": mirrored, "sharded": sharded}
variable = makers[sys.argv[1]]()

def draw_again():
    redraw(variable, [1, 0], scale=2.0, mode="fan_in", distribution="uniform")

call = tf.function(draw_again) if sys.argv[2] == "function" else draw_again
call()  # At first, copies on logical devices of one CPU share a buffer.
with process_memory.peak_rise() as rise:
    call()
print(rise["self"])
"""
        self.assertLess(float(processes.output_of("-c", program, kind, call)), 25.6)


if __name__ == "__main__":
    absltest.main()
