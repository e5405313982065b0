"""The NumPy reference, the op and TensorFlow's own keys agree with the golden vectors."""

import collections
import struct

import numpy as np
import tensorflow as tf
from absl.testing import absltest

import tf_vsinit
from tests.support import golden, processes, repository
from tf_vsinit import reference

# Counter, key and answer, from the file kat_vectors of Random123.
RANDOM123 = (
    "00000000 00000000 00000000 00000000 00000000 00000000 6627e8d5 e169c58d bc57ac4c 9b00dbd8",
    "ffffffff ffffffff ffffffff ffffffff ffffffff ffffffff 408f276d 41c83b0e a20bc7c6 6d5451fd",
    "243f6a88 85a308d3 13198a2e 03707344 a4093822 299f31d0 d16cfe09 94fdcceb 5001e420 24126ea1",
)


def vectors(kind):
    return golden.vectors("stream_v1.txt", kind)


class GoldenTest(absltest.TestCase):
    def test_philox_has_the_known_answers_of_random123(self):
        known = [" ".join(arguments + results) for arguments, results in vectors("philox")]
        self.assertContainsSubset(RANDOM123, known)

    def test_reference_philox(self):
        for arguments, results in vectors("philox"):
            key = tuple(int(field, 16) for field in arguments[4:])
            drawn = reference.philox([golden.word(field) for field in arguments[:4]], key)
            self.assertEqual(golden.hexadecimal(drawn), results, arguments)

    def test_reference_keys(self):
        for arguments, results in vectors("key"):
            key = reference.stream_key([int(field) for field in arguments])
            self.assertEqual([f"{part:08x}" for part in key], results, arguments)

    def test_tensorflow_has_the_same_keys(self):
        for arguments, results in vectors("key"):
            seed = [int(field) for field in arguments]
            fits_int32 = all(-(2**31) <= s < 2**31 for s in seed)
            for dtype in (tf.int32, tf.int64) if fits_int32 else (tf.int64,):
                self.assertEqual(
                    self.key_by_tensorflow(tf.constant(seed, dtype)), results, arguments
                )

    def key_by_tensorflow(self, seed):
        key, counter = tf.raw_ops.StatelessRandomGetKeyCounter(seed=seed)
        (key,), (block, high) = key.numpy().tolist(), counter.numpy().tolist()
        self.assertEqual(block, 0)
        return [f"{part:08x}" for wide in (key, high) for part in (wide % 2**32, wide >> 32)]

    def test_reference_deviates(self):
        for arguments, results in vectors("deviate"):
            _, distribution, bits = arguments
            deviate = reference.standard_deviate(distribution, golden.word(bits))
            self.assertEqual(golden.hexadecimal(deviate), results, arguments)

    def test_reference_and_tensorflow_round_to_bfloat16(self):
        self.check_rounding("bfloat16", reference.round_to_bfloat16, tf.bfloat16)

    def test_numpy_and_tensorflow_round_to_float16(self):
        with np.errstate(over="ignore"):
            self.check_rounding("float16", lambda values: values.astype(np.float16), tf.float16)

    def check_rounding(self, name, round_in_numpy, dtype):
        chosen = [(value, results) for (type_, value), results in vectors("round") if type_ == name]
        self.assertNotEmpty(chosen)
        values = np.concatenate([golden.word(value) for value, _ in chosen]).view(np.float32)
        expected = [results[0] for _, results in chosen]
        self.assertEqual(golden.hexadecimal(round_in_numpy(values)), expected)
        self.assertEqual(golden.hexadecimal(tf.constant(values, dtype)), expected)

    def test_reference_scales(self):
        for arguments, results in vectors("scale"):
            mode, distribution, scale, shape, *named_axes = arguments
            fans = reference.fans(golden.integers(shape), *golden.axes(*named_axes))
            self.assertEqual([str(fan) for fan in fans], results[:2], arguments)
            factor = reference.limit_or_stddev(golden.double(scale), mode, *fans, distribution)
            self.assertEqual(struct.pack(">d", factor).hex(), results[2], arguments)

    def test_reference_elements(self):
        for arguments, results in vectors("element"):
            dtype, distribution, factor, seed0, seed1, first = arguments
            index = np.arange(len(results), dtype=np.uint64) + np.uint64(first)
            key = reference.stream_key((int(seed0), int(seed1)))
            values = reference.elements(key, index, golden.double(factor), distribution, dtype)
            self.assertEqual(golden.hexadecimal(values), results, arguments)

    def test_reference_boxes(self):
        self.check_boxes(reference.stateless_variance_scaling)

    def test_op_boxes(self):
        self.check_boxes(lambda **options: tf_vsinit.stateless_variance_scaling(**options).numpy())

    def check_boxes(self, draw):
        for arguments, results in vectors("op"):
            options = golden.draw_arguments(arguments)
            values = draw(**options)
            self.assertEqual(list(values.shape), options["size"])
            self.assertEqual(golden.hexadecimal(values), results, arguments)


class CoverageTest(absltest.TestCase):
    def test_every_dtype_and_distribution_has_elements_at_every_kind_of_index(self):
        first = collections.defaultdict(list)
        for (dtype, distribution, *_, index), _ in vectors("element"):
            first[dtype, distribution].append(int(index))
        self.assertLen(first, 12)
        for indices in first.values():
            self.assertIn(0, indices)
            self.assertTrue(any(index % 4 == 1 for index in indices))
            self.assertTrue(any(2**32 < index < 2**34 - 100 for index in indices))
            # Beyond this index, the block number of float32 needs more than 32 bits.
            self.assertTrue(any(index > 2**34 for index in indices))

    def test_the_script_makes_the_committed_file(self):
        processes.output_of(repository.ROOT / "tools" / "make_golden.py", "--check")


if __name__ == "__main__":
    absltest.main()
