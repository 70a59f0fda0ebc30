"""The update of a catalogue: the frames of those tracks, artists, albums and playlists that news touch.

The frames have the same rows as those of ``pipeline.build_catalogue`` for all rows; rows that they lack have not
changed. The tracks are those that ``links`` connect with rows that differ from the last catalogue's. Four results reach
further, and their tracks are found by comparing the results before and after: which spellings of an artist are one,
which artist a name means, which album a name means, and decisions.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from etl.transform.catalogue import albums, artists
from etl.transform.catalogue.decisions import IdPair, MatchDecisions
from etl.transform.catalogue.links import (
    NO_HASHES,
    Hashes,
    album_name_node,
    artist_id_node,
    artist_name_node,
    build_album_links,
    build_credit_links,
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
    ReconciledTracks,
    build_frames,
    checkpoint_to_disk,
    exclude_mock_rows,
    reconcile_tracks,
    resolve_track_ids,
)
from etl.transform.names import artist_key, name_derived_id


@dataclass(frozen=True)
class RowLinks:
    """The result of ``links.build_row_links``, collected.

    Those of rows that the last catalogue and the current one both have may be in one of them only.
    """

    id_hash: Hashes
    node: Hashes
    artist: Hashes

    @staticmethod
    def collect(links: DataFrame) -> "RowLinks":
        """Collect links."""
        return RowLinks(*collect_columns(links.select("id_hash", "node", "artist")))


@dataclass(frozen=True)
class LastCatalogue:
    """The catalogue of the last run: its rows' links, its rows about artists, its parts, and what was decided."""

    row_links: RowLinks
    artist_rows: DataFrame
    parts: CatalogueParts
    merged_artists: Sequence[str]
    decisions: MatchDecisions


@dataclass(frozen=True)
class CurrentInputs:
    """The rows of the current inputs: parameters as for ``pipeline.build_from_rows``.

    ``rows`` are analysed by ``reconciliation.add_track_identity``, and ``row_links`` are theirs.
    """

    rows: DataFrame
    row_links: RowLinks
    artist_rows: DataFrame
    api_playlists: DataFrame
    snapshots: DataFrame
    requested_artists: DataFrame
    latest_features: DataFrame | None


@dataclass(frozen=True)
class News:
    """What differs from the last run.

    ``rows``: identity, track_id, playlist_id of added and removed rows about tracks; ``artist_rows``: artist_id, name
    of added and removed rows about artists; ``track_ids``: track_id of further tracks to stage; ``input_ids``: the
    inputs whose rows are counted.
    """

    rows: DataFrame
    artist_rows: DataFrame
    track_ids: DataFrame
    input_ids: Sequence[str]


@dataclass(frozen=True)
class CatalogueUpdate:
    """The staged frames, the rows of the tracks ``id_hashes``, and the parts that replace the stored ones of these."""

    frames: dict[str, DataFrame]
    rows: DataFrame
    parts: CatalogueParts
    id_hashes: Hashes
    merged_artists: Sequence[str]


@dataclass(frozen=True)
class _TrackScope:
    """The tracks that news touch, reconciled."""

    nodes: Hashes
    rows: DataFrame
    reconciled: ReconciledTracks
    parts: CatalogueParts


def update_catalogue(last: LastCatalogue, current: CurrentInputs, news: News, rules: CatalogueRules) -> CatalogueUpdate:
    """Build the frames that news change; see the module."""
    seeds = _find_seeds(last, news, rules)
    while True:
        scope, seeds = _reconcile_scope(last, current, seeds, rules)
        artist_scope = _ArtistScope(last, current, news, scope, rules)
        album_scope = _AlbumScope(last, scope)
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
) -> tuple[_TrackScope, Hashes]:
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
            return _TrackScope(nodes, rows, reconciled, select_parts(reconciled, evidence)), seeds
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


class _ArtistScope:
    """The artists that news touch: of changed rows about artists, and of tracks before and after the update.

    They are all that names and ids connect, so that both the artist that a name means and the fields of an artist are
    complete.
    """

    def __init__(
        self, last: LastCatalogue, current: CurrentInputs, news: News, scope: _TrackScope, rules: CatalogueRules
    ) -> None:
        self._current, self._rules, self._scope = current, rules, scope
        spark = current.rows.sparkSession
        last_links = collect_columns(build_credit_links(last.parts.tracks))
        new_links = collect_columns(build_credit_links(scope.parts.tracks))
        listed_links = [collect_columns(_build_listed_links(rows)) for rows in (last.artist_rows, current.artist_rows)]
        is_in_scope = np.isin(last_links[0], scope.nodes)
        merged = set(last.merged_artists) ^ set(scope.reconciled.merged_artists)
        seeds = [
            *(hashes[is_in_scope] for hashes in last_links[1:]),
            *new_links[1:],
            *collect_columns(_build_listed_links(news.artist_rows)),
            collect_columns(current.requested_artists.select(artist_id_node(F.col("artist_id")).alias("node")))[0],
            hash_values(spark, merged, artist_name_node(F.col("value"))),
            _find_decided_artists(last, current, rules.decisions),
        ]
        edges = [(links[-2], links[-1]) for links in (last_links, new_links, *listed_links)]
        self._nodes = find_reached(np.concatenate(seeds), edges)
        is_touched = np.isin(last_links[1], self._nodes)
        self._outside = np.setdiff1d(last_links[0][is_touched], scope.nodes)
        former_tracks = last.parts.filter_tracks(np.union1d(self._outside, scope.nodes)).tracks
        former_tracks = checkpoint_to_disk(former_tracks)
        outside_tracks = filter_by_hash(former_tracks, track_hash(F.col("track_id")), self._outside)
        self._listed_rows = checkpoint_to_disk(self._filter_listed(current.artist_rows))
        self._former_credits = self._build_credits(
            former_tracks, self._filter_listed(last.artist_rows), last.merged_artists, last.decisions
        )
        self.credits = checkpoint_to_disk(
            self._build_credits(
                outside_tracks.unionByName(scope.parts.tracks),
                self._listed_rows,
                scope.reconciled.merged_artists,
                rules.decisions,
            )
        )

    def find_changed_tracks(self) -> Hashes:
        """Return the hashes of tracks outside of the scope whose artists change."""
        return _find_differing_tracks(self._former_credits, self.credits, ["position", "artist_id"], self._outside)

    def list_staged_rows(self) -> DataFrame:
        """Return the rows about these artists; without mock artists that nothing needs."""
        if not self._rules.has_mock:
            return self._listed_rows
        return checkpoint_to_disk(
            artists.filter_needed_mock_artists(self._listed_rows, self.credits, self._current.requested_artists)
        )

    def _filter_listed(self, artist_rows: DataFrame) -> DataFrame:
        return filter_by_hash(artist_rows, artist_id_node(F.col("artist_id")), self._nodes)

    def _build_credits(
        self, tracks: DataFrame, artist_rows: DataFrame, merged_artists: Sequence[str], decisions: MatchDecisions
    ) -> DataFrame:
        """Return credits of these artists only: of others not all names and ids are here."""
        credits = artists.build_credits(tracks, artist_rows, merged_artists, decisions.artist_differences)
        return filter_by_hash(credits, artist_name_node(F.col("artist_key")), self._nodes)


class _AlbumScope:
    """The albums that news touch: of tracks before and after the update, and all that names and ids connect."""

    def __init__(self, last: LastCatalogue, scope: _TrackScope) -> None:
        last_links = collect_columns(build_album_links(last.parts.albums))
        new_links = collect_columns(build_album_links(scope.parts.albums))
        is_in_scope = np.isin(last_links[0], scope.nodes)
        seeds = [*(hashes[is_in_scope] for hashes in last_links[1:]), *new_links[1:]]
        edges = [(links[1], links[2]) for links in (last_links, new_links)]
        self._nodes = find_reached(np.concatenate(seeds), edges)
        self._outside = np.setdiff1d(last_links[0][np.isin(last_links[1], self._nodes)], scope.nodes)
        former = last.parts.filter_tracks(np.union1d(self._outside, scope.nodes))
        former = replace(former, tracks=checkpoint_to_disk(former.tracks), albums=checkpoint_to_disk(former.albums))
        outside = former.filter_tracks(self._outside)
        former_variants = self._build_variants(former.albums)
        self._former_ids = self._build_ids(former.tracks, former_variants)
        self.variants = checkpoint_to_disk(self._build_variants(outside.albums.unionByName(scope.parts.albums)))
        self.album_ids = checkpoint_to_disk(
            self._build_ids(outside.tracks.unionByName(scope.parts.tracks), self.variants)
        )

    def find_changed_tracks(self) -> Hashes:
        """Return the hashes of tracks outside of the scope whose album changes."""
        return _find_differing_tracks(self._former_ids, self.album_ids, ["album_id"], self._outside)

    def _build_variants(self, album_parts: DataFrame) -> DataFrame:
        node = album_name_node(F.col("album_name_derived_id"))
        return albums.build_album_variants(filter_by_hash(album_parts, node, self._nodes))

    def _build_ids(self, tracks: DataFrame, variants: DataFrame) -> DataFrame:
        tracks_with_album = tracks.select("track_id", "album").where("album IS NOT NULL")
        node = album_name_node(F.col("album.name_derived_id"))
        return albums.build_album_ids(filter_by_hash(tracks_with_album, node, self._nodes), variants)


def _find_differing_tracks(former: DataFrame, present: DataFrame, columns: list[str], outside: Hashes) -> Hashes:
    """Return the hashes of tracks, among those outside, that have other rows now."""
    if not len(outside):
        return NO_HASHES
    id_hash = track_hash(F.col("track_id"))
    sides = [
        filter_by_hash(frame.select("track_id", *columns, F.lit(weight).alias("weight")), id_hash, outside)
        for frame, weight in ((former, -1), (present, 1))
    ]
    differing = sides[0].unionByName(sides[1]).groupBy("track_id", *columns).agg(F.sum("weight").alias("weight"))
    return np.unique(collect_columns(differing.where("weight <> 0").select(id_hash.alias("id_hash")))[0])


def _build_listed_links(artist_rows: DataFrame) -> DataFrame:
    return artist_rows.select(
        artist_name_node(artist_key(F.col("name"))).alias("name_node"),
        artist_id_node(F.col("artist_id")).alias("id_node"),
    ).distinct()


def _find_decided_artists(last: LastCatalogue, current: CurrentInputs, decisions: MatchDecisions) -> Hashes:
    """Return the nodes of artists about which decisions differ; these name an artist by id or by name-derived id."""
    changed_pairs = last.decisions.artist_differences ^ decisions.artist_differences
    if not changed_pairs:
        return NO_HASHES
    ids = sorted({artist_id for pair in changed_pairs for artist_id in pair})
    keys = last.parts.tracks.select(F.explode("artists.keys").alias("key")).unionByName(
        last.artist_rows.unionByName(current.artist_rows).select(artist_key(F.col("name")).alias("key"))
    )
    by_name = keys.where(_is_among(name_derived_id(F.col("key")), ids)).select(
        artist_name_node(F.col("key")).alias("n")
    )
    by_id = hash_values(current.rows.sparkSession, ids, artist_id_node(F.col("value")))
    return np.union1d(by_id, collect_columns(by_name.distinct())[0])


def _is_among(value: Column, values: Sequence[str]) -> Column:
    return value.isin(*values)


def _select_playlists(last: LastCatalogue, current: CurrentInputs, news: News, scope: _TrackScope) -> PlaylistFrames:
    """Return all playlists of the API, and the rows of files about these and about playlists that news touch.

    A membership changes with its row, or with the match of a row without an id.
    """
    touched_rows = news.rows.select("playlist_id", "track_id").unionByName(
        scope.reconciled.rows.where("track_id IS NULL").select("playlist_id", "track_id")
    )
    touched_ids = touched_rows.select("playlist_id").unionByName(current.api_playlists.select("playlist_id"))
    touched_ids = touched_ids.where("playlist_id IS NOT NULL").distinct()
    rows = current.rows.join(F.broadcast(touched_ids), on="playlist_id", how="left_semi")
    other_matches = last.parts.filter_tracks(scope.nodes, is_inside=False).matches
    matches = other_matches.unionByName(scope.parts.matches)
    return PlaylistFrames(
        current.api_playlists, current.snapshots, checkpoint_to_disk(resolve_track_ids(rows, matches))
    )
