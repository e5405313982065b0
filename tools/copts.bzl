"""Compiler options for our own C++."""

# The stream fixes every rounding, so no compiler may fuse a multiply and an add by itself.
TF_VSINIT_COPTS = [
    "-ffp-contract=off",
    "-Wall",
    "-Wextra",
    "-Werror",
]
