"""A statistical battery on the streams: `make statistics` runs it, and tests run a small one.

sources   distributions (the exact ones), draws (by the op), words
tests     tests_of_draws, words, matrices, dieharder; p_values has what they share
results   battery (runs the tests), faults (what the tests must see), report (docs/statistics.md)
"""

import scipy.linalg  # noqa: F401  its BLAS is limited too
import threadpoolctl

# Threads slow down small matrix products, and the battery already keeps the cores busy.
_ONE_THREAD = threadpoolctl.threadpool_limits(1, user_api="blas")
