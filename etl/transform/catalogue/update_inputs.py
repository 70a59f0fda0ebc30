"""What an update of a catalogue reads: the last catalogue, the current inputs, and what differs between them."""

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame

from etl.transform.catalogue.decisions import MatchDecisions
from etl.transform.catalogue.links import Hashes, collect_columns
from etl.transform.catalogue.parts import CatalogueParts


@dataclass(frozen=True)
class RowLinks:
    """The result of ``links.build_row_links``, collected.

    Those of rows that the last catalogue and the current one both have may be in one of them only.
    """

    id_hash: Hashes
    node: Hashes
    artist: Hashes

    @staticmethod
    def collect(links: DataFrame) -> "RowLinks":
        """Collect links."""
        return RowLinks(*collect_columns(links.select("id_hash", "node", "artist")))


@dataclass(frozen=True)
class LastCatalogue:
    """The catalogue of the last run: its rows' links, its rows about artists, its parts, and what was decided."""

    row_links: RowLinks
    artist_rows: DataFrame
    parts: CatalogueParts
    merged_artists: Sequence[str]
    decisions: MatchDecisions


@dataclass(frozen=True)
class CurrentInputs:
    """The rows of the current inputs: parameters as for ``pipeline.build_from_rows``.

    ``rows`` are analysed by ``reconciliation.add_track_identity``, and ``row_links`` are theirs.
    """

    rows: DataFrame
    row_links: RowLinks
    artist_rows: DataFrame
    api_playlists: DataFrame
    snapshots: DataFrame
    requested_artists: DataFrame
    latest_features: DataFrame | None


@dataclass(frozen=True)
class News:
    """What differs from the last run.

    ``rows``: identity, track_id, playlist_id of added and removed rows about tracks; ``artist_rows``: artist_id, name
    of added and removed rows about artists; ``track_ids``: track_id of further tracks to stage; ``input_ids``: the
    inputs whose rows are counted.
    """

    rows: DataFrame
    artist_rows: DataFrame
    track_ids: DataFrame
    input_ids: Sequence[str]
