"""The nodes of what differs between two catalogues, collected at once, and the tracks with which an update begins."""

from dataclasses import dataclass

import numpy as np
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from etl.engines.small_frames import collect_tables
from etl.transform.catalogue.decisions import MatchDecisions
from etl.transform.catalogue.links import (
    Hashes,
    NameLinks,
    artist_id_node,
    artist_name_node,
    build_album_links,
    build_row_credit_links,
    build_row_links,
    get_columns,
    hash_values,
    track_hash,
)
from etl.transform.catalogue.stages import CatalogueRules
from etl.transform.catalogue.tracks import album_name_derived_id
from etl.transform.catalogue.update_inputs import CurrentInputs, LastCatalogue, News, RowLinks
from etl.transform.names import artist_key


@dataclass(frozen=True)
class NewsNodes:
    """The nodes of news, and of all rows about artists.

    ``track_hashes`` of tracks whose rows differ; ``row_links``, ``credit_links`` and ``album_links`` of these rows;
    ``artist_nodes``: names and ids of artists that differ or were requested; ``listed_links``: those of all rows about
    artists.
    """

    track_hashes: Hashes
    row_links: RowLinks
    credit_links: NameLinks
    album_links: NameLinks
    artist_nodes: Hashes
    listed_links: tuple[Hashes, Hashes]


def collect_news_nodes(last: LastCatalogue, current: CurrentInputs, news: News) -> NewsNodes:
    """Collect the nodes of news, in one action."""
    ids = news.rows.select(F.col("identity").alias("id")).unionByName(
        news.track_ids.select(F.col("track_id").alias("id"))
    )
    album_rows = news.rows.select(
        F.col("identity").alias("track_id"), "album_id", album_name_derived_id().alias("album_name_derived_id")
    )
    tables = collect_tables(
        {
            "track": ids.select(track_hash(F.col("id")).alias("id_hash")).distinct(),
            "row": build_row_links(news.rows).select("id_hash", "node", "artist"),
            "credit": build_row_credit_links(news.rows).distinct(),
            "album": build_album_links(album_rows.where("album_name_derived_id IS NOT NULL")),
            "artist": _build_listed_links(news.artist_rows),
            "requested": current.requested_artists.select(artist_id_node(F.col("artist_id")).alias("id_node")),
            "listed": _build_listed_links(last.artist_rows.unionByName(current.artist_rows)),
        }
    )
    columns = {name: get_columns(table) for name, table in tables.items()}
    return NewsNodes(
        columns["track"][0],
        RowLinks(*columns["row"]),
        NameLinks(*columns["credit"]),
        NameLinks(*columns["album"]),
        np.concatenate([*columns["artist"], *columns["requested"]]),
        (columns["listed"][0], columns["listed"][1]),
    )


def find_seeds(last: LastCatalogue, current: CurrentInputs, nodes: NewsNodes, rules: CatalogueRules) -> Hashes:
    """Return the hashes of tracks whose rows differ, about which decisions differ, or that are likely to change.

    If news give the name of an artist or an album an id that it has not had, its tracks will probably have this id. To
    begin with them saves another round, and changes nothing of the result.
    """
    pairs = _list_recording_decisions(last.decisions) ^ _list_recording_decisions(rules.decisions)
    decided_ids = [track_id for first_id, second_id, _ in pairs for track_id in (first_id, second_id)]
    seeds = (
        nodes.track_hashes,
        last.credit_links.find_tracks_of_new_ids(nodes.credit_links),
        last.album_links.find_tracks_of_new_ids(nodes.album_links),
        hash_values(current.rows.sparkSession, decided_ids, track_hash(F.col("value"))),
    )
    return np.unique(np.concatenate(seeds))


def _list_recording_decisions(decisions: MatchDecisions) -> frozenset[tuple[str, str, bool]]:
    return frozenset(
        (*pair, is_match)
        for is_match, pairs in ((True, decisions.recording_matches), (False, decisions.recording_differences))
        for pair in pairs
    )


def _build_listed_links(artist_rows: DataFrame) -> DataFrame:
    return artist_rows.select(
        artist_name_node(artist_key(F.col("name"))).alias("name_node"),
        artist_id_node(F.col("artist_id")).alias("id_node"),
    ).distinct()
