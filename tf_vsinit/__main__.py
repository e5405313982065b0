"""Runs the command line: `python -m tf_vsinit`."""

import sys

from tf_vsinit.cli import main

if __name__ == "__main__":
    sys.exit(main())
