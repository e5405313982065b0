"""A C++ program that loads SavedModels without Python draws the bits of the NumPy reference."""

import os
import pathlib
import re
import subprocess

import numpy as np
import pytest
import tensorflow as tf

import tf_vsinit
from tests.support import processes, repository
from tf_vsinit import loading, reference
from tf_vsinit.compat import v1
from tf_vsinit.compat.v1.seeds import stateless_seed

tf1 = tf.compat.v1

LIBRARY = loading.libraries().op_library


@pytest.fixture(scope="module")
def program():
    """Returns the path of the program: under Bazel in the data, otherwise in bazel-bin."""
    under_bazel = "TEST_SRCDIR" in os.environ
    folder = repository.ROOT / ("examples" if under_bazel else "bazel-bin/examples")
    path = folder / "saved_model_server"
    if not under_bazel and not path.exists():
        pytest.skip("not built: run bazelisk build //examples:saved_model_server")
    return path


def run(program, *arguments, **environment):
    return subprocess.run(
        [program, *map(str, arguments)],
        # The program needs nothing from the environment of Python.
        env={"TF_CPP_MIN_LOG_LEVEL": "2", **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def printed_values(program, *arguments, **environment):
    """Returns the values that the program prints, by name of operation."""
    result = run(program, *arguments, **environment)
    assert result.returncode == 0, result.stderr
    values = {}
    for line in result.stdout.splitlines():
        name, shape, numbers = re.fullmatch(r"(\S+) \[(.*)\]:(.*)", line).groups()
        extents = [int(extent) for extent in shape.split(", ")]
        values[name] = np.array(numbers.split(), np.float64).reshape(extents)
    return values


def assert_same(found, wanted):
    np.testing.assert_array_equal(found.astype(wanted.dtype), wanted)
    assert np.count_nonzero(wanted) > 0.9 * wanted.size


def save_v1(folder, with_main_op):
    """Saves a whole variable and one in shards, both zero. Returns the names of their values."""
    with tf.Graph().as_default(), tf1.Session() as session:
        tf1.set_random_seed(11)
        by_columns = tf1.fixed_size_partitioner(3, axis=1)
        tf1.get_variable("parts", [40, 32], initializer=v1.he_normal(2), partitioner=by_columns)
        tf1.get_variable("whole", [20, 10], tf.float64, v1.GlorotUniform(3))
        variables = tf1.global_variables()
        init_op = tf1.global_variables_initializer()
        session.run([tf1.assign(variable, tf.zeros_like(variable)) for variable in variables])
        builder = tf1.saved_model.Builder(str(folder))
        main_op = init_op if with_main_op else None
        builder.add_meta_graph_and_variables(session, ["serve"], main_op=main_op)
        builder.save()
        return init_op.name, [f"{variable.op.name}/Read/ReadVariableOp" for variable in variables]


def check_v1(values):
    """Checks the values of the variables of `save_v1`."""
    values = list(values.values())
    parts = reference.stateless_variance_scaling((40, 32), stateless_seed(11, 2), scale=2.0)
    assert_same(np.concatenate(values[:3], axis=1), parts)
    whole = reference.stateless_variance_scaling(
        (20, 10),
        stateless_seed(11, 3),
        mode="fan_avg",
        distribution="uniform",
        dtype="float64",
    )
    assert_same(values[3], whole)


class Model(tf.Module):
    """Initialises its variable in a function, which XLA may compile."""

    def __init__(self, jit_compile):
        super().__init__()
        self.kernel = tf.Variable(tf.zeros([60, 20]), name="kernel")
        self.initialize = tf.function(
            self._initialize,
            jit_compile=jit_compile,
            input_signature=[tf.TensorSpec([2], tf.int64, name="seed")],
        )

    def _initialize(self, seed):
        self.kernel.assign(
            tf_vsinit.stateless_variance_scaling(
                [90, 20], seed, begin=[20, 0], size=[60, 20], mode="fan_out"
            )
        )
        return self.kernel.read_value()


def save_v2(folder, jit_compile):
    model = Model(jit_compile)
    tf.saved_model.save(model, str(folder), signatures={"initialize": model.initialize})


def test_loading_runs_the_main_op(program, tmp_path):
    _, names = save_v1(tmp_path / "model", with_main_op=True)
    check_v1(printed_values(program, LIBRARY, tmp_path / "model", *names))


def test_the_program_runs_an_init_op(program, tmp_path):
    init_op, names = save_v1(tmp_path / "model", with_main_op=False)
    zeros = printed_values(program, LIBRARY, tmp_path / "model", *names)
    assert not any(np.any(values) for values in zeros.values())
    check_v1(printed_values(program, LIBRARY, tmp_path / "model", init_op, *names))


@pytest.mark.parametrize("jit_compile", [False, True])
def test_the_program_runs_a_function_that_initialises(program, tmp_path, jit_compile):
    save_v2(tmp_path / "model", jit_compile)
    for i, seed in enumerate([(1, 0), (-7, 2**40)]):
        dump = tmp_path / f"dump_{i}"
        values = printed_values(
            program,
            LIBRARY,
            tmp_path / "model",
            f"initialize_seed={seed[0]},{seed[1]}",
            "StatefulPartitionedCall",
            "kernel/Read/ReadVariableOp",
            XLA_FLAGS=f"--xla_dump_to={dump} --xla_dump_hlo_as_text",
        )
        wanted = reference.stateless_variance_scaling((90, 20), seed, mode="fan_out")[20:80]
        assert_same(values["StatefulPartitionedCall"], wanted)
        assert_same(values["kernel/Read/ReadVariableOp"], wanted)
        programs = "".join(path.read_text() for path in dump.glob("*after_optimizations.txt"))
        assert programs.count('custom_call_target="tf_vsinit.') == jit_compile


def test_the_program_loads_the_gpu_kernels(program, tmp_path):
    if loading.why_no_gpu_kernels() is not None:
        pytest.skip(f"no library of GPU kernels: {loading.why_no_gpu_kernels()}")
    save_v2(tmp_path / "model", jit_compile=True)
    libraries = f"{loading.libraries().op_library},{loading.libraries().gpu_library}"
    steps = ["initialize_seed=1,0", "StatefulPartitionedCall"]
    values = printed_values(program, libraries, tmp_path / "model", *steps)
    wanted = reference.stateless_variance_scaling((90, 20), (1, 0), mode="fan_out")[20:80]
    assert_same(values["StatefulPartitionedCall"], wanted)


def test_without_the_library_the_error_names_the_op(program, tmp_path):
    save_v2(tmp_path / "model", jit_compile=False)
    other_library = pathlib.Path(tf.sysconfig.get_lib()) / "libtensorflow_framework.so.2"
    result = run(program, other_library, tmp_path / "model", "StatefulPartitionedCall")
    assert result.returncode != 0
    assert "Op type not registered 'VsinitStatelessVarianceScaling'" in result.stderr


def test_the_commands_of_the_document_work(program, tmp_path):
    """Runs the Python of the document and its command line."""
    document = repository.section("docs/distributed.md", "SavedModels and servers")
    saving = repository.python_blocks(document)[0]
    command = re.search(
        r"examples/saved_model_server tf_vsinit/_vsinit_ops_\d+_\d+.so model ([^#]*?)\n\n",
        document.replace("\\\n", ""),
    ).group(1)
    processes.output_of("-c", saving, cwd=tmp_path)
    values = printed_values(program, LIBRARY, tmp_path / "model", *command.split())
    wanted = reference.stateless_variance_scaling((300, 200), (1, 0), scale=2.0)
    assert_same(values["kernel/Read/ReadVariableOp"], wanted)


@pytest.mark.parametrize(
    ("library", "steps", "error"),
    [
        ("missing.so", ["kernel"], "missing.so: cannot open shared object file"),
        (LIBRARY, ["no_such"], "the SavedModel has no operation no_such"),
        (LIBRARY, [], "usage: "),
    ],
)
def test_an_error_names_the_library_or_operation(program, tmp_path, library, steps, error):
    save_v2(tmp_path / "model", jit_compile=False)
    result = run(program, library, tmp_path / "model", *steps)
    assert result.returncode == 1
    assert error in result.stderr
