"""Validation of a whole file before it is stored: its shape, the notation of numbers and dates, and its rows."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from itertools import islice
from typing import BinaryIO

from etl.errors import WrongFileError
from etl.formats.kaggle.column_rules import find_violation, get_column_rules
from etl.formats.kaggle.file_formats import FileFormat, find_column_indexes
from etl.formats.tabular.layout import SPREADSHEET, Layout
from etl.formats.tabular.notation import (
    detect_date_order,
    detect_decimal_mark,
    may_need_rewriting,
    normalize_date,
    normalize_number_in_range,
)
from etl.formats.tabular.quoting import UnparsableRecord
from etl.formats.tabular.records import LooseQuotationError, is_legible, read_records, remove_empty_ends

_BATCH_ROWS = 500
_FIRST_BATCH_SAMPLE_ROWS, _BATCH_SAMPLE_ROWS = 200, 5
_THOUSANDS = 1_000
_REJECT_FRACTION = 0.9
_REASON_COUNT, _EXAMPLE_COUNT = 3, 3
_MAX_EXAMPLE_LENGTH = 60


@dataclass(frozen=True)
class Inspection:
    """The result for a valid file: its layout, the names in its header and its number of rows."""

    layout: Layout
    columns: tuple[str, ...]
    row_count: int


@dataclass
class _TableStatistics:
    """The statistics of one pass over all rows."""

    columns: tuple[str, ...]
    column_indexes: tuple[int, ...]
    """The positions of the format's columns in the header."""
    row_count: int = 0
    widths: Counter[int] = field(default_factory=Counter)
    longer_row_count: int = 0
    empty_end_count: int = 0
    last_row: list[str] = field(default_factory=list)
    columns_to_rewrite: set[str] = field(default_factory=set)
    sample_rows: list[list[str]] = field(default_factory=list)


def inspect_table(content: BinaryIO, layout: Layout, file_format: FileFormat) -> Inspection:
    """Validate all rows of a file, and return its complete layout.

    :param content: seekable.
    :param layout: as returned by ``layout.detect_layout``.
    :raises WrongFileError: as ``records.read_records`` does, and if there are no rows, the last row is cut, or nearly
        all rows would be rejected.
    """
    layout, statistics = _collect_with_quoting(content, layout, file_format)
    if not statistics.row_count:
        raise WrongFileError("the file has a header but no rows.")
    shape = _detect_shape(statistics)
    if shape:
        layout = replace(layout, shape=shape)
        statistics = _collect_statistics(content, layout, file_format, None)
    if len(statistics.last_row) < len(statistics.columns) and not isinstance(statistics.last_row, UnparsableRecord):
        raise WrongFileError(
            f"the file is cut: its last row has {len(statistics.last_row)} of {len(statistics.columns)} fields. Get it "
            "again, whole."
        )
    if statistics.columns_to_rewrite:
        layout = _detect_notation(content, layout, file_format, statistics)
    if _is_nearly_all(
        len(statistics.sample_rows), _count_rejections(statistics.sample_rows, layout, file_format, statistics).total()
    ):
        _reject_if_nearly_all_invalid(content, layout, file_format, statistics)
    return Inspection(layout, statistics.columns, statistics.row_count)


def _collect_with_quoting(
    content: BinaryIO, layout: Layout, file_format: FileFormat
) -> tuple[Layout, _TableStatistics]:
    """Return the statistics, and the layout with the quoting that most records follow."""
    quoting_counts: Counter[str] = Counter()
    try:
        statistics = _collect_statistics(content, layout, file_format, quoting_counts)
    except LooseQuotationError:
        layout = replace(layout, quoting="doubled")
        statistics = _collect_statistics(content, layout, file_format, quoting_counts)
    if max(quoting_counts["backslash"], quoting_counts["escaped"]) > quoting_counts["doubled"]:
        layout = replace(layout, quoting="escaped" if quoting_counts["escaped"] else "backslash")
        statistics = _collect_statistics(content, layout, file_format, quoting_counts)
    return layout, statistics


def _collect_statistics(
    content: BinaryIO, layout: Layout, file_format: FileFormat, quoting_counts: Counter[str] | None
) -> _TableStatistics:
    rows = read_records(content, layout, quoting_counts)
    columns = tuple(next(rows, []))
    statistics = _TableStatistics(columns, tuple(find_column_indexes(columns, file_format)))
    for batch in _split_into_batches(rows):
        sampled_rows = batch[: _BATCH_SAMPLE_ROWS if statistics.row_count else _FIRST_BATCH_SAMPLE_ROWS]
        _count_widths(statistics, batch)
        _find_columns_to_rewrite(statistics, batch, sampled_rows, file_format)
        statistics.sample_rows += sampled_rows
        statistics.row_count += len(batch)
        statistics.last_row = batch[-1]
    return statistics


def _split_into_batches(rows: Iterator[list[str]]) -> Iterator[list[list[str]]]:
    while batch := list(islice(rows, _BATCH_ROWS)):
        yield batch


def _count_widths(statistics: _TableStatistics, batch: Sequence[list[str]]) -> None:
    widths = Counter(map(len, batch))
    statistics.widths += widths
    width = len(statistics.columns)
    if max(widths) > width:
        longer_rows = [row for row in batch if len(row) > width]
        statistics.longer_row_count += len(longer_rows)
        statistics.empty_end_count += sum(not any(row[width:]) for row in longer_rows)


def _find_columns_to_rewrite(
    statistics: _TableStatistics, batch: Sequence[list[str]], sampled_rows: Sequence[list[str]], file_format: FileFormat
) -> None:
    """Find the columns with values that are not in plain notation.

    All rows are searched for dates and for numbers with thousands separators, else only the sampled rows.
    """
    width = len(statistics.columns)
    for (name, rule), index in zip(get_column_rules(file_format).items(), statistics.column_indexes, strict=True):
        if name in statistics.columns_to_rewrite or not (rule.is_number or rule.kind == "date"):
            continue
        has_thousands = rule.kind == "duration" or (rule.kind == "whole" and rule.maximum > _THOUSANDS)
        rows = batch if has_thousands or rule.kind == "date" else sampled_rows
        joined = "".join([row[index] for row in rows if len(row) == width])
        if may_need_rewriting(joined, rule.kind == "date", rule.kind in ("whole", "duration")):
            statistics.columns_to_rewrite.add(name)


def _detect_shape(statistics: _TableStatistics) -> str:
    """Return the shape of the file as in ``Layout.shape``, or "" if nearly all rows do not differ from the header.

    :raises WrongFileError: if the rows have one more field than the header, and it is unclear which one.
    """
    width = len(statistics.columns)
    if (
        _is_nearly_all(statistics.row_count, statistics.longer_row_count)
        and statistics.empty_end_count == statistics.longer_row_count
    ):
        return "trailing_delimiter"
    if _is_nearly_all(statistics.row_count, statistics.widths[width + 1]):
        names = [row[0] for row in statistics.sample_rows if len(row) == width + 1]
        if len(set(names)) == len(names):
            return "row_names"
        raise WrongFileError(
            f"the rows have {width + 1} fields and the header has {width} names: add the name that is missing (an "
            'empty one, "", for row numbers).'
        )
    name_count = len(remove_empty_ends(statistics.columns))
    if name_count < width and _is_nearly_all(statistics.row_count, statistics.widths[name_count]):
        return "header_delimiter"
    return ""


def _is_nearly_all(total: int, count: int) -> bool:
    return total > 0 and count > _REJECT_FRACTION * total


def _detect_notation(
    content: BinaryIO, layout: Layout, file_format: FileFormat, statistics: _TableStatistics
) -> Layout:
    """Return the layout with the notation of numbers and dates, detected in all rows of the file."""
    rules = get_column_rules(file_format)
    numbers = [name for name in file_format.columns if rules[name].is_number]
    dates = [name for name in file_format.columns if rules[name].kind == "date"]
    values = _collect_distinct_values(content, layout, file_format, statistics, [*numbers, *dates])
    decimal, is_needed = detect_decimal_mark((rules[name], values[name]) for name in numbers)
    layout = replace(layout, decimal=decimal if is_needed else "")
    for name in dates:
        order, ambiguous_dates = detect_date_order(values[name])
        layout = replace(layout, dates=order)
        if ambiguous_dates:
            layout = replace(layout, remarks=(*layout.remarks, _describe_ambiguous_dates(name, ambiguous_dates)))
    return layout


def _describe_ambiguous_dates(column: str, dates: Sequence[str]) -> str:
    return (
        f"{column}: {len(dates)} dates such as {dates[0]!r} may begin with the day or with the month, and no date of "
        "the file decides: only their years are kept. Write them as 2019-06-14 where days matter."
    )


def _collect_distinct_values(
    content: BinaryIO, layout: Layout, file_format: FileFormat, statistics: _TableStatistics, names: Sequence[str]
) -> dict[str, set[str]]:
    """Return the distinct values of some columns."""
    column_indexes = {name: statistics.column_indexes[file_format.columns.index(name)] for name in names}
    values_by_column: dict[str, set[str]] = {name: set() for name in names}
    rows = read_records(content, layout)
    next(rows)
    width = len(statistics.columns)
    for batch in _split_into_batches(rows):
        columns = list(zip(*(row for row in batch if len(row) == width), strict=True))
        for name, index in column_indexes.items():
            values_by_column[name].update(columns[index] if columns else ())
    return values_by_column


def build_rewriters(layout: Layout, file_format: FileFormat) -> dict[str, Callable[[str], str]]:
    """Return, by column, the function that rewrites its values in plain notation; columns in it have no function."""
    rules = get_column_rules(file_format)
    rewriters_by_column: dict[str, Callable[[str], str]] = {}
    for name in file_format.columns:
        if rules[name].is_number and layout.decimal:
            rewriters_by_column[name] = lru_cache(1 << 16)(
                partial(normalize_number_in_range, rules[name], layout.decimal)
            )
        elif rules[name].kind == "date" and layout.dates:
            rewriters_by_column[name] = lambda text: normalize_date(text, layout.dates)
    return rewriters_by_column


def _count_rejections(
    rows: Iterable[list[str]], layout: Layout, file_format: FileFormat, statistics: _TableStatistics
) -> "Counter[tuple[str, str, str]]":
    """Return the number of rows that would be rejected, by column, phrase of the reason, and value."""
    rewrite = build_rewriters(layout, file_format)
    rejections: Counter[tuple[str, str, str]] = Counter()
    for row in rows:
        violation = _find_violation(row, file_format, statistics.column_indexes, len(statistics.columns), rewrite)
        if violation:
            rejections[violation] += 1
    return rejections


def _find_violation(
    row: list[str],
    file_format: FileFormat,
    column_indexes: Sequence[int],
    width: int,
    rewrite: dict[str, Callable[[str], str]],
) -> tuple[str, str, str] | None:
    if isinstance(row, UnparsableRecord) or len(row) != width:
        return "row", "has more or fewer fields than the header", ""
    if not is_legible(row):
        return "row", "has bytes that are no text", ""
    fields = {name: row[index] for name, index in zip(file_format.columns, column_indexes, strict=True)}
    violation = find_violation(
        file_format, fields | {name: rewrite_value(fields[name]) for name, rewrite_value in rewrite.items()}
    )
    return (*violation, fields.get(violation[0], "")) if violation else None


def _reject_if_nearly_all_invalid(
    content: BinaryIO, layout: Layout, file_format: FileFormat, statistics: _TableStatistics
) -> None:
    """Reject a file if nearly all of its rows would be rejected.

    :raises WrongFileError: with the number of rows, and the most frequent reasons with examples.
    """
    rows = read_records(content, layout)
    next(rows)
    rejections = _count_rejections(rows, layout, file_format, statistics)
    if not _is_nearly_all(statistics.row_count, rejections.total()):
        return
    reasons: Counter[tuple[str, str]] = Counter()
    examples: dict[tuple[str, str], list[str]] = {}
    for (column, phrase, value), size in rejections.most_common():
        reasons[column, phrase] += size
        examples.setdefault((column, phrase), []).append(value)
    reason_text = "; ".join(
        f"{column} {phrase} ({size:,} rows{_format_examples(examples[column, phrase])})"
        for (column, phrase), size in reasons.most_common(_REASON_COUNT)
    )
    location = "its first sheet" if layout.encoding == SPREADSHEET else "it"
    raise WrongFileError(
        f"{rejections.total():,} of {statistics.row_count:,} rows would be rejected, so nothing of {location} is "
        f"imported: {reason_text}. Get the file as its publisher offers it, or save it with these columns unchanged."
    )


def _format_examples(values: Sequence[str]) -> str:
    examples = [repr(value[:_MAX_EXAMPLE_LENGTH]) for value in values if value.strip()][:_EXAMPLE_COUNT]
    return f", such as {', '.join(examples)}" if examples else ""
