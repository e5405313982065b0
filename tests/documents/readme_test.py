"""The Python of README.md runs as written, each block in a new process."""

import pytest

from tests.support import processes, repository

FIVE_LINES, SAVING, LOADING = repository.python_blocks((repository.ROOT / "README.md").read_text())


@pytest.fixture(scope="module")
def model_directory(tmp_path_factory):
    """Saves the model of README.md and returns its folder."""
    directory = tmp_path_factory.mktemp("model")
    processes.output_of("-c", SAVING, cwd=directory)
    return directory


def test_five_lines_of_use_run(tmp_path):
    program = FIVE_LINES + "\nprint(kernel.shape)"
    assert processes.output_of("-c", program, cwd=tmp_path) == "(300, 200)\n"


def test_saved_model_draws_the_same_values_in_another_process(model_directory):
    check = """
expected = tf_vsinit.stateless_variance_scaling([300, 200], [1, 0], scale=2.0)
print(bool(tf.reduce_all(kernel == expected)))
"""
    assert processes.output_of("-c", LOADING + check, cwd=model_directory) == "True\n"


def test_saved_model_without_the_import_says_what_is_missing(model_directory):
    lines = LOADING.splitlines()
    without_import = [line for line in lines if not line.startswith("import tf_vsinit")]
    assert len(without_import) == len(lines) - 1
    result = processes.run("-c", "\n".join(without_import), cwd=model_directory)
    assert result.returncode != 0
    assert "VsinitStatelessVarianceScaling" in result.stderr
    assert "not registered" in result.stderr
