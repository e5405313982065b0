"""Python tests: pytest in the .venv that configure.sh made."""

def pytest_tests(data = {}):
    """Declares a test for each *_test.py of a package, which runs pytest on it.

    Args:
      data: What a test reads or runs beside tf_vsinit and tests/support, by the name of its file.
    """
    tests = native.glob(["*_test.py"])
    for name in data:
        if name not in tests:
            fail("no such test: " + name)
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
                # What is in .venv follows from it.
                "//:requirements.txt",
                "//tests/support",
                "//tf_vsinit",
            ] + data.get(test, []),
            # TensorFlow is read from .venv, which no sandbox knows.
            tags = ["no-sandbox"],
        )
