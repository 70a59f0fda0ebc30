"""The SQL follows the rules of .sqruff, and the linter can parse every file of it."""

import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]


def _lint_file(path: str) -> subprocess.CompletedProcess[str]:
    sqruff = Path(sys.executable).parent / "sqruff"
    command = [sqruff, "--nocolor", "lint", "--parsing-errors", path]
    return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)


def test_sqruff_finds_nothing() -> None:
    linted = _lint_file("sql")
    assert linted.returncode == 0, linted.stdout + linted.stderr


def test_sqruff_rejects_sql_that_it_cannot_parse(tmp_path: Path) -> None:
    (tmp_path / ".sqruff").write_text((CHECKOUT / ".sqruff").read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "broken.sql").write_text("select a from from b;\n", encoding="utf-8")
    assert _lint_file(str(tmp_path / "broken.sql")).returncode != 0
