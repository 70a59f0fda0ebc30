"""Which of several values a field takes: one rule for all fields, independent of the order in which inputs came."""

from pyspark.sql import Column
from pyspark.sql import functions as F

from etl.formats.contracts import MOCK_SOURCE, SOURCE_RANK

_PRECISIONS = ("day", "month", "year")


def source_rank(source: Column) -> Column:
    """The place of a source in ``SOURCE_RANK``, 1 the best; a source that is not in it comes last."""
    return _rank_within(source, SOURCE_RANK)


def source_at_rank(rank: Column) -> Column:
    """The source at a place of ``SOURCE_RANK``; NULL where there is none."""
    return F.try_element_at(F.array(*map(F.lit, SOURCE_RANK)), rank.cast("int"))


def is_mock_rank(rank: Column) -> Column:
    """Whether a place of ``SOURCE_RANK`` is that of the mock API."""
    return rank == SOURCE_RANK.index(MOCK_SOURCE) + 1


def precision_rank(precision: Column) -> Column:
    """The fineness of a date's precision, 1 the finest."""
    return _rank_within(precision, _PRECISIONS)


def pick_value(value: Column, *order: Column) -> Column:
    """An aggregate: the value that is not NULL and comes first by ``order``, then by itself.

    The caller passes nothing that depends on the order of rows, so the result does not either.
    """
    return pick_first(value, *order, value)


def pick_first(value: Column, *order: Column) -> Column:
    """An aggregate: the value that is not NULL and comes first by ``order``, which must leave no tie that matters."""
    return F.min_by(value, F.when(value.isNotNull(), F.struct(*order)))


def _rank_within(value: Column, ordered_values: tuple[str, ...]) -> Column:
    position = F.array_position(F.array(*map(F.lit, ordered_values)), value)
    return F.coalesce(F.nullif(position, F.lit(0)), F.lit(len(ordered_values) + 1)).cast("int")
