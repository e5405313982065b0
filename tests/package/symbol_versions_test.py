"""The libraries load on the systems of manylinux_2_27, whatever compiler built them."""

import platform
import re
import subprocess
import unittest

from absl.testing import absltest, parameterized

from tests.support import repository

LIBRARIES = sorted((repository.ROOT / "tf_vsinit").glob("_vsinit_*.so"))
# The newest versions in manylinux_2_27, and the names that it promises.
NEWEST = {"GLIBC": (2, 27), "GLIBCXX": (3, 4, 24), "CXXABI": (1, 3, 11), "GCC": (7, 0, 0)}
SYSTEM = {"libc.so.6", "libgcc_s.so.1", "libm.so.6", "libstdc++.so.6"} | {
    "libdl.so.2",
    "libpthread.so.0",
    "librt.so.1",
    "ld-linux-x86-64.so.2",
}
# TensorFlow has loaded these before.
TENSORFLOW = {"libtensorflow_cc.so.2", "libtensorflow_framework.so.2"}


def readelf(option, library):
    """Returns what readelf prints of a library."""
    command = ["readelf", "--wide", option, str(library)]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


@unittest.skipUnless(platform.machine() == "x86_64", "wheels are for x86_64")
class SymbolVersionsTest(parameterized.TestCase):
    @parameterized.parameters(LIBRARIES)
    def test_no_symbol_is_newer(self, library):
        # Such as dlopen@GLIBC_2.2.5 (3).
        symbols = re.findall(r"\bUND (\S+)@([A-Z]+)_([\d.]+)\b", readelf("--dyn-syms", library))
        self.assertNotEmpty(symbols)
        newer = [
            f"{symbol}@{name}_{version}"
            for symbol, name, version in symbols
            if tuple(map(int, version.split("."))) > NEWEST.get(name, ())
        ]
        self.assertEmpty(newer, "give these a line in cc/manylinux/old_symbols.S")

    @parameterized.parameters(LIBRARIES)
    def test_no_other_library_is_needed(self, library):
        needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", readelf("--dynamic", library)))
        self.assertContainsSubset(TENSORFLOW, needed)
        self.assertEmpty(needed - TENSORFLOW - SYSTEM)


if __name__ == "__main__":
    absltest.main()
