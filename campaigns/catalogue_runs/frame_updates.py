"""A catalogue that follows random inputs twice: updated by what differs, and rebuilt from all rows.

Both are loaded into a small model of the star that merges staged rows as the files of sql/merge do; they must be equal
after each run.
"""

from collections import defaultdict
from collections.abc import Collection
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import StringType, StructField, StructType

from campaigns.catalogue_runs.random_inputs import RandomInputs, Row
from etl.formats.contracts import ARTIST_ROW, LATEST_STATE, STAGED, TRACK_ROW
from etl.formats.feature_providers import list_feature_sources
from etl.transform.catalogue.decisions import collect_decisions
from etl.transform.catalogue.links import (
    NameLinks,
    build_album_links,
    build_credit_links,
    build_row_links,
    collect_columns,
    filter_by_hash,
    track_hash,
)
from etl.transform.catalogue.parts import CatalogueParts, select_parts
from etl.transform.catalogue.pipeline import build_from_rows
from etl.transform.catalogue.reconciliation import add_track_identity
from etl.transform.catalogue.stages import CatalogueRules, checkpoint_to_disk
from etl.transform.catalogue.update import update_catalogue
from etl.transform.catalogue.update_inputs import CurrentInputs, LastCatalogue, News, RowLinks

FEATURE_SOURCES = list_feature_sources(("reccobeats", "kaggle"))
_KEYS = {
    "dim_artist": ("artist_id",),
    "dim_album": ("album_id",),
    "dim_track": ("track_id",),
    "dim_playlist": ("playlist_id",),
    "playlist_snapshot": ("playlist_id", "seen_at"),
    "reconciliation": ("source", "from_id"),
    "input_key": ("input_id", "key_kind", "key"),
}
_REPLACED = {
    "track_alias": ("alias_kind", "alias_value"),
    "bridge_track_artist": ("track_id",),
    "bridge_track_genre": ("track_id",),
    "fact_playlist_track": ("playlist_id", "seen_at"),
}


class StarModel:
    """The rows of the star's tables after loads, by table."""

    def __init__(self) -> None:
        self.tables: dict[str, dict[Any, Any]] = defaultdict(dict)

    def load(self, frames: dict[str, list[Row]]) -> None:
        """Merge staged rows. A row that is no longer staged stays, unless its key has other rows now."""
        staged_tracks = {row["track_id"] for row in frames["dim_track"]}
        staged_ids = staged_tracks | {row["alias_value"] for row in frames["track_alias"]}
        matches = self.tables["reconciliation"]
        for key in [key for key in matches if key[1] in staged_ids]:
            del matches[key]
        for track_id in staged_tracks:
            self.tables["bridge_track_genre"].pop((track_id,), None)
        for table, columns in _KEYS.items():
            for row in frames[table]:
                self.tables[table][tuple(row[name] for name in columns)] = row
        for table, columns in _REPLACED.items():
            groups = defaultdict(list)
            for row in frames[table]:
                groups[tuple(row[name] for name in columns)].append(row)
            for key, rows in groups.items():
                self.tables[table][key] = sorted(rows, key=repr)


class UpdatedCatalogue:
    """The two catalogues."""

    def __init__(self, spark: SparkSession, inputs: RandomInputs) -> None:
        self._spark = spark
        self._rules_source = inputs.api_source
        self.rebuilt, self.updated = StarModel(), StarModel()
        self._inputs = inputs.copy()
        rows = self._analyse(inputs)
        frames, reconciled, evidence = self._rebuild(inputs, rows)
        self._last = self._store(inputs, rows, select_parts(reconciled, evidence), reconciled.merged_artists)
        for star in (self.rebuilt, self.updated):
            star.load(frames)
        self.touched_fraction = 0.0

    def follow(self, inputs: RandomInputs) -> None:
        """Rebuild one catalogue, and update the other."""
        rows = self._analyse(inputs)
        self.rebuilt.load(self._rebuild(inputs, rows)[0])
        rules = self._make_rules(inputs)
        current = CurrentInputs(
            rows,
            lambda hashes: filter_by_hash(rows, track_hash(F.col("identity")), hashes),
            _collect_row_links(rows),
            self._make_frame(inputs.list_artist_rows(), ARTIST_ROW),
            self._make_frame(inputs.playlists.values(), LATEST_STATE["api_playlist"]),
            self._make_snapshots(inputs),
            self._make_requested(inputs),
            self._make_features(inputs),
        )
        update = update_catalogue(self._last, current, self._find_news(inputs, rows), rules)
        frames = _collect(update.frames)
        self.updated.load(frames)
        self.touched_fraction = len(frames["dim_track"]) / max(1, len(self.rebuilt.tables["dim_track"]))
        parts = self._last.parts.filter_tracks(update.id_hashes, is_inside=False).union(update.parts)
        self._last = self._store(inputs, rows, parts, list(update.merged_artists))
        self._inputs = inputs.copy()

    def list_differences(self) -> list[str]:
        """Return the rows in which the two stars differ."""
        return [
            f"{table} {key}: rebuilt {self.rebuilt.tables[table].get(key)},"
            f" updated {self.updated.tables[table].get(key)}"
            for table in sorted({*self.rebuilt.tables, *self.updated.tables})
            for key in sorted({*self.rebuilt.tables[table], *self.updated.tables[table]}, key=repr)
            if self.rebuilt.tables[table].get(key) != self.updated.tables[table].get(key)
        ]

    def _analyse(self, inputs: RandomInputs) -> DataFrame:
        return checkpoint_to_disk(add_track_identity(self._make_frame(inputs.list_track_rows(), TRACK_ROW)))

    def _make_rules(self, inputs: RandomInputs) -> CatalogueRules:
        columns = STAGED["match_decision"].fieldNames()
        decisions = self._make_frame(
            [dict(zip(columns, row, strict=True)) for row in sorted(inputs.decisions)], STAGED["match_decision"]
        )
        return CatalogueRules(inputs.api_source, FEATURE_SOURCES, collect_decisions(decisions))

    def _rebuild(self, inputs: RandomInputs, rows: DataFrame) -> Any:
        frames, reconciled, evidence = build_from_rows(
            rows,
            self._make_frame(inputs.list_artist_rows(), ARTIST_ROW),
            self._make_frame(inputs.playlists.values(), LATEST_STATE["api_playlist"]),
            self._make_snapshots(inputs),
            self._make_requested(inputs),
            self._make_features(inputs),
            self._make_rules(inputs),
        )
        return _collect(frames), reconciled, evidence

    def _store(
        self, inputs: RandomInputs, rows: DataFrame, parts: CatalogueParts, merged_artists: Any
    ) -> LastCatalogue:
        stored = CatalogueParts(**{name: checkpoint_to_disk(frame) for name, frame in parts.get_frames().items()})
        return LastCatalogue(
            _collect_row_links(rows),
            NameLinks(*collect_columns(build_credit_links(stored.tracks))),
            NameLinks(*collect_columns(build_album_links(stored.albums))),
            self._make_frame(inputs.list_artist_rows(), ARTIST_ROW),
            stored,
            stored.filter_tracks,
            merged_artists,
            self._make_rules(inputs).decisions,
        )

    def _find_news(self, inputs: RandomInputs, rows: DataFrame) -> News:
        last_rows, last_artists = self._inputs.list_track_rows(), self._inputs.list_artist_rows()
        track_rows, artist_rows = inputs.list_track_rows(), inputs.list_artist_rows()
        changed = _list_differing(last_rows, track_rows)
        changed_features = _list_differing(self._inputs.features.values(), inputs.features.values())
        input_ids = sorted({*inputs.files, *inputs.artist_files} - {*self._inputs.files, *self._inputs.artist_files})
        return News(
            add_track_identity(self._make_frame(changed, TRACK_ROW)),
            self._make_frame(_list_differing(last_artists, artist_rows), ARTIST_ROW),
            self._make_ids("track_id", {row["track_id"] for row in changed_features}),
            input_ids,
        )

    def _make_snapshots(self, inputs: RandomInputs) -> DataFrame:
        playlists = self._make_frame(inputs.playlists.values(), LATEST_STATE["api_playlist"])
        return playlists.where("items IS NOT NULL").select("playlist_id", "items")

    def _make_requested(self, inputs: RandomInputs) -> DataFrame:
        return self._make_ids("artist_id", inputs.requested_artists)

    def _make_features(self, inputs: RandomInputs) -> DataFrame:
        return self._make_frame(inputs.features.values(), LATEST_STATE["provider_features"])

    def _make_ids(self, name: str, ids: Collection[str]) -> DataFrame:
        return self._make_frame([{name: id_} for id_ in sorted(ids)], StructType([StructField(name, StringType())]))

    def _make_frame(self, rows: Any, schema: StructType) -> DataFrame:
        # From Arrow: a list would start Python's workers for each plan that reads it.
        table = pa.Table.from_pylist(list(rows), to_arrow_schema(schema))
        return self._spark.createDataFrame(table, schema)


def _collect_row_links(rows: DataFrame) -> RowLinks:
    return RowLinks(*collect_columns(build_row_links(rows).select("id_hash", "node", "artist")))


def _list_differing(former: Any, present: Any) -> list[Row]:
    former, present = list(former), list(present)
    return [row for row in former if row not in present] + [row for row in present if row not in former]


def _collect(frames: dict[str, DataFrame]) -> dict[str, list[Row]]:
    return {name: [row.asDict(recursive=True) for row in frame.collect()] for name, frame in frames.items()}
