"""The two stages of the catalogue, for all rows or for those that a run's news touch.

``reconcile_tracks`` needs all rows about each of its tracks and about the tracks that share a name, id or ISRC with it.
``build_frames`` also needs the credits and albums of further tracks, wherever they are credited to the same artists or
are on the same albums.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark import StorageLevel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from etl.formats.contracts import MOCK_SOURCE, STAGED
from etl.transform.catalogue import albums, aliases, artists, genres, playlists, tracks
from etl.transform.catalogue.decisions import MatchDecisions, list_decided_ids
from etl.transform.catalogue.reconciliation import match_rows_without_id
from etl.transform.catalogue.recordings import add_mock_tracks, group_recordings
from etl.transform.catalogue.source_precedence import is_mock_rank


@dataclass(frozen=True)
class CatalogueRules:
    """What decides beside the rows: the source of API responses, the sources of audio features and decisions."""

    api_source: str
    feature_sources: Sequence[str]
    decisions: MatchDecisions

    @property
    def has_mock(self) -> bool:
        """Whether the mock API is used: its values count only if no other source has one."""
        return self.api_source == MOCK_SOURCE


@dataclass(frozen=True)
class ReconciledTracks:
    """The tracks of rows, on disk.

    ``rows`` as given, without the mock API's rows about tracks of other sources; ``matches`` of rows without an id;
    ``merged_artists`` as given; ``resolved_rows`` with the id of their track; ``variants`` and ``tracks`` as the module
    ``tracks`` describes them.
    """

    rows: DataFrame
    matches: DataFrame
    merged_artists: Sequence[str]
    resolved_rows: DataFrame
    variants: DataFrame
    tracks: DataFrame


@dataclass(frozen=True)
class PlaylistFrames:
    """Playlists by source: of the API, as ``LATEST_STATE["api_playlist"]``, their snapshots, and rows of files.

    ``rows`` have all rows of each of their playlists, with ``track_id`` filled.
    """

    api_playlists: DataFrame
    snapshots: DataFrame
    rows: DataFrame


def checkpoint_to_disk(frame: DataFrame) -> DataFrame:
    """Compute a frame that several outputs read, and cut its plan.

    A catalogue of millions of tracks must not fill the driver's memory: it is stored on disk. Later steps are planned
    by the frame's real size, and never repeat its plan.
    """
    return frame.localCheckpoint(eager=True, storageLevel=StorageLevel.DISK_ONLY)


def exclude_mock_rows(rows: DataFrame) -> DataFrame:
    """Return rows without those of the mock API about tracks that another source reports."""
    is_mock_row = F.col("source") == MOCK_SOURCE
    mock_rows, source_rows = rows.where(is_mock_row), rows.where(~is_mock_row)
    known_ids = source_rows.join(F.broadcast(mock_rows.select("track_id").distinct()), on="track_id", how="left_semi")
    return source_rows.unionByName(
        mock_rows.join(known_ids.select("track_id").distinct(), on="track_id", how="left_anti").select(*rows.columns)
    )


def reconcile_tracks(
    rows: DataFrame, merged_artists: Sequence[str], rules: CatalogueRules, latest_features: DataFrame | None
) -> ReconciledTracks:
    """Find the track of each row, and the fields and recording of each track.

    :param rows: the result of ``reconciliation.add_track_identity``; if the mock API is used, after
        ``exclude_mock_rows``.
    :param merged_artists: the result of ``artists.list_merged_artists``.
    :param latest_features: ``LATEST_STATE["provider_features"]``; None without any.
    """
    decisions = rules.decisions
    matches = checkpoint_to_disk(match_rows_without_id(rows, list_decided_ids(decisions.recording_differences)))
    canonical_keys = F.transform("artist_keys", lambda key: artists.canonical_artist_key(key, merged_artists))
    resolved_rows = resolve_track_ids(rows, matches).withColumn("artist_keys", canonical_keys)
    variants = checkpoint_to_disk(tracks.build_track_variants(resolved_rows))
    own_variants = variants.where("NOT is_by_name")
    group_variants = _group_recordings_with_mock if rules.has_mock else group_recordings
    recording_ids = group_variants(own_variants, decisions)
    resolved_tracks = tracks.add_provider_measures(
        tracks.resolve_track_fields(variants, rules.feature_sources), latest_features, rules.feature_sources
    )
    catalogue_tracks = checkpoint_to_disk(
        tracks.add_recording_fields(checkpoint_to_disk(resolved_tracks), checkpoint_to_disk(recording_ids))
    )
    return ReconciledTracks(rows, matches, merged_artists, resolved_rows, variants, catalogue_tracks)


def resolve_track_ids(rows: DataFrame, matches: DataFrame) -> DataFrame:
    """Return rows with ``track_id`` filled by the id, the match or the name-derived id; ``is_by_name`` if matched."""
    matched_ids = matches.select("identity", F.col("track_id").alias("matched_id"))
    return (
        rows.join(matched_ids, on="identity", how="left")
        .withColumn("is_by_name", F.col("matched_id").isNotNull())
        .withColumn("track_id", F.coalesce("matched_id", "identity"))
        .drop("matched_id")
    )


def build_frames(
    reconciled: ReconciledTracks,
    rules: CatalogueRules,
    credits: DataFrame,
    artist_rows: DataFrame,
    album_variants: DataFrame,
    album_ids: DataFrame,
    playlist_frames: PlaylistFrames,
    counted_rows: DataFrame,
) -> dict[str, DataFrame]:
    """Return the staged frames of reconciled tracks, and of the artists and albums of ``credits`` and ``album_ids``.

    :param credits: the result of ``artists.build_credits``, on disk, as are the following.
    :param artist_rows: rows about the artists of ``credits``, and about further ones to stage.
    :param album_variants: the result of ``albums.build_album_variants``.
    :param album_ids: the result of ``albums.build_album_ids``.
    :param counted_rows: rows whose inputs are counted in ``input_key``.
    """
    merged_artists, catalogue_tracks = reconciled.merged_artists, reconciled.tracks
    own_credits = credits.join(catalogue_tracks.select("track_id"), on="track_id", how="left_semi")
    genre_weights = checkpoint_to_disk(genres.compute_genre_weights(reconciled.resolved_rows))
    api_playlists, snapshots = playlist_frames.api_playlists, playlist_frames.snapshots
    if rules.has_mock:
        api_playlists, snapshots = playlists.exclude_file_playlists(api_playlists, snapshots, playlist_frames.rows)
    primary_genres = genres.select_primary_genres(genre_weights)
    frames = {
        "dim_artist": artists.build_dim_artist(credits, artist_rows, merged_artists),
        "dim_album": albums.build_dim_album(album_variants, album_ids),
        "dim_track": tracks.build_dim_track(catalogue_tracks, album_ids, primary_genres, rules.feature_sources),
        "track_alias": aliases.build_track_alias(
            catalogue_tracks, reconciled.variants, reconciled.matches, merged_artists
        ),
        "bridge_track_artist": artists.build_bridge_track_artist(own_credits),
        "bridge_track_genre": genres.build_bridge_track_genre(genre_weights),
        "dim_playlist": playlists.build_dim_playlist(playlist_frames.rows, api_playlists, rules.api_source),
        "playlist_snapshot": playlists.build_playlist_snapshot(api_playlists, snapshots),
        "fact_playlist_track": playlists.build_fact_playlist_track(playlist_frames.rows, api_playlists, snapshots),
        "reconciliation": aliases.build_reconciliation(
            catalogue_tracks, reconciled.matches, reconciled.rows, rules.decisions.recording_matches
        ),
        "input_key": _build_input_keys(counted_rows, artist_rows),
    }
    return {name: frame.select(*STAGED[name].fieldNames()) for name, frame in frames.items()}


def _group_recordings_with_mock(variants: DataFrame, decisions: MatchDecisions) -> DataFrame:
    is_mock_row = is_mock_rank(F.col("rank"))
    ids = variants.groupBy("track_id").agg(F.min(is_mock_row).alias("is_mock"))
    return add_mock_tracks(
        group_recordings(variants.where(~is_mock_row), decisions), group_recordings(variants, decisions), ids
    )


def _build_input_keys(rows: DataFrame, artist_rows: DataFrame) -> DataFrame:
    track_keys = rows.select("input_id", F.lit("track").alias("key_kind"), F.col("identity").alias("key"))
    artist_keys = artist_rows.select("input_id", F.lit("artist").alias("key_kind"), F.col("artist_id").alias("key"))
    keys = track_keys.unionByName(artist_keys).where("input_id IS NOT NULL").groupBy("input_id", "key_kind", "key")
    return keys.agg(F.count(F.lit(1)).alias("row_count"))
