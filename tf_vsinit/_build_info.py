"""What this build was made for, and how many bytes its libraries have; written by the build."""

BUILT_FOR_TENSORFLOW = "2.21.0"
LIBRARY_SIZES = {
    "_vsinit_ops.so": 1005344,
    "_vsinit_gpu.so": 3471616,
}
