"""The docs are correct: commands exist, messages are in the code, links have a target."""

import os
import re
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]
README = (CHECKOUT / "README.md").read_text(encoding="utf-8")
PAPERS = [
    *(CHECKOUT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docker/README.md")),
    *sorted((CHECKOUT / "docs").rglob("*.md")),
]
SOURCES = " ".join(
    re.sub(r'"\s*\n\s*f?"', "", path.read_text(encoding="utf-8"))
    for folder in ("etl", "simulator", "launch")
    for path in sorted((CHECKOUT / folder).rglob("*.py"))
)


def _list_messages() -> list[str]:
    lines = (CHECKOUT / "docs" / "messages.md").read_text(encoding="utf-8").splitlines()
    return [
        quoted for line in lines if line.startswith('| "') for quoted in re.findall(r'"([^"]+)"', line.split("|")[1])
    ]


@pytest.mark.parametrize("message", _list_messages())
def test_a_message_in_the_papers_is_one_that_the_code_says(message: str) -> None:
    assert message in SOURCES


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: paper.name)
def test_links_lead_somewhere(paper: Path) -> None:
    targets = [link.split("#")[0] for link in re.findall(r"\]\(([^)]+)\)", paper.read_text(encoding="utf-8"))]
    missing = [t for t in targets if t and "://" not in t and not (paper.parent / t).exists()]
    assert not missing


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: paper.name)
def test_links_to_a_heading_lead_to_one(paper: Path) -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", paper.read_text(encoding="utf-8")) if "://" not in link]
    targets = [link.split("#", 1) for link in links if "#" in link]
    papers = [(paper.parent / file if file else paper, name) for file, name in targets]
    assert not [f"{file}#{name}" for file, name in papers if name not in _list_anchors(file)]


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: paper.name)
def test_rows_of_a_table_stand_under_its_head(paper: Path) -> None:
    prose = re.sub(r"(?s)```.*?```", "", paper.read_text(encoding="utf-8"))
    tables = re.findall(r"(?m)(?:^\|.*\n?)+", prose)
    assert not [table.splitlines()[0] for table in tables if not re.match(r"\|.*\n\|[ :|-]+\|\n", table)]


def _list_anchors(paper: Path) -> set[str]:
    headings = re.findall(r"(?m)^#+ (.+)$", paper.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w -]", "", heading.casefold()).replace(" ", "-") for heading in headings}


def test_commands_of_the_readme_can_be_started() -> None:
    commands = set(re.findall(r"\bbin/[a-z]+(?:-[a-z]+)*", README))
    assert {"bin/run", "bin/test", "bin/psql", "bin/bench", "bin/backup", "bin/restore", "bin/sign-in"} <= commands
    assert not [name for name in commands if not os.access(CHECKOUT / name, os.X_OK)]


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: paper.name)
def test_commands_of_the_papers_are_there(paper: Path) -> None:
    text = paper.read_text(encoding="utf-8")
    commands = set(re.findall(r"(?<![\w/])bin/[a-z]+(?:-[a-z]+)*", text))
    modules = {CHECKOUT / name.replace(".", "/") for name in re.findall(r"python -m ([a-z_]+\.[a-z_.]+[a-z])", text)}
    assert not [name for name in commands if not os.access(CHECKOUT / name, os.X_OK)]
    assert not [path for path in modules if not _does_something(path)]


def _does_something(module: Path) -> bool:
    """Return whether ``python -m`` runs a module or a package, given its path."""
    file = module.with_suffix(".py")
    return (module / "__main__.py").exists() or (
        file.exists() and 'if __name__ == "__main__":' in file.read_text(encoding="utf-8")
    )


def test_the_paper_tells_of_each_benchmark_and_of_no_other() -> None:
    documented = re.findall(r"(?m)^\| `(\w+)` \|", (CHECKOUT / "docs" / "benchmarks.md").read_text(encoding="utf-8"))
    there = [path.stem for folder in ("benchmarks", "campaigns") for path in (CHECKOUT / folder).glob("[!_]*.py")]
    assert sorted(documented) == sorted(there)


def test_files_named_in_commands_of_the_readme_are_there() -> None:
    named = re.findall(r"(?:-f|compose -f) (\S+)", README)
    assert named
    assert not [name for name in named if not (CHECKOUT / name).exists()]


def test_settings_in_the_papers_are_those_of_the_code() -> None:
    table = (CHECKOUT / "docs" / "settings.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([A-Z][A-Z_]+)`", table))
    config = (CHECKOUT / "etl" / "settings.py").read_text(encoding="utf-8")
    read = set(re.findall(r'"([A-Z][A-Z_]{3,})"', config))
    assert read <= named
