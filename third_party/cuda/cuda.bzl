"""The repository @cuda: where nvcc is, and the static CUDA runtime; empty where there is none."""

_BUILD = """
cc_library(
    name = "cudart_static",
    srcs = glob(["libcudart_static.a"]),
    # Another CUDA runtime may be in the process: nobody shall see this one.
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
        '"""What configure.sh found of CUDA."""',
        "",
        "# The compiler; empty if there is none.",
        "NVCC = %s" % repr(nvcc),
        "",
        "CUDA_ARCHITECTURES = %s" % repr(ctx.os.environ.get("TF_VSINIT_CUDA_ARCHITECTURES", "")),
        "",
    ]))

cuda_repository = repository_rule(
    doc = "nvcc and the static CUDA runtime, as configure.sh names them.",
    implementation = _cuda_repository_impl,
    environ = [
        "TF_VSINIT_CUDART_STATIC",
        "TF_VSINIT_CUDA_ARCHITECTURES",
        "TF_VSINIT_NVCC",
    ],
)
