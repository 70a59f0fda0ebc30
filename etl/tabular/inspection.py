"""A whole file looked at before it is kept: its shape, how it writes numbers and dates, whether its rows are fit."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from itertools import islice
from typing import BinaryIO

from etl.column_rules import fault, rules_of
from etl.errors import WrongFileError
from etl.formats import Format, places
from etl.tabular.layout import SPREADSHEET, Layout
from etl.tabular.notation import date_order, decimal_mark, may_need_rewriting, number_within, plain_date
from etl.tabular.quoting import Unreadable
from etl.tabular.records import LooseQuotationError, is_legible, records, without_empty_ends

_ROWS_IN_BATCH = 500
_FIRST_ROWS, _ROWS_OF_A_BATCH = 200, 5
_THOUSANDS = 1_000
_NEARLY_ALL = 0.9
_REASONS, _EXAMPLES = 3, 3
_LONGEST_EXAMPLE = 60


@dataclass(frozen=True)
class Inspection:
    """A file that may be kept: how it is read, its header and its number of rows."""

    layout: Layout
    columns: tuple[str, ...]
    row_count: int


@dataclass
class _Facts:
    """What one reading of all rows shows."""

    columns: tuple[str, ...]
    places: tuple[int, ...]
    """Of the format's columns in the header."""
    row_count: int = 0
    widths: Counter[int] = field(default_factory=Counter)
    longer: int = 0
    empty_ends: int = 0
    last: list[str] = field(default_factory=list)
    odd: set[str] = field(default_factory=set)
    sample: list[list[str]] = field(default_factory=list)


def inspect(content: BinaryIO, layout: Layout, known: Format) -> Inspection:
    """Look at all rows of a file.

    :param content: seekable.
    :param layout: as ``detect_layout`` gives it.
    :raises WrongFileError: as ``records``, and where there is no row, the last one breaks off, or nearly every row
        would be refused.
    """
    layout, facts = _read_as_quoted(content, layout, known)
    if not facts.row_count:
        raise WrongFileError("the file has a header but no rows.")
    shape = _shape(facts)
    if shape:
        layout = replace(layout, shape=shape)
        facts = _facts(content, layout, known, None)
    if len(facts.last) < len(facts.columns) and not isinstance(facts.last, Unreadable):
        raise WrongFileError(
            f"the file breaks off: its last row has {len(facts.last)} of {len(facts.columns)} fields. Get it again, "
            "whole."
        )
    if facts.odd:
        layout = _with_notation(content, layout, known, facts)
    if _is_nearly_all(len(facts.sample), _refused(facts.sample, layout, known, facts).total()):
        _refuse_unfit(content, layout, known, facts)
    return Inspection(layout, facts.columns, facts.row_count)


def _read_as_quoted(content: BinaryIO, layout: Layout, known: Format) -> tuple[Layout, _Facts]:
    """The facts, and the way of quoting in which most records are written."""
    told: Counter[str] = Counter()
    try:
        facts = _facts(content, layout, known, told)
    except LooseQuotationError:
        layout = replace(layout, quoting="doubled")
        facts = _facts(content, layout, known, told)
    if max(told["backslash"], told["escaped"]) > told["doubled"]:
        layout = replace(layout, quoting="escaped" if told["escaped"] else "backslash")
        facts = _facts(content, layout, known, told)
    return layout, facts


def _facts(content: BinaryIO, layout: Layout, known: Format, told: Counter[str] | None) -> _Facts:
    rows = records(content, layout, told)
    columns = tuple(next(rows, []))
    facts = _Facts(columns, tuple(places(columns, known)))
    for batch in _batches(rows):
        some = batch[: _ROWS_OF_A_BATCH if facts.row_count else _FIRST_ROWS]
        _look_at_widths(facts, batch)
        _look_at_notation(facts, batch, some, known)
        facts.sample += some
        facts.row_count += len(batch)
        facts.last = batch[-1]
    return facts


def _batches(rows: Iterator[list[str]]) -> Iterator[list[list[str]]]:
    while batch := list(islice(rows, _ROWS_IN_BATCH)):
        yield batch


def _look_at_widths(facts: _Facts, batch: Sequence[list[str]]) -> None:
    widths = Counter(map(len, batch))
    facts.widths += widths
    width = len(facts.columns)
    if max(widths) > width:
        longer = [row for row in batch if len(row) > width]
        facts.longer += len(longer)
        facts.empty_ends += sum(not any(row[width:]) for row in longer)


def _look_at_notation(facts: _Facts, batch: Sequence[list[str]], some: Sequence[list[str]], known: Format) -> None:
    """Look for values that are not in plain writing: for dates and thousands in all rows, else in some."""
    width = len(facts.columns)
    for (name, rule), place in zip(rules_of(known).items(), facts.places, strict=True):
        if name in facts.odd or not (rule.is_number or rule.kind == "date"):
            continue
        has_thousands = rule.kind == "duration" or (rule.kind == "whole" and rule.high > _THOUSANDS)
        rows = batch if has_thousands or rule.kind == "date" else some
        joined = "".join([row[place] for row in rows if len(row) == width])
        if may_need_rewriting(joined, rule.kind == "date", rule.kind in ("whole", "duration")):
            facts.odd.add(name)


def _shape(facts: _Facts) -> str:
    """Where header and rows differ by one field, or by empty ones at the end, throughout, how they do.

    :raises WrongFileError: where they do and it cannot be told which field is the one.
    """
    width = len(facts.columns)
    if _is_nearly_all(facts.row_count, facts.longer) and facts.empty_ends == facts.longer:
        return "trailing_delimiter"
    if _is_nearly_all(facts.row_count, facts.widths[width + 1]):
        names = [row[0] for row in facts.sample if len(row) == width + 1]
        if len(set(names)) == len(names):
            return "row_names"
        raise WrongFileError(
            f"the rows have {width + 1} fields and the header has {width} names: add the name that is missing (an "
            'empty one, "", for row numbers).'
        )
    named = len(without_empty_ends(facts.columns))
    if named < width and _is_nearly_all(facts.row_count, facts.widths[named]):
        return "header_delimiter"
    return ""


def _is_nearly_all(rows: int, some: int) -> bool:
    return rows > 0 and some > _NEARLY_ALL * rows


def _with_notation(content: BinaryIO, layout: Layout, known: Format, facts: _Facts) -> Layout:
    """The layout with the way in which numbers and dates are written, by all rows of the file."""
    rules = rules_of(known)
    numbers = [name for name in known.columns if rules[name].is_number]
    dates = [name for name in known.columns if rules[name].kind == "date"]
    values = _values(content, layout, known, facts, [*numbers, *dates])
    decimal, is_needed = decimal_mark((rules[name], values[name]) for name in numbers)
    layout = replace(layout, decimal=decimal if is_needed else "")
    for name in dates:
        order, unsure = date_order(values[name])
        layout = replace(layout, dates=order)
        if unsure:
            layout = replace(layout, remarks=(*layout.remarks, _undecided(name, unsure)))
    return layout


def _undecided(column: str, dates: Sequence[str]) -> str:
    return (
        f"{column}: {len(dates)} dates such as {dates[0]!r} may begin with the day or with the month, and no date of "
        "the file decides: only their years are kept. Write them as 2019-06-14 where days matter."
    )


def _values(
    content: BinaryIO, layout: Layout, known: Format, facts: _Facts, names: Sequence[str]
) -> dict[str, set[str]]:
    """The different values of some columns."""
    wanted = {name: facts.places[known.columns.index(name)] for name in names}
    found: dict[str, set[str]] = {name: set() for name in names}
    rows = records(content, layout)
    next(rows)
    width = len(facts.columns)
    for batch in _batches(rows):
        columns = list(zip(*(row for row in batch if len(row) == width), strict=True))
        for name, place in wanted.items():
            found[name].update(columns[place] if columns else ())
    return found


def rewriters(layout: Layout, known: Format) -> dict[str, Callable[[str], str]]:
    """By column, what brings its values into plain writing; empty where the file is in it."""
    rules = rules_of(known)
    result: dict[str, Callable[[str], str]] = {}
    for name in known.columns:
        if rules[name].is_number and layout.decimal:
            result[name] = lru_cache(1 << 16)(partial(number_within, rules[name], layout.decimal))
        elif rules[name].kind == "date" and layout.dates:
            result[name] = lambda text: plain_date(text, layout.dates)
    return result


def _refused(
    rows: Iterable[list[str]], layout: Layout, known: Format, facts: _Facts
) -> "Counter[tuple[str, str, str]]":
    """How many rows would be refused, by column, phrase and value."""
    rewrite = rewriters(layout, known)
    refused: Counter[tuple[str, str, str]] = Counter()
    for row in rows:
        why = _fault(row, known, facts.places, len(facts.columns), rewrite)
        if why:
            refused[why] += 1
    return refused


def _fault(
    row: list[str], known: Format, at: Sequence[int], width: int, rewrite: dict[str, Callable[[str], str]]
) -> tuple[str, str, str] | None:
    if isinstance(row, Unreadable) or len(row) != width:
        return "row", "has more or fewer fields than the header", ""
    if not is_legible(row):
        return "row", "has bytes that are no text", ""
    fields = {name: row[place] for name, place in zip(known.columns, at, strict=True)}
    why = fault(known, fields | {name: rewritten(fields[name]) for name, rewritten in rewrite.items()})
    return (*why, fields.get(why[0], "")) if why else None


def _refuse_unfit(content: BinaryIO, layout: Layout, known: Format, facts: _Facts) -> None:
    """Refuse a file of which nearly every row would be refused, by all of its rows.

    :raises WrongFileError: with how many, and the most frequent reasons with examples.
    """
    rows = records(content, layout)
    next(rows)
    refused = _refused(rows, layout, known, facts)
    if not _is_nearly_all(facts.row_count, refused.total()):
        return
    reasons: Counter[tuple[str, str]] = Counter()
    examples: dict[tuple[str, str], list[str]] = {}
    for (column, phrase, value), size in refused.most_common():
        reasons[column, phrase] += size
        examples.setdefault((column, phrase), []).append(value)
    told = "; ".join(
        f"{column} {phrase} ({size:,} rows{_such_as(examples[column, phrase])})"
        for (column, phrase), size in reasons.most_common(_REASONS)
    )
    where = "its first sheet" if layout.encoding == SPREADSHEET else "it"
    raise WrongFileError(
        f"{refused.total():,} of {facts.row_count:,} rows would be refused, so nothing of {where} is kept: {told}. Get "
        "the file as its publisher offers it, or save it with these columns as they are there."
    )


def _such_as(values: Sequence[str]) -> str:
    some = [repr(value[:_LONGEST_EXAMPLE]) for value in values if value.strip()][:_EXAMPLES]
    return f", such as {', '.join(some)}" if some else ""
