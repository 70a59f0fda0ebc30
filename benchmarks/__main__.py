"""Run benchmarks by name. docs/benchmarks.md says what each figure compares, and where the sides do unequal work."""

import argparse
import ast
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
NAMES = sorted(path.stem for path in FOLDER.glob("*.py") if not path.stem.startswith("_"))


def main() -> int:
    """Run the chosen benchmarks one after the other, each in a process of its own.

    :returns: how many of them failed to finish.
    """
    parser = argparse.ArgumentParser(prog="bin/bench", description=__doc__, epilog="Options after a name are its own.")
    parser.add_argument("--list", action="store_true", help="say what each benchmark measures, and end")
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(NAMES)}; all where none is given")
    given, options = _parted(sys.argv[1:])
    chosen = parser.parse_args(given or options)
    unknown = set(chosen.names) - set(NAMES)
    if unknown:
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}: choose from {', '.join(NAMES)}")
    if chosen.list:
        sys.stdout.writelines(f"{name:<18}{_first_line(name)}\n" for name in NAMES)
        return 0
    if len(given) > 1 and options:
        parser.error(f"{options[0]} would be an option of {len(given)} benchmarks: name the one that it is for")
    own = options if given else []
    commands = [[sys.executable, "-m", f"benchmarks.{name}", *own] for name in chosen.names or NAMES]
    return sum(subprocess.run(command, check=False).returncode != 0 for command in commands)


def _parted(arguments: list[str]) -> tuple[list[str], list[str]]:
    """What stands before the first argument that begins with a dash, and the rest from it on."""
    begin = next((place for place, one in enumerate(arguments) if one.startswith("-")), len(arguments))
    return arguments[:begin], arguments[begin:]


def _first_line(name: str) -> str:
    """What a benchmark says of itself, without importing what it needs."""
    return (ast.get_docstring(ast.parse((FOLDER / f"{name}.py").read_text(encoding="utf-8"))) or "").partition("\n")[0]


if __name__ == "__main__":
    sys.exit(main())
