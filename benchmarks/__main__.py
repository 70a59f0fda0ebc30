"""Run benchmarks by name. docs/benchmarks.md says what each figure compares, and where the sides do unequal work."""

import argparse
import ast
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).parent.parent
BENCHMARK_MODULES = {
    path.stem: f"{folder}.{path.stem}"
    for folder in ("benchmarks", "campaigns")
    for path in sorted((CHECKOUT / folder).glob("[!_]*.py"))
}
"""The module of each benchmark and campaign, by name."""


def main() -> int:
    """Run the chosen benchmarks one after the other, each in a process of its own.

    :returns: the number of benchmarks that failed to finish.
    """
    parser = argparse.ArgumentParser(prog="bin/bench", description=__doc__, epilog="Options after a name are its own.")
    parser.add_argument("--list", action="store_true", help="say what each benchmark measures, and end")
    parser.add_argument(
        "names", nargs="*", metavar="name", help=f"of {', '.join(BENCHMARK_MODULES)}; all where none is given"
    )
    given_names, options = _split_arguments(sys.argv[1:])
    parsed = parser.parse_args(given_names or options)
    unknown_names = set(parsed.names) - set(BENCHMARK_MODULES)
    if unknown_names:
        parser.error(
            f"there is no benchmark {', '.join(sorted(unknown_names))}: choose from {', '.join(BENCHMARK_MODULES)}"
        )
    if parsed.list:
        sys.stdout.writelines(f"{name:<18}{_read_summary(name)}\n" for name in BENCHMARK_MODULES)
        return 0
    if len(given_names) > 1 and options:
        parser.error(f"{options[0]} would be an option of {len(given_names)} benchmarks: name the one that it is for")
    own_options = options if given_names else []
    commands = [
        [sys.executable, "-m", BENCHMARK_MODULES[name], *own_options] for name in parsed.names or BENCHMARK_MODULES
    ]
    return sum(subprocess.run(command, check=False).returncode != 0 for command in commands)


def _split_arguments(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Return the arguments before the first one that begins with a dash, and the remaining ones."""
    begin = next((index for index, argument in enumerate(arguments) if argument.startswith("-")), len(arguments))
    return arguments[:begin], arguments[begin:]


def _read_summary(name: str) -> str:
    """Return the first line of a benchmark's docstring, without importing the benchmark's dependencies."""
    path = CHECKOUT / f"{BENCHMARK_MODULES[name].replace('.', '/')}.py"
    return (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n")[0]


if __name__ == "__main__":
    sys.exit(main())
