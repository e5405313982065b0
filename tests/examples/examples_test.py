"""Every example runs and prints what its documentation promises."""

from absl.testing import absltest, parameterized

from tests.support import processes, repository

EXAMPLES = repository.ROOT / "examples"

# How often an example compares bits.
COMPARISONS = {
    "central_storage.py": 2,
    "compat_v1_cluster.py": 1,
    "compat_v1_partitions.py": 5,
    "compat_v1_savedmodel.py": 1,
    "hashed_embedding.py": 4,
    "mirrored.py": 6,
    "multi_worker.py": 2,
    "parameter_server.py": 1,
}
# Examples that have a test of their own, here or in demo_test.
OTHERS = ("demo.py", "dtensor.py", "keras_distribution.py", "restarts.py")


def output_of(name, legacy="0"):
    return processes.output_of(EXAMPLES / name, TF_USE_LEGACY_KERAS=legacy)


class ExamplesTest(parameterized.TestCase):
    def test_every_program_of_the_folder_is_tested(self):
        programs = [p.name for p in EXAMPLES.glob("*.py") if "__main__" in p.read_text()]
        self.assertCountEqual(programs, [*COMPARISONS, *OTHERS])

    @parameterized.parameters(
        ("central_storage.py", "0"),
        ("central_storage.py", "1"),
        ("compat_v1_cluster.py", "0"),
        ("compat_v1_partitions.py", "0"),
        ("compat_v1_savedmodel.py", "0"),
        ("hashed_embedding.py", "0"),
        ("mirrored.py", "0"),
        ("mirrored.py", "1"),
        ("multi_worker.py", "0"),
        ("multi_worker.py", "1"),
        ("parameter_server.py", "0"),
    )
    def test_all_comparisons_find_the_same_bits(self, name, legacy):
        output = output_of(name, legacy)
        self.assertEqual(output.count("the same bits: True"), COMPARISONS[name], output)
        self.assertNotIn("the same bits: False", output)

    def test_restarts_have_the_losses_of_new_models(self):
        output = output_of("restarts.py")
        self.assertIn("losses of 5 models made in scopes: True", output)

    @parameterized.parameters("0", "1")
    def test_dtensor_draws_shards_with_the_bits_of_the_whole(self, legacy):
        *layouts, losses = output_of("dtensor.py", legacy).splitlines()
        shapes = ["(512, 1024)", "(256, 1024)", "(512, 256)", "(128, 512)"]
        for line, shape in zip(layouts, shapes, strict=True):
            self.assertEndsWith(line, f"shards of {shape}, the same bits: True")
        self.check_losses(losses)

    def test_keras_distribution_trains_with_sharded_kernels(self):
        *kernels, losses = output_of("keras_distribution.py").splitlines()
        for line, shapes in zip(
            kernels, ["(32, 64) in shards of (32, 16)", "(64, 8) in shards of (16, 8)"], strict=True
        ):
            self.assertEndsWith(line, shapes)
        self.check_losses(losses)

    def check_losses(self, line):
        self.assertRegex(line, r"^loss after 20 steps: (0\.\d{4}) whole, \1 sharded$")


if __name__ == "__main__":
    absltest.main()
