"""All that the lake knows of tracks and artists, made one catalogue: rows in, the frames of the star out.

``build`` composes the modules beside it: names are compared (names), rows without an id find their track (reconcile),
ids of one recording are grouped (recordings), each field is taken from the source that wins it (tracks, albums,
artists, genres, playlists), and what a track is found under is written down (aliases).
"""

from pyspark import StorageLevel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from etl.schemas import MOCK_SOURCE, STAGED
from etl.transform import albums, aliases, artists, genres, playlists, tracks
from etl.transform.reconcile import identified, recognised
from etl.transform.recordings import recordings, with_mock
from etl.transform.winners import is_mock


def build(
    track_rows: DataFrame,
    artist_rows: DataFrame,
    read_playlists: DataFrame,
    snapshots: DataFrame,
    asked_artists: DataFrame | None = None,
    api_source: str = "api",
) -> dict[str, DataFrame]:
    """The catalogue of all current inputs.

    :param track_rows: accepted rows of ``TRACK_ROW`` of all current inputs.
    :param artist_rows: accepted rows of ``ARTIST_ROW`` of all current inputs.
    :param read_playlists: what the API said of playlists, as ``MEMORY["api_playlist"]``; it wins over files.
    :param snapshots: the snapshots of playlists to load, as ``spotify.memory.known_snapshots`` gives them.
    :param asked_artists: artist_id of artists that new answers of the API are about.
    :param api_source: ``MOCK_SOURCE`` where the mock API answered. What it says of anything that another source tells
        of, too, counts for nothing.
    :returns: frames of ``STAGED`` by name: dim_artist, dim_album, dim_track (cluster and newness NULL), track_alias,
        bridge_track_artist, bridge_track_genre, dim_playlist, playlist_snapshot, fact_playlist_track,
        reconciliation, input_key (of tracks and artists). They do not depend on the order of rows or inputs, nor on
        partitions.
    """
    # Files arrive one a task; taking names apart is the dearest step, so the rows are dealt out first.
    rows = _kept(identified(track_rows.repartition("input_id", "row_number", "track_id")))
    has_mock = api_source == MOCK_SOURCE
    if has_mock:
        rows = _without_mock_of_told_tracks(rows)
        read_playlists, snapshots = playlists.not_listed(read_playlists, snapshots, rows)
    matches = _kept(recognised(rows))
    united = artists.united_artists(rows)
    keys = F.transform("artist_keys", lambda key: artists.unite(key, united))
    resolved = _resolved(rows, matches).withColumn("artist_keys", keys)
    said = _kept(tracks.variants(resolved))
    own = said.where("NOT is_by_name")
    groups = _recordings_with_mock(own) if has_mock else recordings(own)
    catalogue = _kept(tracks.with_recording(_kept(tracks.won_fields(said)), _kept(groups)))
    credited = _kept(artists.credits(catalogue, artist_rows, united))
    if has_mock and asked_artists is not None:
        artist_rows = _kept(artists.credited_or_asked(artist_rows, credited, asked_artists))
    weighted = _kept(genres.weighted_genres(resolved))
    album_said = _kept(albums.album_variants(said))
    album_ids = albums.album_ids(catalogue, album_said)
    frames = {
        "dim_artist": artists.dim_artist(credited, artist_rows, united),
        "dim_album": albums.dim_album(album_said, album_ids),
        "dim_track": tracks.dim_track(catalogue, album_ids, genres.primary_genres(weighted)),
        "track_alias": aliases.track_alias(catalogue, said, matches, united),
        "bridge_track_artist": artists.bridge_track_artist(credited),
        "bridge_track_genre": genres.bridge_track_genre(weighted),
        "dim_playlist": playlists.dim_playlist(rows, read_playlists, api_source),
        "playlist_snapshot": playlists.playlist_snapshot(read_playlists, snapshots),
        "fact_playlist_track": playlists.fact_playlist_track(resolved, read_playlists, snapshots),
        "reconciliation": aliases.reconciliation(catalogue, matches, rows),
        "input_key": _input_keys(rows, artist_rows),
    }
    return {name: frame.select(*STAGED[name].fieldNames()) for name, frame in frames.items()}


def _kept(frame: DataFrame) -> DataFrame:
    # On disk: several outputs read it, and a catalogue of millions must not fill the driver's memory. Without its
    # history: what follows is planned from here, by its real size, instead of from the files again and again.
    return frame.localCheckpoint(eager=True, storageLevel=StorageLevel.DISK_ONLY)


def _without_mock_of_told_tracks(rows: DataFrame) -> DataFrame:
    of_mock = F.col("source") == MOCK_SOURCE
    mock, told = rows.where(of_mock), rows.where(~of_mock)
    ids = told.join(F.broadcast(mock.select("track_id").distinct()), on="track_id", how="left_semi")
    return told.unionByName(
        mock.join(ids.select("track_id").distinct(), on="track_id", how="left_anti").select(*rows.columns)
    )


def _recordings_with_mock(mentions: DataFrame) -> DataFrame:
    of_mock = is_mock(F.col("rank"))
    ids = mentions.groupBy("track_id").agg(F.min(of_mock).alias("is_mock"))
    return with_mock(recordings(mentions.where(~of_mock)), recordings(mentions), ids)


def _resolved(rows: DataFrame, matches: DataFrame) -> DataFrame:
    found = matches.select("identity", F.col("track_id").alias("found_id"))
    return (
        rows.join(found, on="identity", how="left")
        .withColumn("is_by_name", F.col("found_id").isNotNull())
        .withColumn("track_id", F.coalesce("found_id", "identity"))
        .drop("found_id")
    )


def _input_keys(rows: DataFrame, artist_rows: DataFrame) -> DataFrame:
    of_tracks = rows.select("input_id", F.lit("track").alias("key_kind"), F.col("identity").alias("key"))
    of_artists = artist_rows.select("input_id", F.lit("artist").alias("key_kind"), F.col("artist_id").alias("key"))
    keys = of_tracks.unionByName(of_artists).where("input_id IS NOT NULL").groupBy("input_id", "key_kind", "key")
    return keys.agg(F.count(F.lit(1)).alias("row_count"))
