"""docs/peers.md shows docs/peers.json, and benchmarks/peers.py, which measured it, runs."""

import json
import pathlib
import tempfile
import unittest.mock

import numpy as np
from absl.testing import absltest, parameterized

from tests.support import processes, repository

peers = repository.import_script("benchmarks/peers.py")
peer_libraries = repository.import_script("benchmarks/peer_libraries.py")


class DocumentTest(absltest.TestCase):
    def test_it_has_the_tables_of_the_results(self):
        results = json.loads((repository.ROOT / "docs" / "peers.json").read_text())
        self.assertIn(
            "\n".join(peers.tables(results)), (repository.ROOT / "docs" / "peers.md").read_text()
        )
        self.assertEqual(results["missing"], {})


class ProgramTest(absltest.TestCase):
    def test_it_runs_without_libraries_that_are_not_installed_and_names_them(self):
        folder = pathlib.Path(self.enter_context(tempfile.TemporaryDirectory()))
        for module in ("jax", "torch", "tf_keras"):
            (folder / f"{module}.py").write_text(f"raise ModuleNotFoundError('no {module}')")
        path = f"{folder}:{processes.environment()['PYTHONPATH']}"
        program = repository.ROOT / "benchmarks" / "peers.py"
        result = processes.run(program, "--quick", "--json", folder / "a.json", PYTHONPATH=path)
        self.assertEqual(result.returncode, 0, result.stderr)
        found = json.loads((folder / "a.json").read_text())
        for name, module in (("JAX", "jax"), ("PyTorch", "torch"), ("tf_keras", "tf_keras")):
            self.assertRegex(result.stderr, f"Skipped: {name}, .* no {module}")
            self.assertIn(name, found["missing"])
        self.assertEqual(result.stdout, "\n".join(peers.tables(found)) + "\n")
        timed = [row["library"] for row in found["rows"]]
        self.assertContainsSubset(["tf_vsinit", "Keras 3", "compat.v1", "NumPy", "memset"], timed)
        self.assertCountEqual([*timed, *found["missing"]], peer_libraries.NAMES)
        for row in found["rows"]:
            self.assertEqual((row["cpus"], row["log2_elements"]), (1, [4, 8]))
            self.assertGreater(min(row["median"]), 0)


class LibrariesTest(parameterized.TestCase):
    @parameterized.parameters(*peer_libraries.DRAWS)
    def test_all_draw_the_same_spread(self, draw):
        arguments = peer_libraries.DRAWS[draw]
        shape = [2**12, peer_libraries.COLUMNS]
        for name, library in peer_libraries.find()[0].items():
            for dtype in library.dtypes if name not in peer_libraries.LIMITS else ():
                drawn = library.prepare(arguments, dtype, shape)()
                if name == "PyTorch":
                    drawn = drawn.double()
                values = np.asarray(drawn).astype(np.float64)
                self.assertEqual(values.shape, tuple(shape))
                wanted = peer_libraries.stddev(arguments, shape)
                self.assertAlmostEqual(values.std() / wanted, 1, delta=0.02, msg=(name, dtype))


class SizesTest(absltest.TestCase):
    def timed(self, seconds_per_element):
        """Returns the sizes at which a library is timed."""
        seconds = []

        def prepare(draw, dtype, shape):
            seconds.append(seconds_per_element * np.prod(shape))
            return lambda: None

        library = peer_libraries.Library("1", prepare)
        with unittest.mock.patch.object(peers, "seconds_per_call", lambda *_: seconds[-1]):
            cells = peers.time_sizes({"one": library}, "he_normal", "float32", (4, 24, 28))
        return cells["one"]["log2_elements"]

    def test_a_size_that_would_take_too_long_is_left_out(self):
        self.assertEqual(self.timed(19 / 2**28), [4, 24, 28])
        self.assertEqual(self.timed(21 / 2**28), [4, 24])

    def test_a_size_without_room_in_memory_is_left_out(self):
        with unittest.mock.patch.object(peers, "available_bytes", return_value=2**30):
            self.assertEqual(self.timed(1 / 2**28), [4, 24])


if __name__ == "__main__":
    absltest.main()
