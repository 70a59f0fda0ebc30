"""The update of a catalogue: the frames of those tracks, artists, albums and playlists that news touch.

The frames have the same rows as those of ``pipeline.build_catalogue`` for all rows; rows that they lack have not
changed. The tracks are those that ``links`` connect with rows that differ from the last catalogue's. Four results reach
further, and their tracks are found by comparing the results before and after: which spellings of an artist are one,
which artist a name means, which album a name means, and decisions.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from etl.transform.catalogue import artists
from etl.transform.catalogue.decisions import IdPair, MatchDecisions
from etl.transform.catalogue.links import (
    NO_HASHES,
    Hashes,
    artist_name_node,
    collect_columns,
    filter_by_hash,
    find_reached,
    hash_values,
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
from etl.transform.catalogue.update_inputs import CurrentInputs, LastCatalogue, News
from etl.transform.catalogue.update_scopes import AlbumScope, ArtistScope, TrackScope


@dataclass(frozen=True)
class CatalogueUpdate:
    """The staged frames, the rows of the tracks ``id_hashes``, and the parts that replace the stored ones of these."""

    frames: dict[str, DataFrame]
    rows: DataFrame
    parts: CatalogueParts
    id_hashes: Hashes
    merged_artists: Sequence[str]


def update_catalogue(last: LastCatalogue, current: CurrentInputs, news: News, rules: CatalogueRules) -> CatalogueUpdate:
    """Build the frames that news change; see the module."""
    seeds = _find_seeds(last, news, rules)
    while True:
        scope, seeds = _reconcile_scope(last, current, seeds, rules)
        artist_scope = ArtistScope(last, current, news, scope, rules)
        album_scope = AlbumScope(last, scope)
        changed = np.union1d(artist_scope.find_changed_tracks(), album_scope.find_changed_tracks())
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
    return CatalogueUpdate(frames, scope.rows, scope.parts, scope.nodes, scope.reconciled.merged_artists)


def _find_seeds(last: LastCatalogue, news: News, rules: CatalogueRules) -> Hashes:
    """Return the hashes of tracks whose rows differ, or about which decisions differ."""
    spark = news.rows.sparkSession
    ids = news.rows.select(F.col("identity").alias("id")).unionByName(
        news.track_ids.select(F.col("track_id").alias("id"))
    )
    hashes = collect_columns(ids.select(track_hash(F.col("id")).alias("id_hash")).distinct())[0]
    pairs = _list_recording_decisions(last.decisions) ^ _list_recording_decisions(rules.decisions)
    decided_ids = [track_id for first_id, second_id, _ in pairs for track_id in (first_id, second_id)]
    return np.union1d(hashes, hash_values(spark, decided_ids, track_hash(F.col("value"))))


def _list_recording_decisions(decisions: MatchDecisions) -> frozenset[tuple[str, str, bool]]:
    return frozenset(
        (*pair, is_match)
        for is_match, pairs in ((True, decisions.recording_matches), (False, decisions.recording_differences))
        for pair in pairs
    )


def _reconcile_scope(
    last: LastCatalogue, current: CurrentInputs, seeds: Hashes, rules: CatalogueRules
) -> tuple[TrackScope, Hashes]:
    """Reconcile the tracks that links connect with seeds, and those of artists whose spellings have become one or two.

    :returns: the scope, and its seeds.
    """
    spark = current.rows.sparkSession
    edges = [(links.id_hash, links.node) for links in (last.row_links, current.row_links)]
    edges.append(_collect_decided_edges(current.rows, last.decisions, rules.decisions))
    merged_nodes = NO_HASHES
    while True:
        nodes = find_reached(seeds, edges)
        rows = checkpoint_to_disk(filter_by_hash(current.rows, track_hash(F.col("identity")), nodes))
        counted_rows = exclude_mock_rows(rows) if rules.has_mock else rows
        evidence = checkpoint_to_disk(artists.find_merge_evidence(counted_rows))
        remaining = last.parts.filter_tracks(nodes, is_inside=False).evidence
        merged_artists = artists.list_merged_artists(
            remaining.unionByName(evidence), rules.decisions.artist_differences
        )
        changed = set(merged_artists) ^ set(last.merged_artists)
        changed_nodes = hash_values(spark, changed, artist_name_node(F.col("value")))
        if np.isin(changed_nodes, merged_nodes).all():
            reconciled = reconcile_tracks(counted_rows, merged_artists, rules, current.latest_features)
            return TrackScope(nodes, rows, reconciled, select_parts(reconciled, evidence)), seeds
        merged_nodes = np.union1d(merged_nodes, changed_nodes)
        of_artists = [
            links.id_hash[np.isin(links.artist, merged_nodes)] for links in (last.row_links, current.row_links)
        ]
        seeds = np.unique(np.concatenate([seeds, *of_artists]))


def _collect_decided_edges(rows: DataFrame, *decisions: MatchDecisions) -> tuple[Hashes, Hashes]:
    pairs: set[IdPair] = set()
    for decided in decisions:
        pairs |= decided.recording_matches | decided.recording_differences
    if not pairs:
        return NO_HASHES, NO_HASHES
    frame = rows.sparkSession.createDataFrame(sorted(pairs), "first_id string, second_id string")
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
    rows = checkpoint_to_disk(current.rows.join(F.broadcast(touched_ids), on="playlist_id", how="left_semi"))
    other_matches = last.parts.filter_tracks(scope.nodes, is_inside=False).matches
    matches = other_matches.unionByName(scope.parts.matches)
    return PlaylistFrames(current.api_playlists, current.snapshots, resolve_track_ids(rows, matches))
