"""The memory as rows of the catalogue, and what the answers of a night add beside it."""

from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, StructField, StructType

from etl.schemas import ARTIST_ROW, STAGED, TRACK_ROW
from etl.transform.spotify.things import Things

SOURCE = "api"


def track_rows(memory: dict[str, DataFrame], source: str = SOURCE) -> DataFrame:
    """One row of ``TRACK_ROW`` a track, without input; artists under their newest names."""
    tracks, artists = memory["api_track"], memory["api_artist"]
    names = artists.select(F.col("artist_id").alias("id"), F.col("told.name").alias("newest_name"))
    places = tracks.select("track_id", F.posexplode("told.artist_ids").alias("place", "id"))
    newest = (
        places.join(names, on="id", how="left")
        .groupBy("track_id")
        .agg(F.array_sort(F.collect_list(F.struct("place", "newest_name"))).alias("named"))
        .select("track_id", F.transform("named", lambda one: one["newest_name"]).alias("newest_names"))
    )
    told = tracks.join(newest, on="track_id", how="left").select(
        "track_id",
        "told.*",
        "newest_names",
        "measures.value.*",
        *(F.col(f"{name}.value").alias(name) for name in ("isrc", "popularity")),
    )
    return _conformed(
        told.withColumn("artist_names", F.coalesce("newest_names", "artist_names")).withColumn("source", F.lit(source)),
        TRACK_ROW,
    )


def artist_rows(memory: dict[str, DataFrame], source: str = SOURCE) -> DataFrame:
    """One row of ``ARTIST_ROW`` an artist, without input."""
    told = memory["api_artist"].select(
        "artist_id",
        F.lit(source).alias("source"),
        F.col("told.name").alias("name"),
        *(F.col(f"{name}.value").alias(name) for name in ("popularity", "followers")),
    )
    return _conformed(told, ARTIST_ROW)


def input_keys(kinds: list[Things]) -> DataFrame:
    """The staged frame: which keys the things of each input are loaded under."""
    keys = [
        one.accepted.select("input_id", F.lit(one.key_kind).alias("key_kind"), F.col(f"{one.key_kind}_id").alias("key"))
        for one in kinds
    ]
    united = reduce(DataFrame.unionByName, keys)
    return united.groupBy("input_id", "key_kind", "key").agg(F.count(F.lit(1)).alias("row_count"))


def user_record(profiles: DataFrame) -> DataFrame:
    """The staged frame: each account's profile whenever it was another one; a field that the mode does not give is
    NULL."""
    fields = ("username", "country", "subscription_plan")
    said = profiles.groupBy("user_id", "asked_at").agg(F.max(F.struct(*fields)).alias("told"))
    last = F.lag("told").over(Window.partitionBy("user_id").orderBy("asked_at"))
    changed = said.withColumn("last", last).where("NOT told <=> last")
    given = {name: F.col(f"told.{name}") for name in fields}
    given |= {"user_id": F.col("user_id"), "valid_from": F.col("asked_at"), "source": F.lit(SOURCE)}
    schema = STAGED["user_record"]
    return changed.select(*(given.get(one.name, F.lit(None)).cast(one.dataType).alias(one.name) for one in schema))


def account_owner(profiles: DataFrame) -> DataFrame:
    """The staged frame: what playlists call each account as their owner, as its newest profile says it."""
    told = (
        profiles.where("owner_id IS NOT NULL")
        .groupBy("user_id")
        .agg(F.max_by("owner_id", "asked_at").alias("owner_id"))
    )
    return told.select(*STAGED["account_owner"].fieldNames())


def fact_track_popularity(tracks: DataFrame) -> DataFrame:
    """The staged frame: the last popularity that was said of each track on each day (UTC).

    :param tracks: accepted things.
    """
    return _last_of_day(tracks, "fact_track_popularity", "track_id", ("popularity",))


def fact_artist_popularity(artists: DataFrame) -> DataFrame:
    """The staged frame: the last popularity and followers that were said of each artist on each day (UTC).

    :param artists: accepted things.
    """
    return _last_of_day(artists, "fact_artist_popularity", "artist_id", ("popularity", "followers"))


def _last_of_day(things: DataFrame, table: str, id_: str, said: tuple[str, ...]) -> DataFrame:
    day = F.to_date("asked_at").alias("asked_on")
    last = (
        things.where(F.coalesce(*said).isNotNull())
        .groupBy(id_, day)
        .agg(F.max(F.struct("asked_at", *said)).alias("last"))
        .select(id_, "asked_on", *(F.col(f"last.{name}").alias(name) for name in said))
    )
    return last.select(*STAGED[table].fieldNames())


def refresh_state(lines: DataFrame) -> DataFrame:
    """The staged frame: when each track, artist and track's audio features was asked for, found or not."""
    kinds = {
        "track": "track",
        "tracks": "track",
        "artist": "artist",
        "artists": "artist",
        "audio_features": "audio_features",
    }
    kind = F.create_map(*(F.lit(word) for pair in kinds.items() for word in pair))[F.col("endpoint")]
    in_batch = F.split(F.col("query")["ids"], ",")
    alone = F.array(F.element_at(F.split("path", "/"), -1))
    return (
        lines.where(F.col("endpoint").isin(*kinds))
        .select(kind.alias("kind"), F.explode(F.coalesce(in_batch, alone)).alias("id"), "asked_at")
        .groupBy("kind", "id")
        .agg(F.max("asked_at").alias("asked_at"))
        .select(*STAGED["refresh_state"].fieldNames())
    )


def linked_aliases(memory: dict[str, DataFrame]) -> DataFrame:
    """Rows of the staged track_alias: ids that the API has relinked to other ones."""
    linked = memory["api_track"].where("linked_id IS NOT NULL AND linked_id.value <> track_id")
    return (
        linked.groupBy(F.col("linked_id.value").alias("alias_value"))
        .agg(F.min("track_id").alias("track_id"))
        .select(
            F.lit("linked_id").alias("alias_kind"),
            "alias_value",
            "track_id",
            F.lit("linked").alias("method"),
            F.lit(1.0).alias("score"),
        )
    )


def _conformed(frame: DataFrame, schema: StructType) -> DataFrame:
    """The columns of a schema, NULL where the frame has none. Parquet forgets that a list holds no NULL."""
    present = set(frame.columns)

    def column(field: StructField) -> Column:
        if field.name not in present:
            return F.lit(None).cast(field.dataType)
        is_list = isinstance(field.dataType, ArrayType)
        return F.array_compact(F.col(field.name)) if is_list else F.col(field.name).cast(field.dataType)

    return frame.select(*(column(field).alias(field.name) for field in schema.fields))
