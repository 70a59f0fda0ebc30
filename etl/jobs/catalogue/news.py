"""What differs between the inputs of a refresh and those of the last published catalogue."""

from dataclasses import dataclass
from functools import reduce

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from etl.formats.contracts import ANALYSED_ROW, ARTIST_ROW, TRACK_ROW
from etl.jobs.catalogue.api_frames import ApiFrames
from etl.jobs.catalogue.inputs import FileRows, read_track_rows
from etl.jobs.catalogue.state import StateDocument
from etl.storage.lake import Lake
from etl.transform.catalogue.links import Hashes, filter_by_hash, track_hash
from etl.transform.catalogue.reconciliation import add_track_identity
from etl.transform.catalogue.stages import checkpoint_to_disk
from etl.transform.catalogue.update_inputs import News


@dataclass(frozen=True)
class RefreshRows:
    """The rows of files: of the last catalogue, current ones, added and removed ones; and the API's rows about tracks.

    The API's are current ones, those that the last catalogue lacked, and those that it had and that are gone.
    """

    last_files: FileRows
    files: FileRows
    added_files: FileRows
    removed_files: FileRows
    api_rows: DataFrame
    added_api_rows: DataFrame
    removed_api_rows: DataFrame

    def read_rows(self, spark: SparkSession, lake: Lake, id_hashes: Hashes) -> DataFrame:
        """Return the current rows about the tracks with some hashes."""
        api_rows = filter_by_hash(self.api_rows, track_hash(F.col("identity")), id_hashes)
        return read_track_rows(spark, lake, self.files.input_ids, id_hashes).unionByName(api_rows)


def find_api_rows(
    last_rows: DataFrame, spotify_frames: ApiFrames, document: StateDocument
) -> tuple[DataFrame, DataFrame, DataFrame]:
    """Return the API's rows about tracks as ``RefreshRows`` has them; only those that are new are analysed.

    :param last_rows: those of the last catalogue, analysed.
    """
    if spotify_frames.state_run_id == document.api_state_run_id:
        nothing = last_rows.where(F.lit(False))
        return last_rows, nothing, nothing
    content = F.xxhash64(*TRACK_ROW.fieldNames()).alias("content")
    keys = ["track_id", "content"]
    former = last_rows.withColumn("content", content)
    present = checkpoint_to_disk(spotify_frames.track_rows.withColumn("content", content))
    added = present.join(former.select(*keys), on=keys, how="left_anti").select(*TRACK_ROW.fieldNames())
    removed = former.join(present.select(*keys), on=keys, how="left_anti").select(*last_rows.columns)
    added, removed = checkpoint_to_disk(add_track_identity(added)), checkpoint_to_disk(removed)
    unchanged = last_rows.join(F.broadcast(removed.select("track_id")), on="track_id", how="left_anti")
    return unchanged.select(*last_rows.columns).unionByName(added), added, removed


def find_news(
    rows: RefreshRows, last_api_artists: DataFrame, last_features: DataFrame, spotify_frames: ApiFrames
) -> News:
    """Return what differs.

    :param last_api_artists: the API's rows about artists of the last catalogue.
    :param last_features: ``LATEST_STATE["provider_features"]`` of the last catalogue.
    """
    changed_rows = (rows.added_files.rows, rows.removed_files.rows, rows.added_api_rows, rows.removed_api_rows)
    columns = ANALYSED_ROW.fieldNames()
    changed_artists = (
        _select_differing(last_api_artists, spotify_frames.artist_rows, ARTIST_ROW.fieldNames()),
        rows.added_files.artist_rows,
        rows.removed_files.artist_rows,
    )
    feature_columns = ["track_id", "source", "measures"]
    changed_features = _select_differing(last_features, spotify_frames.latest_features, feature_columns)
    # A refreshed track is staged even if nothing about it has changed, because its response is counted under its key.
    named_tracks = spotify_frames.input_keys.where("key_kind = 'track'").select(F.col("key").alias("track_id"))
    return News(
        rows=reduce(DataFrame.unionByName, (frame.select(*columns) for frame in changed_rows)),
        artist_rows=reduce(DataFrame.unionByName, changed_artists),
        track_ids=changed_features.select("track_id").unionByName(named_tracks).distinct(),
        input_ids=rows.added_files.input_ids,
    )


def _select_differing(former: DataFrame, present: DataFrame, columns: list[str]) -> DataFrame:
    """Return the rows that one of two frames lacks."""
    sides = (former.select(*columns), present.select(*columns))
    return sides[0].exceptAll(sides[1]).unionByName(sides[1].exceptAll(sides[0]))
