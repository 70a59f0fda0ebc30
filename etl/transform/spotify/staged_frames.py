"""The latest state as rows of the catalogue, and the staged frames that new responses add."""

from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, StructField, StructType

from etl.formats.contracts import ARTIST_ROW, STAGED, TRACK_ROW
from etl.transform.spotify.resources import ParsedResources
from etl.transform.validation import select_schema_columns

SOURCE = "api"


def build_track_rows(latest_state: dict[str, DataFrame], source: str = SOURCE) -> DataFrame:
    """Return one row of ``TRACK_ROW`` a track, without input; artists have their newest names."""
    tracks, artists = latest_state["api_track"], latest_state["api_artist"]
    newest_artist_names = artists.select(F.col("artist_id").alias("id"), F.col("told.name").alias("newest_name"))
    artist_positions = tracks.select("track_id", F.posexplode("told.artist_ids").alias("position", "id"))
    names_by_track = (
        artist_positions.join(newest_artist_names, on="id", how="left")
        .groupBy("track_id")
        .agg(F.array_sort(F.collect_list(F.struct("position", "newest_name"))).alias("artists"))
        .select("track_id", F.transform("artists", lambda artist: artist["newest_name"]).alias("newest_names"))
    )
    track_states = tracks.join(names_by_track, on="track_id", how="left").select(
        "track_id",
        "told.*",
        "newest_names",
        "measures.value.*",
        *(F.col(f"{name}.value").alias(name) for name in ("isrc", "popularity")),
    )
    return _conform_to_schema(
        track_states.withColumn("artist_names", F.coalesce("newest_names", "artist_names")).withColumn(
            "source", F.lit(source)
        ),
        TRACK_ROW,
    )


def build_artist_rows(latest_state: dict[str, DataFrame], source: str = SOURCE) -> DataFrame:
    """Return one row of ``ARTIST_ROW`` an artist, without input."""
    artist_states = latest_state["api_artist"].select(
        "artist_id",
        F.lit(source).alias("source"),
        F.col("told.name").alias("name"),
        *(F.col(f"{name}.value").alias(name) for name in ("popularity", "followers")),
    )
    return _conform_to_schema(artist_states, ARTIST_ROW)


def build_input_keys(resource_kinds: list[ParsedResources]) -> DataFrame:
    """Return the staged frame input_key: the keys under which the resources of each input are loaded."""
    keys = [
        resources.accepted.select(
            "input_id", F.lit(resources.key_kind).alias("key_kind"), F.col(f"{resources.key_kind}_id").alias("key")
        )
        for resources in resource_kinds
    ]
    all_keys = reduce(DataFrame.unionByName, keys)
    return all_keys.groupBy("input_id", "key_kind", "key").agg(F.count(F.lit(1)).alias("row_count"))


def build_user_record(profiles: DataFrame) -> DataFrame:
    """Return the staged frame user_record: an account's profile at each change.

    A field that the API does not return in its mode is NULL.
    """
    fields = ("username", "country", "subscription_plan")
    profile_states = profiles.groupBy("user_id", "asked_at").agg(F.max(F.struct(*fields)).alias("profile"))
    previous_profile = F.lag("profile").over(Window.partitionBy("user_id").orderBy("asked_at"))
    changed_profiles = profile_states.withColumn("previous", previous_profile).where("NOT profile <=> previous")
    columns_by_name = {name: F.col(f"profile.{name}") for name in fields}
    columns_by_name |= {"user_id": F.col("user_id"), "valid_from": F.col("asked_at"), "source": F.lit(SOURCE)}
    return changed_profiles.select(*select_schema_columns(columns_by_name, STAGED["user_record"]))


def build_account_owner(profiles: DataFrame) -> DataFrame:
    """Return the staged frame account_owner: the owner id of each account in playlists, by its newest profile."""
    owners = (
        profiles.where("owner_id IS NOT NULL")
        .groupBy("user_id")
        .agg(F.max_by("owner_id", "asked_at").alias("owner_id"))
    )
    return owners.select(*STAGED["account_owner"].fieldNames())


def build_fact_track_popularity(tracks: DataFrame) -> DataFrame:
    """Return the staged frame fact_track_popularity: the last popularity of each track on each day (UTC).

    :param tracks: accepted resources.
    """
    return _select_last_of_day(tracks, "fact_track_popularity", "track_id", ("popularity",))


def build_fact_artist_popularity(artists: DataFrame) -> DataFrame:
    """Return the staged frame fact_artist_popularity: the last popularity and followers of each artist a day (UTC).

    :param artists: accepted resources.
    """
    return _select_last_of_day(artists, "fact_artist_popularity", "artist_id", ("popularity", "followers"))


def _select_last_of_day(resources: DataFrame, table: str, id_: str, measure_columns: tuple[str, ...]) -> DataFrame:
    day = F.to_date("asked_at").alias("asked_on")
    last_values = (
        resources.where(F.coalesce(*measure_columns).isNotNull())
        .groupBy(id_, day)
        .agg(F.max(F.struct("asked_at", *measure_columns)).alias("last"))
        .select(id_, "asked_on", *(F.col(f"last.{name}").alias(name) for name in measure_columns))
    )
    return last_values.select(*STAGED[table].fieldNames())


def build_refresh_state(lines: DataFrame) -> DataFrame:
    """Return the staged frame refresh_state: the last request for each track, artist and audio features.

    ``is_found`` is NULL for tracks and artists.
    """
    kinds = {
        "track": "track",
        "tracks": "track",
        "artist": "artist",
        "artists": "artist",
        "audio_features": "audio_features",
    }
    kind = F.create_map(*(F.lit(literal) for pair in kinds.items() for literal in pair))[F.col("endpoint")]
    batch_ids = F.split(F.col("query")["ids"], ",")
    single_id = F.array(F.element_at(F.split("path", "/"), -1))
    features = F.from_json("body", "audio_features array<string>")["audio_features"]
    # A JSON null among strings is NULL, or the text "null".
    is_found = F.coalesce(F.get(features, F.col("position")), F.lit("null")) != "null"
    return (
        lines.where(F.col("endpoint").isin(*kinds))
        .select(
            kind.alias("kind"),
            F.posexplode(F.coalesce(batch_ids, single_id)).alias("position", "id"),
            "asked_at",
            "body",
        )
        .withColumn("is_found", F.when(F.col("kind") == "audio_features", is_found))
        .groupBy("kind", "id")
        .agg(F.max(F.struct("asked_at", "is_found")).alias("last"))
        .select("kind", "id", "last.*")
        .select(*STAGED["refresh_state"].fieldNames())
    )


def build_linked_aliases(latest_state: dict[str, DataFrame]) -> DataFrame:
    """Return rows of the staged frame track_alias: ids that the API has relinked to other tracks."""
    linked_tracks = latest_state["api_track"].where("linked_id IS NOT NULL AND linked_id.value <> track_id")
    return (
        linked_tracks.groupBy(F.col("linked_id.value").alias("alias_value"))
        .agg(F.min("track_id").alias("track_id"))
        .select(
            F.lit("linked_id").alias("alias_kind"),
            "alias_value",
            "track_id",
            F.lit("linked").alias("method"),
            F.lit(1.0).alias("score"),
        )
    )


def _conform_to_schema(frame: DataFrame, schema: StructType) -> DataFrame:
    """Return the columns of a schema; a column that the frame lacks is NULL."""
    column_names = set(frame.columns)

    def select_column(field: StructField) -> Column:
        if field.name not in column_names:
            return F.lit(None).cast(field.dataType)
        # Parquet does not store that a list has no NULL items: array_compact restores the type of the schema.
        is_list = isinstance(field.dataType, ArrayType)
        return F.array_compact(F.col(field.name)) if is_list else F.col(field.name).cast(field.dataType)

    return frame.select(*(select_column(field).alias(field.name) for field in schema.fields))
