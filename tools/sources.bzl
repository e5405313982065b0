"""The sources of a package of C++, for what compiles them without Bazel."""

def cc_sources(name):
    """Declares a filegroup of the sources and headers of a package, without its tests.

    Args:
      name: its name.
    """
    native.filegroup(
        name = name,
        srcs = native.glob(
            [
                "*.cc",
                "*.h",
            ],
            exclude = ["*_test.cc"],
        ),
        visibility = ["//cc/fuzz:__pkg__"],
    )
