"""The state that a refresh leaves in the lake, from which the next one goes on.

It belongs to a catalogue once that is published: ``audit.run`` names it. A run that fails leaves a state that nothing
names.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from functools import reduce
from typing import Any
from uuid import uuid4

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, BooleanType, DateType, IntegerType, LongType, StringType, StructType

from etl.engines.small_frames import make_frame
from etl.formats.contracts import ANALYSED_ROW
from etl.formats.contracts.columns import MEASURES, STRINGS, build_schema
from etl.storage.catalogue_states import CatalogueStates
from etl.transform.catalogue.links import (
    NO_HASHES,
    Hashes,
    build_album_links,
    build_credit_links,
    build_row_links,
    filter_by_hash,
    get_columns,
    is_among,
    track_hash,
)
from etl.transform.catalogue.parts import CatalogueParts, add_id_hash

MAX_SEGMENTS = 6
"""A state of more segments is written as one: each segment adds a scan to the next runs."""

_NULLABLE_STRINGS = ArrayType(StringType())
_PART_SCHEMAS = {
    "tracks": build_schema(
        track_id=StringType(),
        rank=IntegerType(),
        artists=build_schema(names=STRINGS, ids=_NULLABLE_STRINGS, keys=STRINGS),
        popularity=IntegerType(),
        album=build_schema(id=StringType(), name=StringType(), name_derived_id=StringType()),
        recording_id=StringType(),
        release_date=DateType(),
        measures=build_schema(rank=IntegerType(), values=build_schema(**MEASURES)),
    ),
    "albums": build_schema(
        track_id=StringType(),
        is_by_name=BooleanType(),
        album_id=StringType(),
        album_name=StringType(),
        album_name_derived_id=StringType(),
        rank=IntegerType(),
        row_count=LongType(),
        album_type=StringType(),
        release=build_schema(release_date=DateType(), precision=StringType()),
    ),
    "matches": build_schema(identity=StringType(), track_id=StringType()),
    "evidence": build_schema(identity=StringType(), key=StringType()),
}
_LINK_SCHEMAS = {
    "credit_links": build_schema(id_hash=LongType(), name_node=LongType(), id_node=LongType()),
    "album_links": build_schema(id_hash=LongType(), name_node=LongType(), id_node=LongType()),
    "row_links": build_schema(id_hash=LongType(), node=LongType(), artist=LongType()),
}
_RELEASE_DATE = build_schema(id_hash=LongType(), release_date=DateType())


@dataclass(frozen=True)
class StateDocument:
    """What a state was built from.

    ``segments`` are the states whose frames together have all tracks, oldest first; ``settings`` those that rows depend
    on; ``input_ids`` the files; ``api_state_run_id`` the latest state of the API; ``decisions`` and ``merged_artists``
    as ``update.LastCatalogue`` has them; ``bounds`` the months of the newness score; ``track_count`` of the catalogue,
    and ``recording_count`` as ``kmeans.build_recording_count`` has it.
    """

    segments: Sequence[str]
    settings: dict[str, Any]
    input_ids: Sequence[str]
    api_state_run_id: str | None
    decisions: Sequence[Sequence[Any]]
    merged_artists: Sequence[str]
    bounds: Sequence[str] | None
    track_count: int
    recording_count: int


@dataclass(frozen=True)
class StoredState:
    """The frames of a state: the parts of its tracks, and the rows about tracks from the API (``ANALYSED_ROW``)."""

    parts: CatalogueParts
    api_rows: DataFrame


def make_state_id(run_id: str) -> str:
    """Return a new id for a state that a run leaves: another try of the run leaves another."""
    return f"{run_id}.{uuid4().hex[:12]}"


def read_state_document(states: CatalogueStates, state_id: str | None) -> StateDocument | None:
    """Return the document of a state; None if the state is missing, or other code with other fields left it."""
    document = states.read_document(state_id) if state_id else None
    names = {field.name for field in fields(StateDocument)}
    return StateDocument(**document) if document and document.keys() == names else None


class StateReader:
    """Reads the frames of a state. A track is in the newest of the segments that name it."""

    def __init__(self, spark: SparkSession, states: CatalogueStates, document: StateDocument) -> None:
        self._spark, self._states = spark, states
        self._segments: list[tuple[str, Hashes]] = []
        """The segments, the newest first, each with the hashes of the tracks that later ones name."""
        later_hashes: Hashes = NO_HASHES
        for segment in reversed(document.segments):
            self._segments.append((segment, later_hashes))
            segment_hashes = states.read_id_hashes(segment).column("id_hash").to_numpy()
            later_hashes = np.union1d(later_hashes, segment_hashes)

    def read_state(self) -> StoredState:
        """Return all frames, for Spark to read."""
        return reduce(_union, (self._read_segment(*segment) for segment in self._segments))

    def read_parts(self, id_hashes: Hashes) -> CatalogueParts:
        """Return the parts of the tracks with some hashes, without a scan of Spark."""
        return CatalogueParts(
            **{
                name: make_frame(self._spark, self._read_rows(name, schema, id_hashes), schema)
                for name, schema in _PART_SCHEMAS.items()
            }
        )

    def read_links(self, name: str) -> list[Hashes]:
        """Return the columns of links: of ``credit_links``, ``album_links`` or ``row_links`` (of the API's rows)."""
        return get_columns(self._read_current_rows(name, _LINK_SCHEMAS[name]))

    def read_release_dates(self, id_hashes: Hashes) -> DataFrame:
        """Return release_date of the tracks without those with some hashes; each date once."""
        table = self._read_current_rows("tracks", _RELEASE_DATE)
        is_outside = ~is_among(np.asarray(table.column("id_hash").to_numpy()), id_hashes)
        dates = pc.unique(table.column("release_date").filter(pa.array(is_outside)))
        schema = build_schema(release_date=DateType())
        return make_frame(self._spark, pa.table({"release_date": dates}), schema)

    def _read_segment(self, segment: str, later_hashes: Hashes) -> StoredState:
        parts = CatalogueParts(
            **{
                name: self._states.read_frame(self._spark, segment, name, schema)
                for name, schema in _PART_SCHEMAS.items()
            }
        )
        api_rows = self._states.read_frame(self._spark, segment, "api_rows", ANALYSED_ROW)
        return StoredState(
            parts.filter_tracks(later_hashes, is_inside=False),
            filter_by_hash(api_rows, track_hash(F.col("identity")), later_hashes, is_inside=False),
        )

    def _read_rows(self, name: str, schema: StructType, id_hashes: Hashes) -> pa.Table:
        return pa.concat_tables(
            self._states.read_rows(segment, name, schema, np.setdiff1d(id_hashes, later_hashes))
            for segment, later_hashes in self._segments
        )

    def _read_current_rows(self, name: str, schema: StructType) -> pa.Table:
        tables = []
        for segment, later_hashes in self._segments:
            table = self._states.read_rows(segment, name, schema)
            is_later = is_among(np.asarray(table.column("id_hash").to_numpy()), later_hashes)
            tables.append(table.filter(pa.array(~is_later)))
        return pa.concat_tables(tables)


def replace_tracks(state: StoredState, changes: StoredState, id_hashes: Hashes) -> StoredState:
    """Return a state in which the tracks with these hashes are as in ``changes``."""
    api_rows = filter_by_hash(state.api_rows, track_hash(F.col("identity")), id_hashes, is_inside=False)
    return _union(StoredState(state.parts.filter_tracks(id_hashes, is_inside=False), api_rows), changes)


def list_state_frames(state: StoredState) -> dict[str, DataFrame]:
    """Return the frames of a segment by name."""
    frames = {
        name: add_id_hash(name, frame.select(*_PART_SCHEMAS[name].fieldNames()))
        for name, frame in state.parts.get_frames().items()
    }
    return {
        **frames,
        "api_rows": state.api_rows.select(*ANALYSED_ROW.fieldNames(), track_hash(F.col("identity")).alias("id_hash")),
        "credit_links": build_credit_links(state.parts.tracks),
        "album_links": build_album_links(state.parts.albums),
        "row_links": build_row_links(state.api_rows).select("id_hash", "node", "artist"),
    }


def finish_state(states: CatalogueStates, state_id: str, id_hashes: Hashes, document: StateDocument) -> None:
    """Store the document of a segment, after its frames.

    :param id_hashes: of the tracks that replace those of earlier segments; none for a first segment.
    """
    states.finish_state(state_id, pa.table({"id_hash": pa.array(id_hashes, pa.int64())}), asdict(document))


def _union(state: StoredState, others: StoredState) -> StoredState:
    return StoredState(state.parts.union(others.parts), state.api_rows.unionByName(others.api_rows))
