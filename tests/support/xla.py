"""Skips what XLA compiles where the library goes without XLA: with TensorFlow 2.18 and 2.19."""

import unittest

from tf_vsinit import loading

IS_SUPPORTED = loading.why_no_xla() is None
needs_xla = unittest.skipUnless(IS_SUPPORTED, loading.why_no_xla())
