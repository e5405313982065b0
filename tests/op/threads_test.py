"""Threads: many that draw at the same time, and thread pools of any size."""

from __future__ import annotations

import hashlib
import threading

import tensorflow as tf
from absl.testing import absltest, parameterized

import tf_vsinit
from tests.support import processes
from tests.support.bits import bits


class CallersTest(absltest.TestCase):
    """Threads of Python draw at the same time."""

    THREADS = 64
    CALLS = 1000

    def test_every_thread_gets_its_own_values(self):
        op = tf_vsinit.load().vsinit_stateless_variance_scaling
        box = tf.constant([5, 3])
        begin = tf.zeros_like(box)
        scale = tf.constant(1.0, tf.float64)
        wrong = []
        start = threading.Barrier(self.THREADS)

        def draw_often(number):
            seed = tf.constant([number, 0], tf.int64)
            value = tf_vsinit.reference.stateless_variance_scaling((5, 3), (number, 0))
            want = bits(value).tobytes()
            start.wait()
            for _ in range(self.CALLS):
                if bits(op(box, seed, begin, box, scale)).tobytes() != want:
                    wrong.append(number)

        threads = [threading.Thread(target=draw_often, args=(i,)) for i in range(self.THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEmpty(wrong)


def digest(seed, columns):
    """Returns the checksum of a box, from the reference."""
    value = tf_vsinit.reference.stateless_variance_scaling(
        (1031, 997), (seed, 2), begin=(0, 3), size=(1031, columns)
    )
    return hashlib.sha256(value.tobytes()).hexdigest()


class PoolsTest(parameterized.TestCase):
    """The values do not depend on the sizes of the thread pools or on the number of cores."""

    # The second box has short runs. The function has four draws that can run at the same time.
    PROGRAM = """
import hashlib, os, sys

threads, cores = map(int, sys.argv[1:])
if cores:
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])

import tensorflow as tf, tf_vsinit

tf.config.threading.set_intra_op_parallelism_threads(threads)
tf.config.threading.set_inter_op_parallelism_threads(threads)

def draw(seed, columns):
    return tf_vsinit.stateless_variance_scaling(
        [1031, 997], [seed, 2], begin=[0, 3], size=[-1, columns])

values = [draw(1, columns) for columns in (-1, 77)]
values += tf.function(lambda: [draw(seed, -1) for seed in range(4)])()
for value in values:
    print(hashlib.sha256(value.numpy().tobytes()).hexdigest())
"""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        boxes = [(1, 994), (1, 77), *((seed, 994) for seed in range(4))]
        cls.want = [digest(seed, columns) for seed, columns in boxes]

    @parameterized.parameters((1, 0), (2, 0), (7, 0), (64, 0), (64, 1))
    def test_any_number_of_threads_draws_the_same(self, threads, cores):
        self.assertEqual(processes.output_of("-c", self.PROGRAM, threads, cores).split(), self.want)


if __name__ == "__main__":
    absltest.main()
