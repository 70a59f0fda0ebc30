"""The layout of the report's tables."""

from typing import Any

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table

Row = dict[str, Any]


def make_table(title: str, *columns: str) -> Table:
    """Return an empty table; its first column has the title, columns without a name are left-aligned."""
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    grid.add_column(f"[bold]{title}[/]", min_width=34)
    for column in columns:
        grid.add_column(f"[dim]{column}[/]", justify="left" if column == "" else "right")
    return grid


def print_table(out: Console, grid: Table) -> None:
    """Print a table, unless it has no rows."""
    if grid.row_count:
        out.print(Padding(grid, (1, 0, 0, 0)))


def format_count(number: int) -> str:
    """Return a number with thousands separators."""
    return f"{number:,}"


def format_percentage(value: int, total: int) -> str:
    """Return a percentage, or an empty text for a total of 0."""
    return f"{value / total:.1%}" if total else ""
