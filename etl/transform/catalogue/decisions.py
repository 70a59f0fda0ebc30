"""Decisions of analysts about ids: two are one recording, or two are not one recording or artist."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from etl.formats.contracts import STAGED

IdPair = tuple[str, str]
_SEPARATOR = "\u0001"


@dataclass(frozen=True)
class MatchDecisions:
    """Decisions by their kind; each pair in the order of its ids."""

    recording_matches: frozenset[IdPair] = frozenset()
    recording_differences: frozenset[IdPair] = frozenset()
    artist_differences: frozenset[IdPair] = frozenset()


NO_DECISIONS = MatchDecisions()


def collect_decisions(decisions: DataFrame | None) -> MatchDecisions:
    """Collect decisions: they are made by hand, so there are few.

    :param decisions: columns kind, first_id, second_id, is_match; None for none.
    """
    columns = STAGED["match_decision"].fieldNames()
    return parse_decisions(decisions.select(*columns).collect() if decisions is not None else [])


def parse_decisions(rows: Iterable[Sequence[Any]]) -> MatchDecisions:
    """Return decisions by their kind.

    :param rows: values in the order of ``STAGED["match_decision"]``.
    """
    columns = STAGED["match_decision"].fieldNames()
    decisions = [dict(zip(columns, row, strict=True)) for row in rows]

    def select_pairs(kind: str, is_match: bool) -> frozenset[IdPair]:
        pairs = (
            sorted((decision["first_id"], decision["second_id"]))
            for decision in decisions
            if decision["kind"] == kind and decision["is_match"] == is_match
        )
        return frozenset((first_id, second_id) for first_id, second_id in pairs)

    return MatchDecisions(
        select_pairs("recording", True), select_pairs("recording", False), select_pairs("artist", False)
    )


def is_decided_pair(first_id: Column, second_id: Column, pairs: Collection[IdPair]) -> Column:
    """Return whether two ids are one of the pairs, in either order; false for a NULL."""
    if not pairs:
        return F.lit(False)
    pair = F.concat_ws(_SEPARATOR, F.least(first_id, second_id), F.greatest(first_id, second_id))
    return F.coalesce(pair.isin(*sorted(_SEPARATOR.join(ids) for ids in pairs)), F.lit(False))


def list_decided_ids(pairs: Iterable[IdPair]) -> list[str]:
    """Return the ids of pairs, sorted."""
    return sorted({track_id for pair in pairs for track_id in pair})
