"""What an update of a catalogue reads: the last catalogue, the current inputs, and what differs between them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pyspark.sql import DataFrame

from etl.transform.catalogue.decisions import MatchDecisions
from etl.transform.catalogue.links import Hashes, NameLinks
from etl.transform.catalogue.parts import CatalogueParts


class RowLinks(NamedTuple):
    """The result of ``links.build_row_links``, collected.

    Those of rows that the last catalogue and the current one both have may be in one of them only, and those of news in
    none.
    """

    id_hash: Hashes
    node: Hashes
    artist: Hashes


@dataclass(frozen=True)
class LastCatalogue:
    """The catalogue of the last run: its links, its rows about artists, its parts, and what was decided.

    ``read_parts`` returns the parts of the tracks with some hashes, without a scan of Spark.
    """

    row_links: RowLinks
    credit_links: NameLinks
    album_links: NameLinks
    artist_rows: DataFrame
    parts: CatalogueParts
    read_parts: Callable[[Hashes], CatalogueParts]
    merged_artists: Sequence[str]
    decisions: MatchDecisions


@dataclass(frozen=True)
class CurrentInputs:
    """The rows of the current inputs: parameters as for ``pipeline.build_from_rows``.

    ``rows`` are analysed by ``reconciliation.add_track_identity``, and ``row_links`` are theirs; ``read_rows`` returns
    those about the tracks with some hashes.
    """

    rows: DataFrame
    read_rows: Callable[[Hashes], DataFrame]
    row_links: RowLinks
    artist_rows: DataFrame
    api_playlists: DataFrame
    snapshots: DataFrame
    requested_artists: DataFrame
    latest_features: DataFrame | None


@dataclass(frozen=True)
class News:
    """What differs from the last run.

    ``rows``: added and removed rows about tracks, as ``CurrentInputs`` has them; ``artist_rows``: artist_id, name of
    added and removed rows about artists; ``track_ids``: track_id of further tracks to stage; ``input_ids``: the inputs
    whose rows are counted.
    """

    rows: DataFrame
    artist_rows: DataFrame
    track_ids: DataFrame
    input_ids: Sequence[str]
