"""How the report's tables look."""

from typing import Any

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table

Row = dict[str, Any]


def make_table(title: str, *columns: str) -> Table:
    """An empty table; its first column has the title, a column without a name is read from the left."""
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    grid.add_column(f"[bold]{title}[/]", min_width=34)
    for column in columns:
        grid.add_column(f"[dim]{column}[/]", justify="left" if column == "" else "right")
    return grid


def print_table(out: Console, grid: Table) -> None:
    """Print a table; nothing where it has no row."""
    if grid.row_count:
        out.print(Padding(grid, (1, 0, 0, 0)))


def format_count(number: int) -> str:
    """A number for people."""
    return f"{number:,}"


def format_percentage(value: int, total: int) -> str:
    """A share in per cent, empty where there is nothing to have a share of."""
    return f"{value / total:.1%}" if total else ""
