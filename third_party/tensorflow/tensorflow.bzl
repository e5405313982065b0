"""The repository @tensorflow, made from the TensorFlow of a Python interpreter."""

def _tensorflow_repository_impl(ctx):
    python = ctx.os.environ.get("TF_VSINIT_PYTHON", "")
    if not python:
        fail("TF_VSINIT_PYTHON is not set: run ./configure.sh first.")
    result = ctx.execute([python, ctx.path(ctx.attr._describe)])
    if result.return_code != 0:
        fail("%s cannot import tensorflow:\n%s" % (python, result.stderr))
    tensorflow = json.decode(result.stdout.splitlines()[-1])

    ctx.symlink(tensorflow["include"], "include")
    for library in ["libtensorflow_framework.so.2", "libtensorflow_cc.so.2"]:
        ctx.symlink(tensorflow["lib"] + "/" + library, library)
    ctx.file("defs.bzl", "\n".join([
        '"""The version and the compiler macros of the installed TensorFlow."""',
        "",
        "TENSORFLOW_VERSION = %s" % repr(tensorflow["version"]),
        "",
        "TENSORFLOW_DEFINES = %s" % repr(tensorflow["defines"]),
        "",
    ]))
    ctx.symlink(ctx.attr._build_file, "BUILD")

tensorflow_repository = repository_rule(
    doc = "The headers and libraries that tf.sysconfig of TF_VSINIT_PYTHON names.",
    implementation = _tensorflow_repository_impl,
    attrs = {
        "_build_file": attr.label(default = "//third_party/tensorflow:tensorflow.BUILD"),
        "_describe": attr.label(default = "//third_party/tensorflow:describe.py"),
    },
    # The version is listed only to fetch again after TensorFlow was upgraded in place.
    environ = [
        "TF_VSINIT_PYTHON",
        "TF_VSINIT_TENSORFLOW_VERSION",
    ],
    local = False,
)
