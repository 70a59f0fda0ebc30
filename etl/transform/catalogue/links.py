"""What connects tracks, artists and albums: pairs of hashes, and everything that is connected with some of them.

A key that two rows share (an id, an ISRC, a title with one of its artists) is a node, and so is each track. News about
a track can change what is reconciled about another one only along such links. Two keys with one hash add a link that
does not exist: then a few more rows are reconciled, with the same result.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

Hashes = npt.NDArray[np.int64]
NO_HASHES: Hashes = np.empty(0, dtype=np.int64)


class NameLinks(NamedTuple):
    """The result of ``build_credit_links`` or ``build_album_links``, collected."""

    id_hash: Hashes
    name_node: Hashes
    id_node: Hashes

    def find_tracks_of_new_ids(self, others: "NameLinks") -> Hashes:
        """Return the tracks of names that other links connect with an id, as none of these links does."""
        is_new = (others.id_node != 0) & ~is_among(_combine(others), _combine(self))
        return self.id_hash[is_among(self.name_node, others.name_node[is_new])]


def track_hash(track_id: Column) -> Column:
    """Return the node of a track id, or of the name-derived id of a row without one."""
    return F.xxhash64(F.lit("track"), track_id)


def artist_name_node(key: Column) -> Column:
    """Return the node of an artist's name: one for all spellings, with a leading "the" or without."""
    return F.xxhash64(F.lit("artist name"), F.regexp_replace(key, r"^(the )+(?=\S)", ""))


def artist_id_node(artist_id: Column) -> Column:
    """Return the node of an artist's id; 0 for NULL."""
    return _id_node("artist", artist_id)


def build_row_links(rows: DataFrame) -> DataFrame:
    """Return the links of rows, as ``contracts.ROW_LINK``: the hash of the track, a key that it shares, and the artist.

    ``node`` is an ISRC, or title and version with one of the artists, and ``artist`` is then this artist's node.

    :param rows: the result of ``reconciliation.add_track_identity``.
    """
    id_hash = track_hash(F.col("identity")).alias("id_hash")
    artist = artist_name_node(F.col("artist_key"))
    by_name = rows.select("input_id", id_hash, "title", "version", F.explode("artist_keys").alias("artist_key")).select(
        "input_id",
        "id_hash",
        F.xxhash64(F.lit("name"), "title", "version", artist).alias("node"),
        artist.alias("artist"),
    )
    by_isrc = rows.where("isrc IS NOT NULL").select(
        "input_id", id_hash, F.xxhash64(F.lit("isrc"), "isrc").alias("node"), F.lit(None).cast("long").alias("artist")
    )
    return by_name.unionByName(by_isrc).distinct()


def build_credit_links(tracks: DataFrame) -> DataFrame:
    """Return the links of credits: id_hash (of the track), name_node and id_node (0 without an id) of each artist.

    :param tracks: track_id, artists (struct of names, ids, keys).
    """
    no_ids = F.array_repeat(F.lit(None).cast("string"), F.size("artists.keys"))
    pairs = F.arrays_zip(F.col("artists.keys").alias("key"), F.coalesce("artists.ids", no_ids).alias("id"))
    return tracks.select(track_hash(F.col("track_id")).alias("id_hash"), F.explode(pairs).alias("artist")).select(
        "id_hash",
        artist_name_node(F.col("artist.key")).alias("name_node"),
        artist_id_node(F.col("artist.id")).alias("id_node"),
    )


def build_row_credit_links(rows: DataFrame) -> DataFrame:
    """Return the links of the credits of rows, as ``build_credit_links`` does for tracks.

    :param rows: the result of ``reconciliation.add_track_identity``.
    """
    artists = F.struct(F.col("artist_ids").alias("ids"), F.col("artist_keys").alias("keys")).alias("artists")
    return build_credit_links(rows.select(F.col("identity").alias("track_id"), artists))


def build_album_links(album_parts: DataFrame) -> DataFrame:
    """Return the links of albums: id_hash (of the track), name_node and id_node (0 without an id).

    :param album_parts: track_id, album_id, album_name_derived_id.
    """
    return album_parts.select(
        track_hash(F.col("track_id")).alias("id_hash"),
        album_name_node(F.col("album_name_derived_id")).alias("name_node"),
        _id_node("album", F.col("album_id")).alias("id_node"),
    ).distinct()


def album_name_node(name_derived_id: Column) -> Column:
    """Return the node of an album's name and first artist."""
    return F.xxhash64(F.lit("album name"), name_derived_id)


def get_columns(table: pa.Table) -> list[Hashes]:
    """Return the columns of hashes; a NULL becomes 0."""
    return [np.asarray(pc.fill_null(column, 0).to_numpy()) for column in table.columns]


def collect_columns(links: DataFrame) -> list[Hashes]:
    """Collect columns of hashes; a NULL becomes 0."""
    return get_columns(links.toArrow())


def is_among(values: Hashes, hashes: Hashes) -> npt.NDArray[np.bool_]:
    """Return for each value whether it is one of the hashes."""
    return np.asarray(pc.is_in(pa.array(values), value_set=pa.array(hashes)))


def hash_values(spark: SparkSession, values: Iterable[str], node: Column) -> Hashes:
    """Return the hashes of values.

    :param node: a function of the column ``value``.
    """
    rows = sorted(set(values))
    if not rows:
        return NO_HASHES
    frame = spark.createDataFrame(pa.table({"value": pa.array(rows, pa.string())}))
    return collect_columns(frame.select(node.alias("node")))[0]


def find_reached(seeds: Hashes, edges: Iterable[tuple[Hashes, Hashes]]) -> Hashes:
    """Return all nodes that edges connect with seeds, the seeds included; sorted. An end that is 0 is no node."""
    pairs = list(edges)
    left = np.concatenate([pair[0] for pair in pairs]) if pairs else NO_HASHES
    right = np.concatenate([pair[1] for pair in pairs]) if pairs else NO_HASHES
    right = np.where(right == 0, left, right)
    reached = front = np.unique(seeds[seeds != 0])
    while len(front):
        is_near = is_among(left, front) | is_among(right, front)
        front = np.setdiff1d(np.concatenate([left[is_near], right[is_near]]), reached)
        reached = np.union1d(reached, front)
        left, right = left[~is_near], right[~is_near]
    return reached


def filter_by_hash(frame: DataFrame, node: Column, hashes: Hashes, is_inside: bool = True) -> DataFrame:
    """Return the rows whose node is among hashes, or those whose node is not."""
    if not len(hashes):
        return frame.where(F.lit(False)) if is_inside else frame
    keys = frame.sparkSession.createDataFrame(pa.table({"filtered_node": pa.array(hashes, pa.int64())}))
    how = "left_semi" if is_inside else "left_anti"
    return frame.join(F.broadcast(keys), on=node == F.col("filtered_node"), how=how)


def _combine(links: NameLinks) -> Hashes:
    """Return a hash of both ends."""
    return links.name_node * np.int64(31) + links.id_node


def _id_node(kind: str, value: Column) -> Column:
    return F.when(value.isNotNull(), F.xxhash64(F.lit(kind), value)).otherwise(F.lit(0))
