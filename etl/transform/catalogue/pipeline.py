"""The pipeline that builds the catalogue: rows about tracks and artists in, the frames of the star out.

``build_catalogue`` composes the modules of this package for all rows. It derives comparable keys from names
(``transform.names``), matches rows without an id to tracks (reconciliation), groups track ids by recording
(recordings), takes each field from the source with precedence (tracks, albums, artists, genres, playlists), and
collects the ids and names of each track (aliases). ``update`` does the same for the rows that news touch.
"""

from collections.abc import Sequence

from pyspark.sql import DataFrame

from etl.formats.feature_providers import DEFAULT_FEATURE_SOURCES
from etl.transform.catalogue import albums, artists
from etl.transform.catalogue.decisions import collect_decisions
from etl.transform.catalogue.reconciliation import add_track_identity
from etl.transform.catalogue.stages import (
    CatalogueRules,
    PlaylistFrames,
    ReconciledTracks,
    build_frames,
    checkpoint_to_disk,
    exclude_mock_rows,
    reconcile_tracks,
)


def build_catalogue(
    track_rows: DataFrame,
    artist_rows: DataFrame,
    api_playlists: DataFrame,
    snapshots: DataFrame,
    requested_artists: DataFrame | None = None,
    api_source: str = "api",
    latest_features: DataFrame | None = None,
    feature_sources: Sequence[str] = DEFAULT_FEATURE_SOURCES,
    match_decisions: DataFrame | None = None,
) -> dict[str, DataFrame]:
    """Build the catalogue of all current inputs.

    :param track_rows: accepted rows of ``TRACK_ROW`` of all current inputs.
    :param artist_rows: accepted rows of ``ARTIST_ROW`` of all current inputs.
    :param api_playlists: as ``LATEST_STATE["api_playlist"]``; they take precedence over files.
    :param snapshots: the snapshots of playlists to load, the result of ``spotify.latest_state.merge_snapshots``.
    :param requested_artists: artist_id of the artists in new API responses.
    :param api_source: ``MOCK_SOURCE`` if the mock API is used. Its values count only if no other source has one.
    :param latest_features: audio features of further providers: ``LATEST_STATE["provider_features"]``.
    :param feature_sources: the sources whose audio features count, best first.
    :param match_decisions: what analysts have decided about ids, as ``STAGED["match_decision"]``; None for nothing.
    :returns: frames of ``STAGED`` by name: dim_artist, dim_album, dim_track (cluster and newness NULL), track_alias,
        bridge_track_artist, bridge_track_genre, dim_playlist, playlist_snapshot, fact_playlist_track,
        reconciliation, input_key (of tracks and artists). They do not depend on the order or partitions of rows.
    """
    # A file is one task. Splitting titles is the most expensive step, so the rows are spread over the cores first.
    rows = checkpoint_to_disk(add_track_identity(track_rows.repartition("input_id", "row_number", "track_id")))
    rules = CatalogueRules(api_source, feature_sources, collect_decisions(match_decisions))
    frames, _, _ = build_from_rows(
        rows, artist_rows, api_playlists, snapshots, requested_artists, latest_features, rules
    )
    return frames


def build_from_rows(
    rows: DataFrame,
    artist_rows: DataFrame,
    api_playlists: DataFrame,
    snapshots: DataFrame,
    requested_artists: DataFrame | None,
    latest_features: DataFrame | None,
    rules: CatalogueRules,
) -> tuple[dict[str, DataFrame], ReconciledTracks, DataFrame]:
    """Build the catalogue of analysed rows; parameters as for ``build_catalogue``.

    :param rows: the result of ``reconciliation.add_track_identity``.
    :returns: the frames, the tracks they are built from, and the result of ``artists.find_merge_evidence``.
    """
    rows = exclude_mock_rows(rows) if rules.has_mock else rows
    evidence = checkpoint_to_disk(artists.find_merge_evidence(rows))
    artist_differences = rules.decisions.artist_differences
    merged_artists = artists.list_merged_artists(evidence, artist_differences)
    reconciled = reconcile_tracks(rows, merged_artists, rules, latest_features)
    credits = checkpoint_to_disk(
        artists.build_credits(reconciled.tracks, artist_rows, merged_artists, artist_differences)
    )
    if rules.has_mock and requested_artists is not None:
        artist_rows = checkpoint_to_disk(artists.filter_needed_mock_artists(artist_rows, credits, requested_artists))
    album_variants = checkpoint_to_disk(albums.build_album_variants(reconciled.variants))
    album_ids = albums.build_album_ids(reconciled.tracks, album_variants)
    playlist_frames = PlaylistFrames(api_playlists, snapshots, reconciled.resolved_rows)
    frames = build_frames(reconciled, rules, credits, artist_rows, album_variants, album_ids, playlist_frames, rows)
    return frames, reconciled, evidence
