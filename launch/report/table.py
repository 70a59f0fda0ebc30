"""How the report's tables look."""

from typing import Any

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table

Row = dict[str, Any]


def table(title: str, *columns: str) -> Table:
    """An empty table; its first column has the title, a column without a name is read from the left."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    made.add_column(f"[bold]{title}[/]", min_width=34)
    for column in columns:
        made.add_column(f"[dim]{column}[/]", justify="left" if column == "" else "right")
    return made


def print_table(out: Console, filled: Table) -> None:
    """Print a table; nothing where it has no row."""
    if filled.row_count:
        out.print(Padding(filled, (1, 0, 0, 0)))


def count(number: int) -> str:
    """A number for people."""
    return f"{number:,}"


def share(part: int, whole: int) -> str:
    """A share in per cent, empty where there is nothing to have a share of."""
    return f"{part / whole:.1%}" if whole else ""
