"""The benchmarks, by name. Each prints a line a figure: ours, the other's and their ratio from one run."""

import argparse
import subprocess
import sys
from pathlib import Path

NAMES = sorted(path.stem for path in Path(__file__).parent.glob("*.py") if not path.stem.startswith("_"))


def main() -> int:
    """Run the chosen benchmarks one after the other, each in a process of its own.

    :returns: how many of them failed to finish.
    """
    parser = argparse.ArgumentParser(prog="bin/bench", description=__doc__)
    parser.add_argument("--list", action="store_true", help="name the benchmarks and end")
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(NAMES)}; all where none is given")
    chosen = parser.parse_args()
    unknown = set(chosen.names) - set(NAMES)
    if unknown:
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}: choose from {', '.join(NAMES)}")
    if chosen.list:
        sys.stdout.write("\n".join(NAMES) + "\n")
        return 0
    commands = [[sys.executable, "-m", f"benchmarks.{name}"] for name in chosen.names or NAMES]
    return sum(subprocess.run(command, check=False).returncode != 0 for command in commands)


if __name__ == "__main__":
    sys.exit(main())
