"""What people see in the terminal: progress and tables through rich, always on stderr or as asked."""

import sys
from collections.abc import Iterable, Iterator
from itertools import zip_longest
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

T = TypeVar("T")
WIDTH_OF_PIPES = 140


def plain_console(*, stderr: bool = False, width: int | None = None) -> Console:
    """A console that shows names as they are: brackets and colons mean nothing in them."""
    return Console(stderr=stderr, width=width, markup=False, emoji=False)


def progress(items: Iterable[T], total: int, description: str) -> Iterator[T]:
    """Yield the items with a progress bar on stderr."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=plain_console(stderr=True)) as bar:
        yield from bar.track(items, total=total, description=description)


def print_table(title: str, header: list[str], rows: list[list[str]]) -> None:
    """A table on stdout: text columns to the left, columns of figures to the right."""
    table = Table(title=title, title_justify="left")
    for name, cells in zip_longest(header, zip(*rows, strict=True), fillvalue=()):
        table.add_column(str(name), justify="right" if cells and all(map(_is_figure, cells)) else "left")
    for row in rows:
        table.add_row(*row)
    # Pipes and logs have no width of their own.
    plain_console(width=None if sys.stdout.isatty() else WIDTH_OF_PIPES).print(table)


def _is_figure(cell: str) -> bool:
    return cell[:1].isdigit() or cell[:1] in ("-", "+", "")
