"""The pipeline that builds the catalogue: rows about tracks and artists in, the frames of the star out.

``build_catalogue`` composes the modules of this package. It derives comparable keys from names (``transform.names``),
matches rows without an id to tracks (reconciliation), groups track ids by recording (recordings), takes each field from
the source with precedence (tracks, albums, artists, genres, playlists), and collects the ids and names of each track
(aliases).
"""

from collections.abc import Sequence

from pyspark import StorageLevel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from etl.formats.contracts import MOCK_SOURCE, STAGED
from etl.formats.feature_providers import DEFAULT_FEATURE_SOURCES
from etl.transform.catalogue import albums, aliases, artists, genres, playlists, tracks
from etl.transform.catalogue.decisions import MatchDecisions, collect_decisions, list_decided_ids
from etl.transform.catalogue.reconciliation import add_track_identity, match_rows_without_id
from etl.transform.catalogue.recordings import add_mock_tracks, group_recordings
from etl.transform.catalogue.source_precedence import is_mock_rank


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
    rows = _checkpoint_to_disk(add_track_identity(track_rows.repartition("input_id", "row_number", "track_id")))
    has_mock = api_source == MOCK_SOURCE
    if has_mock:
        rows = _exclude_mock_rows_of_known_tracks(rows)
        api_playlists, snapshots = playlists.exclude_file_playlists(api_playlists, snapshots, rows)
    decisions = collect_decisions(match_decisions)
    matches = _checkpoint_to_disk(match_rows_without_id(rows, list_decided_ids(decisions.recording_differences)))
    merged_artists = artists.find_merged_artists(rows, decisions.artist_differences)
    canonical_keys = F.transform("artist_keys", lambda key: artists.canonical_artist_key(key, merged_artists))
    resolved_rows = _apply_matches(rows, matches).withColumn("artist_keys", canonical_keys)
    track_variants = _checkpoint_to_disk(tracks.build_track_variants(resolved_rows))
    own_variants = track_variants.where("NOT is_by_name")
    group_variants = _group_recordings_with_mock if has_mock else group_recordings
    recording_ids = group_variants(own_variants, decisions)
    resolved_tracks = tracks.add_provider_measures(
        tracks.resolve_track_fields(track_variants, feature_sources), latest_features, feature_sources
    )
    catalogue_tracks = _checkpoint_to_disk(
        tracks.add_recording_fields(_checkpoint_to_disk(resolved_tracks), _checkpoint_to_disk(recording_ids))
    )
    artist_credits = _checkpoint_to_disk(
        artists.build_credits(catalogue_tracks, artist_rows, merged_artists, decisions.artist_differences)
    )
    if has_mock and requested_artists is not None:
        artist_rows = _checkpoint_to_disk(
            artists.filter_needed_mock_artists(artist_rows, artist_credits, requested_artists)
        )
    genre_weights = _checkpoint_to_disk(genres.compute_genre_weights(resolved_rows))
    album_variants = _checkpoint_to_disk(albums.build_album_variants(track_variants))
    album_ids = albums.build_album_ids(catalogue_tracks, album_variants)
    frames = {
        "dim_artist": artists.build_dim_artist(artist_credits, artist_rows, merged_artists),
        "dim_album": albums.build_dim_album(album_variants, album_ids),
        "dim_track": tracks.build_dim_track(
            catalogue_tracks, album_ids, genres.select_primary_genres(genre_weights), feature_sources
        ),
        "track_alias": aliases.build_track_alias(catalogue_tracks, track_variants, matches, merged_artists),
        "bridge_track_artist": artists.build_bridge_track_artist(artist_credits),
        "bridge_track_genre": genres.build_bridge_track_genre(genre_weights),
        "dim_playlist": playlists.build_dim_playlist(rows, api_playlists, api_source),
        "playlist_snapshot": playlists.build_playlist_snapshot(api_playlists, snapshots),
        "fact_playlist_track": playlists.build_fact_playlist_track(resolved_rows, api_playlists, snapshots),
        "reconciliation": aliases.build_reconciliation(catalogue_tracks, matches, rows, decisions.recording_matches),
        "input_key": _build_input_keys(rows, artist_rows),
    }
    return {name: frame.select(*STAGED[name].fieldNames()) for name, frame in frames.items()}


def _checkpoint_to_disk(frame: DataFrame) -> DataFrame:
    # Several outputs read the frame, and a catalogue of millions of tracks must not fill the driver's memory: on disk.
    # A checkpoint also cuts the plan: later steps are planned by the frame's real size, and never repeat its plan.
    return frame.localCheckpoint(eager=True, storageLevel=StorageLevel.DISK_ONLY)


def _exclude_mock_rows_of_known_tracks(rows: DataFrame) -> DataFrame:
    is_mock_row = F.col("source") == MOCK_SOURCE
    mock_rows, source_rows = rows.where(is_mock_row), rows.where(~is_mock_row)
    known_ids = source_rows.join(F.broadcast(mock_rows.select("track_id").distinct()), on="track_id", how="left_semi")
    return source_rows.unionByName(
        mock_rows.join(known_ids.select("track_id").distinct(), on="track_id", how="left_anti").select(*rows.columns)
    )


def _group_recordings_with_mock(variants: DataFrame, decisions: MatchDecisions) -> DataFrame:
    is_mock_row = is_mock_rank(F.col("rank"))
    ids = variants.groupBy("track_id").agg(F.min(is_mock_row).alias("is_mock"))
    return add_mock_tracks(
        group_recordings(variants.where(~is_mock_row), decisions), group_recordings(variants, decisions), ids
    )


def _apply_matches(rows: DataFrame, matches: DataFrame) -> DataFrame:
    matched_ids = matches.select("identity", F.col("track_id").alias("matched_id"))
    return (
        rows.join(matched_ids, on="identity", how="left")
        .withColumn("is_by_name", F.col("matched_id").isNotNull())
        .withColumn("track_id", F.coalesce("matched_id", "identity"))
        .drop("matched_id")
    )


def _build_input_keys(rows: DataFrame, artist_rows: DataFrame) -> DataFrame:
    track_keys = rows.select("input_id", F.lit("track").alias("key_kind"), F.col("identity").alias("key"))
    artist_keys = artist_rows.select("input_id", F.lit("artist").alias("key_kind"), F.col("artist_id").alias("key"))
    keys = track_keys.unionByName(artist_keys).where("input_id IS NOT NULL").groupBy("input_id", "key_kind", "key")
    return keys.agg(F.count(F.lit(1)).alias("row_count"))
