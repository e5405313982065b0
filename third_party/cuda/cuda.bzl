"""The repository @cuda: the path of nvcc and the static CUDA runtime. Empty without nvcc."""

_BUILD = """
cc_library(
    name = "cudart_static",
    srcs = glob(["libcudart_static.a"]),
    # Hide its symbols, because the process may load another CUDA runtime.
    linkopts = [
        "-Wl,--exclude-libs,libcudart_static.a",
        "-ldl",
        "-lpthread",
        "-lrt",
    ],
    visibility = ["//visibility:public"],
)
"""

def _cuda_repository_impl(ctx):
    nvcc = ctx.os.environ.get("TF_VSINIT_NVCC", "")
    if nvcc:
        ctx.symlink(ctx.os.environ["TF_VSINIT_CUDART_STATIC"], "libcudart_static.a")
    ctx.file("BUILD", _BUILD if nvcc else "")
    ctx.file("defs.bzl", "\n".join([
        '"""The CUDA toolkit that configure.sh found."""',
        "",
        "# The compiler, or empty without one.",
        "NVCC = %s" % repr(nvcc),
        "",
        "CUDA_ARCHITECTURES = %s" % repr(ctx.os.environ.get("TF_VSINIT_CUDA_ARCHITECTURES", "")),
        "",
    ]))

cuda_repository = repository_rule(
    doc = "nvcc and the static CUDA runtime that configure.sh names.",
    implementation = _cuda_repository_impl,
    environ = [
        "TF_VSINIT_CUDART_STATIC",
        "TF_VSINIT_CUDA_ARCHITECTURES",
        "TF_VSINIT_NVCC",
    ],
)
