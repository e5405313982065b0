"""The repository of a TensorFlow: the one in .venv, or one that tools/build_libraries.py unpacked."""

def _tensorflow_repository_impl(ctx):
    tensorflow = ctx.os.environ.get("TF_VSINIT_TENSORFLOW", "")
    version = ctx.os.environ.get("TF_VSINIT_TENSORFLOW_VERSION", "")
    if not tensorflow or not version:
        fail("TF_VSINIT_TENSORFLOW or TF_VSINIT_TENSORFLOW_VERSION is not set. Run ./configure.sh first.")
    for path in ["include", "libtensorflow_framework.so.2", "libtensorflow_cc.so.2"]:
        ctx.symlink(tensorflow + "/" + path, path)

    ctx.file("defs.bzl", "\n".join([
        '"""What the build asks about this TensorFlow."""',
        "",
        "TENSORFLOW_VERSION = %s" % repr(version),
        "",
        "# The minor version. Its patch releases have one ABI.",
        "TENSORFLOW_LINE = %s" % repr(".".join(version.split(".")[:2])),
        "",
        "# Wheels before 2.20 lack the headers for XLA's custom calls.",
        "HAS_XLA_HEADERS = %s" % ctx.path("include/xla/ffi/api/ffi.h").exists,
        "",
    ]))
    ctx.symlink(ctx.attr._build_file, "BUILD")

tensorflow_repository = repository_rule(
    doc = "TensorFlow's headers and libraries, in the folder that TF_VSINIT_TENSORFLOW names.",
    implementation = _tensorflow_repository_impl,
    attrs = {
        "_build_file": attr.label(default = "//third_party/tensorflow:tensorflow.BUILD"),
    },
    environ = [
        "TF_VSINIT_TENSORFLOW",
        "TF_VSINIT_TENSORFLOW_VERSION",
    ],
    local = False,
)
