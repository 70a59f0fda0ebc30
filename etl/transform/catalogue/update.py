"""The update of a catalogue: the frames of those tracks, artists, albums and playlists that news touch.

The frames have the same rows as those of ``pipeline.build_catalogue`` for all rows; rows that they lack have not
changed. The tracks are those that ``links`` connect with rows that differ from the last catalogue's. Four results reach
further, and their tracks are found by comparing the results before and after: which spellings of an artist are one,
which artist a name means, which album a name means, and decisions.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from etl.transform.catalogue import artists
from etl.transform.catalogue.decisions import IdPair, MatchDecisions
from etl.transform.catalogue.links import (
    NO_HASHES,
    Hashes,
    artist_name_node,
    collect_columns,
    find_reached,
    hash_values,
    is_among,
    track_hash,
)
from etl.transform.catalogue.parts import CatalogueParts, select_parts
from etl.transform.catalogue.stages import (
    CatalogueRules,
    PlaylistFrames,
    build_frames,
    checkpoint_to_disk,
    exclude_mock_rows,
    reconcile_tracks,
    resolve_track_ids,
)
from etl.transform.catalogue.update_inputs import CurrentInputs, LastCatalogue, News, RowLinks
from etl.transform.catalogue.update_news import collect_news_nodes, find_seeds
from etl.transform.catalogue.update_scopes import (
    AlbumScope,
    ArtistScope,
    OutsideTracks,
    TrackScope,
    collect_scope_links,
    find_album_nodes,
    find_artist_nodes,
    find_changed_tracks,
)


@dataclass(frozen=True)
class CatalogueUpdate:
    """The staged frames, the rows of the tracks ``id_hashes``, the stored parts of these, and those that replace them.

    ``former_parts`` have further tracks.
    """

    frames: dict[str, DataFrame]
    rows: DataFrame
    former_parts: CatalogueParts
    parts: CatalogueParts
    id_hashes: Hashes
    merged_artists: Sequence[str]


def update_catalogue(last: LastCatalogue, current: CurrentInputs, news: News, rules: CatalogueRules) -> CatalogueUpdate:
    """Build the frames that news change; see the module."""
    news_nodes = collect_news_nodes(last, current, news)
    seeds = find_seeds(last, current, news_nodes, rules)
    row_links = (last.row_links, current.row_links, news_nodes.row_links)
    while True:
        scope, seeds = _reconcile_scope(last, current, row_links, seeds, rules)
        scope_links = collect_scope_links(scope)
        artist_nodes = find_artist_nodes(last, current, news_nodes, scope, scope_links.credits, rules)
        album_nodes = find_album_nodes(last, scope, scope_links.albums)
        touched = [
            links.id_hash[is_among(links.name_node, nodes)]
            for links, nodes in ((last.credit_links, artist_nodes), (last.album_links, album_nodes))
        ]
        former = last.read_parts(np.unique(np.concatenate([scope.nodes, *touched])))
        outside = OutsideTracks(
            np.setdiff1d(np.concatenate(touched), scope.nodes),
            *(former.filter_frame(name, scope.nodes, is_inside=False) for name in ("tracks", "albums")),
        )
        artist_scope = ArtistScope(last, current, former.tracks, outside, artist_nodes, scope, rules)
        album_scope = AlbumScope(former, outside, album_nodes, scope)
        changed = find_changed_tracks([*artist_scope.list_changes(), *album_scope.list_changes()])
        if not len(changed):
            break
        seeds = np.union1d(seeds, changed)
    frames = build_frames(
        scope.reconciled,
        rules,
        artist_scope.credits,
        artist_scope.list_staged_rows(),
        album_scope.variants,
        album_scope.album_ids,
        _select_playlists(last, current, news, scope),
        scope.reconciled.rows,
    )
    is_counted = F.col("input_id").isin(*news.input_ids) if news.input_ids else F.lit(False)
    frames["input_key"] = frames["input_key"].where(is_counted)
    return CatalogueUpdate(frames, scope.rows, former, scope.parts, scope.nodes, scope.reconciled.merged_artists)


def _reconcile_scope(
    last: LastCatalogue, current: CurrentInputs, row_links: Sequence[RowLinks], seeds: Hashes, rules: CatalogueRules
) -> tuple[TrackScope, Hashes]:
    """Reconcile the tracks that links connect with seeds, and those of artists whose spellings have become one or two.

    :returns: the scope, and its seeds.
    """
    spark = current.rows.sparkSession
    edges = [(links.id_hash, links.node) for links in row_links]
    edges.append(_collect_decided_edges(current.rows, last.decisions, rules.decisions))
    merged_nodes = NO_HASHES
    while True:
        nodes = find_reached(seeds, edges)
        rows = checkpoint_to_disk(current.read_rows(nodes))
        counted_rows = exclude_mock_rows(rows) if rules.has_mock else rows
        evidence = checkpoint_to_disk(artists.find_merge_evidence(counted_rows))
        remaining = last.parts.filter_frame("evidence", nodes, is_inside=False)
        merged_artists = artists.list_merged_artists(
            remaining.unionByName(evidence), rules.decisions.artist_differences
        )
        changed = set(merged_artists) ^ set(last.merged_artists)
        changed_nodes = hash_values(spark, changed, artist_name_node(F.col("value")))
        if is_among(changed_nodes, merged_nodes).all():
            reconciled = reconcile_tracks(counted_rows, merged_artists, rules, current.latest_features)
            return TrackScope(nodes, rows, reconciled, select_parts(reconciled, evidence)), seeds
        merged_nodes = np.union1d(merged_nodes, changed_nodes)
        of_artists = [links.id_hash[is_among(links.artist, merged_nodes)] for links in row_links]
        seeds = np.unique(np.concatenate([seeds, *of_artists]))


def _collect_decided_edges(rows: DataFrame, *decisions: MatchDecisions) -> tuple[Hashes, Hashes]:
    pairs: set[IdPair] = set()
    for decided in decisions:
        pairs |= decided.recording_matches | decided.recording_differences
    if not pairs:
        return NO_HASHES, NO_HASHES
    first_ids, second_ids = zip(*sorted(pairs), strict=True)
    table = pa.table({"first_id": pa.array(first_ids), "second_id": pa.array(second_ids)})
    frame = rows.sparkSession.createDataFrame(table)
    first, second = collect_columns(frame.select(*(track_hash(F.col(name)).alias(name) for name in frame.columns)))
    return first, second


def _select_playlists(last: LastCatalogue, current: CurrentInputs, news: News, scope: TrackScope) -> PlaylistFrames:
    """Return all playlists of the API, and the rows of files about these and about playlists that news touch.

    A membership changes with its row, or with the match of a row without an id.
    """
    touched_rows = news.rows.select("playlist_id", "track_id").unionByName(
        scope.reconciled.rows.where("track_id IS NULL").select("playlist_id", "track_id")
    )
    touched_ids = touched_rows.select("playlist_id").unionByName(current.api_playlists.select("playlist_id"))
    touched_ids = touched_ids.where("playlist_id IS NOT NULL").distinct()
    # Groups of rows without a playlist are skipped by their statistics.
    playlist_rows = current.rows.where("playlist_id IS NOT NULL")
    rows = checkpoint_to_disk(playlist_rows.join(F.broadcast(touched_ids), on="playlist_id", how="left_semi"))
    other_matches = last.parts.filter_frame("matches", scope.nodes, is_inside=False)
    matches = other_matches.unionByName(scope.parts.matches)
    return PlaylistFrames(current.api_playlists, current.snapshots, resolve_track_ids(rows, matches))
