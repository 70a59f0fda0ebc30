"""The users, artists, tracks, playlists and contexts that events name, each once."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from etl.schemas import STAGED

CONTEXT = tuple(STAGED["event_context"].names)


def members(rows: DataFrame) -> dict[str, DataFrame]:
    """The staged frames ``event_user``, ``event_artist``, ``event_track``, ``event_playlist`` and ``event_context``.

    :param rows: what ``rows.identified`` returns; read once for each frame.
    """
    users = rows.groupBy("user_id").agg(F.min("source").alias("source"))
    tracks = rows.where("track_id IS NOT NULL").groupBy("track_id")
    told = F.min(F.struct(F.col("track_name").alias("name"), "artist_id", "artist_name", "source"))
    named = tracks.agg(told.alias("told")).select("track_id", "told.*")
    followed = rows.where("artist_id IS NOT NULL").groupBy("artist_id")
    artists = followed.agg(F.min(F.struct(F.col("artist_name").alias("name"), "source")).alias("told"))
    playlists = rows.where("playlist_id IS NOT NULL").groupBy("playlist_id").agg(F.min("source").alias("source"))
    return {
        "event_user": users,
        "event_artist": artists.select("artist_id", "told.*"),
        "event_track": named.select("track_id", "name", "artist_id", "source"),
        "event_playlist": playlists,
        "event_context": rows.where("activity_type = 'PLAY'").select(*CONTEXT).distinct(),
    }
