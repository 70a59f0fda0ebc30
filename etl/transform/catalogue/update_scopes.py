"""The artists and albums that an update touches: all that names and ids connect with those of its tracks.

So both the artist or album that a name means and the fields of each are computed from all that they depend on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import NamedTuple

import numpy as np
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from etl.engines.small_frames import collect_tables
from etl.transform.catalogue import albums, artists
from etl.transform.catalogue.decisions import MatchDecisions
from etl.transform.catalogue.links import (
    NO_HASHES,
    Hashes,
    NameLinks,
    album_name_node,
    artist_id_node,
    artist_name_node,
    build_album_links,
    build_credit_links,
    collect_columns,
    filter_by_hash,
    find_reached,
    get_columns,
    hash_values,
    is_among,
    track_hash,
)
from etl.transform.catalogue.parts import CatalogueParts
from etl.transform.catalogue.stages import CatalogueRules, ReconciledTracks, checkpoint_to_disk
from etl.transform.catalogue.update_inputs import CurrentInputs, LastCatalogue
from etl.transform.catalogue.update_news import NewsNodes
from etl.transform.names import artist_key, name_derived_id


@dataclass(frozen=True)
class TrackScope:
    """The tracks that news touch, reconciled."""

    nodes: Hashes
    rows: DataFrame
    reconciled: ReconciledTracks
    parts: CatalogueParts


@dataclass(frozen=True)
class OutsideTracks:
    """The tracks outside of a scope that have one of the artists or albums that news touch: hashes and stored parts."""

    id_hashes: Hashes
    tracks: DataFrame
    albums: DataFrame


class ScopeLinks(NamedTuple):
    """The links of reconciled tracks."""

    credits: NameLinks
    albums: NameLinks


def collect_scope_links(scope: TrackScope) -> ScopeLinks:
    """Collect the links of the tracks of a scope."""
    tables = collect_tables(
        {"credits": build_credit_links(scope.parts.tracks), "albums": build_album_links(scope.parts.albums)}
    )
    return ScopeLinks(*(NameLinks(*get_columns(table)) for table in tables.values()))


def find_artist_nodes(
    last: LastCatalogue,
    current: CurrentInputs,
    news_nodes: NewsNodes,
    scope: TrackScope,
    scope_links: NameLinks,
    rules: CatalogueRules,
) -> Hashes:
    """Return the nodes of the artists that news touch: of changed rows about artists, and of tracks before and after.

    They are all that names and ids connect, so that both the artist that a name means and the fields of an artist are
    complete.
    """
    is_in_scope = is_among(last.credit_links.id_hash, scope.nodes)
    merged = set(last.merged_artists) ^ set(scope.reconciled.merged_artists)
    seeds = [
        *(hashes[is_in_scope] for hashes in last.credit_links[1:]),
        *scope_links[1:],
        news_nodes.artist_nodes,
        hash_values(current.rows.sparkSession, merged, artist_name_node(F.col("value"))),
        _find_decided_artists(last, current, rules.decisions),
    ]
    edges = [(links.name_node, links.id_node) for links in (last.credit_links, scope_links)]
    return find_reached(np.concatenate(seeds), [*edges, news_nodes.listed_links])


def find_album_nodes(last: LastCatalogue, scope: TrackScope, scope_links: NameLinks) -> Hashes:
    """Return the nodes of the albums that news touch: of tracks before and after, and what names and ids connect."""
    is_in_scope = is_among(last.album_links.id_hash, scope.nodes)
    seeds = [*(hashes[is_in_scope] for hashes in last.album_links[1:]), *scope_links[1:]]
    edges = [(links.name_node, links.id_node) for links in (last.album_links, scope_links)]
    return find_reached(np.concatenate(seeds), edges)


class ArtistScope:
    """The artists of some nodes, and their credits before and after the update."""

    def __init__(
        self,
        last: LastCatalogue,
        current: CurrentInputs,
        former_tracks: DataFrame,
        outside: OutsideTracks,
        nodes: Hashes,
        scope: TrackScope,
        rules: CatalogueRules,
    ) -> None:
        """
        :param former_tracks: the stored parts of the tracks of the scope and of those outside.
        """
        self._current, self._rules, self._nodes, self._outside = current, rules, nodes, outside.id_hashes
        self._listed_rows = checkpoint_to_disk(self._filter_listed(current.artist_rows))
        self._former_credits = self._build_credits(
            former_tracks, self._filter_listed(last.artist_rows), last.merged_artists, last.decisions
        )
        self.credits = checkpoint_to_disk(
            self._build_credits(
                outside.tracks.unionByName(scope.parts.tracks),
                self._listed_rows,
                scope.reconciled.merged_artists,
                rules.decisions,
            )
        )

    def list_changes(self) -> list[DataFrame]:
        """Return the hashes of tracks outside of the scope whose artists change."""
        return _list_differing_tracks(self._former_credits, self.credits, ["position", "artist_id"], self._outside)

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
    """The albums of some nodes, before and after the update; parameters as for ``ArtistScope``."""

    def __init__(self, former: CatalogueParts, outside: OutsideTracks, nodes: Hashes, scope: TrackScope) -> None:
        self._nodes, self._outside = nodes, outside.id_hashes
        self._former_ids = self._build_ids(former.tracks, self._build_variants(former.albums))
        self.variants = checkpoint_to_disk(self._build_variants(outside.albums.unionByName(scope.parts.albums)))
        self.album_ids = checkpoint_to_disk(
            self._build_ids(outside.tracks.unionByName(scope.parts.tracks), self.variants)
        )

    def list_changes(self) -> list[DataFrame]:
        """Return the hashes of tracks outside of the scope whose album changes."""
        return _list_differing_tracks(self._former_ids, self.album_ids, ["album_id"], self._outside)

    def _build_variants(self, album_parts: DataFrame) -> DataFrame:
        node = album_name_node(F.col("album_name_derived_id"))
        return albums.build_album_variants(filter_by_hash(album_parts, node, self._nodes))

    def _build_ids(self, tracks: DataFrame, variants: DataFrame) -> DataFrame:
        tracks_with_album = tracks.select("track_id", "album").where("album IS NOT NULL")
        node = album_name_node(F.col("album.name_derived_id"))
        return albums.build_album_ids(filter_by_hash(tracks_with_album, node, self._nodes), variants)


def find_changed_tracks(changes: Sequence[DataFrame]) -> Hashes:
    """Return the hashes of tracks that have changed.

    :param changes: the results of ``list_changes``.
    """
    if not changes:
        return NO_HASHES
    return np.unique(collect_columns(reduce(DataFrame.unionByName, changes))[0])


def _list_differing_tracks(
    former: DataFrame, present: DataFrame, columns: list[str], outside: Hashes
) -> list[DataFrame]:
    """Return the hashes of tracks, among those outside, that have other rows now; no frame without any outside."""
    if not len(outside):
        return []
    id_hash = track_hash(F.col("track_id"))
    sides = [
        filter_by_hash(frame.select("track_id", *columns, F.lit(weight).alias("weight")), id_hash, outside)
        for frame, weight in ((former, -1), (present, 1))
    ]
    differing = sides[0].unionByName(sides[1]).groupBy("track_id", *columns).agg(F.sum("weight").alias("weight"))
    return [differing.where("weight <> 0").select(id_hash.alias("id_hash"))]


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
