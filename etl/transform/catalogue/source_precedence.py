"""The value that a field takes of several sources: one rule for all fields, independent of the order of inputs."""

from collections.abc import Sequence

from pyspark.sql import Column
from pyspark.sql import functions as F

from etl.formats.contracts import MOCK_SOURCE
from etl.formats.kaggle.file_formats import SOURCE_RANK

_PRECISIONS = ("day", "month", "year")


def source_rank(source: Column) -> Column:
    """Return the rank of a source in ``SOURCE_RANK``, 1 the best; an unlisted source comes last."""
    return _rank_within(source, SOURCE_RANK)


def source_at_rank(rank: Column, sources: Sequence[str] = SOURCE_RANK) -> Column:
    """Return the source of a rank among ``sources``, the best first; NULL beyond the last rank."""
    return F.try_element_at(F.array(*map(F.lit, sources)), rank.cast("int"))


def feature_rank(source: Column, feature_sources: Sequence[str]) -> Column:
    """Return the rank of a source of audio features, 1 the best; NULL for one that is not used."""
    return F.nullif(F.array_position(F.array(*map(F.lit, feature_sources)), source), F.lit(0)).cast("int")


def is_mock_rank(rank: Column) -> Column:
    """Return whether a rank in ``SOURCE_RANK`` is that of the mock API."""
    return rank == SOURCE_RANK.index(MOCK_SOURCE) + 1


def exclude_mock_value(name: str, rank: Column) -> Column:
    """Return the column ``name``, a struct with a rank; NULL if its value is the mock API's and ``rank`` is not."""
    return F.when(is_mock_rank(rank) | ~is_mock_rank(F.col(f"{name}.rank")), F.col(name))


def precision_rank(precision: Column) -> Column:
    """Return the rank of a date's precision, 1 the finest."""
    return _rank_within(precision, _PRECISIONS)


def pick_value(value: Column, *order: Column) -> Column:
    """Aggregate to the value that is not NULL and comes first by ``order``, then by the value itself.

    ``order`` must not depend on the order of rows, so that the result does not either.
    """
    return pick_first(value, *order, value)


def pick_first(value: Column, *order: Column) -> Column:
    """Aggregate to the value that is not NULL and comes first by ``order``, which must leave no tie that matters."""
    return F.min_by(value, F.when(value.isNotNull(), F.struct(*order)))


def _rank_within(value: Column, ordered_values: tuple[str, ...]) -> Column:
    position = F.array_position(F.array(*map(F.lit, ordered_values)), value)
    return F.coalesce(F.nullif(position, F.lit(0)), F.lit(len(ordered_values) + 1)).cast("int")
