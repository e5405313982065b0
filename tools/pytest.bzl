"""Python tests: pytest in the .venv that configure.sh made."""

def pytest_tests(name, data = {}, slow = []):
    """Declares a test for each *_test.py of a package, which runs pytest on it.

    Args:
      name: Name of a filegroup of the test files.
      data: What a test reads or runs beside tf_vsinit and tests/support, by the name of its file.
      slow: The slowest files, those over 15 seconds among them. `make test-quick` leaves them out.
    """
    tests = native.glob(["*_test.py"])
    for test in data.keys() + slow:
        if test not in tests:
            fail("no such test: " + test)
    for test in tests:
        native.sh_test(
            name = test[:-len(".py")],
            timeout = "long",
            srcs = ["//tools:pytest.sh"],
            args = ["$(location %s)" % test],
            data = [
                test,
                "__init__.py",
                "//:pyproject.toml",
                # It decides what is in .venv.
                "//:requirements.txt",
                "//tests/support",
                "//tools:site",
                "//tf_vsinit",
            ] + data.get(test, []),
            # The tests import TensorFlow from .venv, which lies outside every sandbox.
            tags = ["no-sandbox"] + (["slow"] if test in slow else []),
        )

    native.filegroup(
        name = name,
        srcs = ["__init__.py"] + tests,
        visibility = ["//tests:__subpackages__"],
    )
