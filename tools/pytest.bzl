"""Python tests: pytest in the .venv that configure.sh made."""

def pytest_test(name, src, data = [], **kwargs):
    """Declares a test that runs pytest on one file.

    Args:
      name: Name of the target.
      src: The test file.
      data: What the test reads or imports, built libraries included.
      **kwargs: Passed to sh_test.
    """
    native.sh_test(
        name = name,
        srcs = ["//tools:pytest.sh"],
        args = ["$(location %s)" % src],
        data = data + [
            src,
            "//:pyproject.toml",
            # What is in .venv follows from it.
            "//:requirements.txt",
        ],
        # TensorFlow is read from .venv, which no sandbox knows.
        tags = ["no-sandbox"],
        **kwargs
    )
