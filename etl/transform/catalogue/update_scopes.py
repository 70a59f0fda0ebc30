"""The artists and albums that an update touches: all that names and ids connect with those of its tracks.

So both the artist or album that a name means and the fields of each are computed from all that they depend on.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from etl.transform.catalogue import albums, artists
from etl.transform.catalogue.decisions import MatchDecisions
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
from etl.transform.catalogue.parts import CatalogueParts
from etl.transform.catalogue.stages import CatalogueRules, ReconciledTracks, checkpoint_to_disk
from etl.transform.catalogue.update_inputs import CurrentInputs, LastCatalogue, News
from etl.transform.names import artist_key, name_derived_id


@dataclass(frozen=True)
class TrackScope:
    """The tracks that news touch, reconciled."""

    nodes: Hashes
    rows: DataFrame
    reconciled: ReconciledTracks
    parts: CatalogueParts


class ArtistScope:
    """The artists that news touch: of changed rows about artists, and of tracks before and after the update.

    They are all that names and ids connect, so that both the artist that a name means and the fields of an artist are
    complete.
    """

    def __init__(
        self, last: LastCatalogue, current: CurrentInputs, news: News, scope: TrackScope, rules: CatalogueRules
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


class AlbumScope:
    """The albums that news touch: of tracks before and after the update, and all that names and ids connect."""

    def __init__(self, last: LastCatalogue, scope: TrackScope) -> None:
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
    by_name = keys.where(name_derived_id(F.col("key")).isin(*ids)).select(artist_name_node(F.col("key")).alias("n"))
    by_id = hash_values(current.rows.sparkSession, ids, artist_id_node(F.col("value")))
    return np.union1d(by_id, collect_columns(by_name.distinct())[0])
