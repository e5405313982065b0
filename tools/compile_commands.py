#!/usr/bin/env python3
"""Writes compile_commands.json, from which clangd and editors learn how each C++ file is compiled.

`make compile_commands` runs this. Bazel says what it would run; nothing is compiled.
"""

import json
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent


def main() -> None:
    """Writes the file into the root of the checkout."""
    directory = _bazel("info", "execution_root").strip()
    external = f"{_bazel('info', 'output_base').strip()}/external/"
    query = 'mnemonic("CppCompile", deps(//cc/... + //tf_vsinit/... + //examples/...))'
    actions = json.loads(_bazel("aquery", "--output=jsonproto", query)).get("actions", [])
    commands = {}
    for action in actions:
        # The execution root links only to the repositories that the last build needed.
        arguments = [re.sub("^external/", external, each) for each in action["arguments"]]
        source = next((each for each in arguments if each.endswith(".cc")), None)
        # A file of this checkout has its path in the execution root, which links to it.
        if source and (ROOT / source).exists():
            commands[source] = {
                "directory": directory,
                "file": str(ROOT / source),
                "arguments": arguments,
            }
    (ROOT / "compile_commands.json").write_text(json.dumps(list(commands.values()), indent=1))
    print(f"compile_commands.json: {len(commands)} files")


def _bazel(*arguments: str) -> str:
    command = [str(ROOT / ".tools/bin/bazelisk"), *arguments]
    return subprocess.run(command, cwd=ROOT, check=True, text=True, stdout=subprocess.PIPE).stdout


if __name__ == "__main__":
    main()
