"""The state that a refresh leaves in the lake, from which the next one goes on.

It belongs to a catalogue once that is published: ``audit.run`` names it. A run that fails leaves a state that nothing
names.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import uuid4

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, BooleanType, DateType, IntegerType, LongType, StringType, StructType

from etl.formats.contracts import ANALYSED_ROW
from etl.formats.contracts.columns import MEASURES, STRINGS, build_schema
from etl.storage.catalogue_states import CatalogueStates
from etl.transform.catalogue.links import NO_HASHES, Hashes, filter_by_hash, track_hash
from etl.transform.catalogue.parts import CatalogueParts

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


@dataclass(frozen=True)
class StateDocument:
    """What a state was built from.

    ``segments`` are the states whose frames together have all tracks, oldest first; ``settings`` those that rows depend
    on; ``input_ids`` the files; ``api_state_run_id`` the latest state of the API; ``decisions`` and ``merged_artists``
    as ``update.LastCatalogue`` has them; ``bounds`` the months of the newness score; ``track_count`` of the catalogue.
    """

    segments: Sequence[str]
    settings: dict[str, Any]
    input_ids: Sequence[str]
    api_state_run_id: str | None
    decisions: Sequence[Sequence[Any]]
    merged_artists: Sequence[str]
    bounds: Sequence[str] | None
    track_count: int


@dataclass(frozen=True)
class StoredState:
    """The frames of a state: the parts of its tracks, and the rows about tracks from the API (``ANALYSED_ROW``)."""

    parts: CatalogueParts
    api_rows: DataFrame


def make_state_id(run_id: str) -> str:
    """Return a new id for a state that a run leaves: another try of the run leaves another."""
    return f"{run_id}.{uuid4().hex[:12]}"


def read_state_document(states: CatalogueStates, state_id: str | None) -> StateDocument | None:
    """Return the document of a state; None if the state is missing."""
    document = states.read_document(state_id) if state_id else None
    return StateDocument(**document) if document else None


def read_state(spark: SparkSession, states: CatalogueStates, document: StateDocument) -> StoredState:
    """Return the frames of a state. A track is in the newest of its segments that names it."""
    state: StoredState | None = None
    later_hashes: Hashes = NO_HASHES
    for segment in reversed(document.segments):
        parts = CatalogueParts(
            **{name: states.read_frame(spark, segment, name, schema) for name, schema in _PART_SCHEMAS.items()}
        )
        api_rows = states.read_frame(spark, segment, "api_rows", ANALYSED_ROW)
        live = StoredState(
            parts.filter_tracks(later_hashes, is_inside=False),
            filter_by_hash(api_rows, track_hash(F.col("identity")), later_hashes, is_inside=False),
        )
        state = live if state is None else _union(state, live)
        segment_hashes = states.read_id_hashes(segment).column("id_hash").to_numpy()
        later_hashes = np.union1d(later_hashes, segment_hashes)
    if state is None:
        raise ValueError("A state has at least one segment.")
    return state


def replace_tracks(state: StoredState, changes: StoredState, id_hashes: Hashes) -> StoredState:
    """Return a state in which the tracks with these hashes are as in ``changes``."""
    api_rows = filter_by_hash(state.api_rows, track_hash(F.col("identity")), id_hashes, is_inside=False)
    return _union(StoredState(state.parts.filter_tracks(id_hashes, is_inside=False), api_rows), changes)


def write_state(
    states: CatalogueStates, state_id: str, state: StoredState, id_hashes: Hashes, document: StateDocument
) -> None:
    """Store a segment and its document.

    :param id_hashes: of the tracks that replace those of earlier segments; none for a first segment.
    """
    frames = {**state.parts.get_frames(), "api_rows": state.api_rows}
    for name, frame in frames.items():
        schema: StructType = _PART_SCHEMAS.get(name, ANALYSED_ROW)
        states.write_frame(frame.select(*schema.fieldNames()), state_id, name)
    states.finish_state(state_id, pa.table({"id_hash": pa.array(id_hashes, pa.int64())}), asdict(document))


def _union(state: StoredState, others: StoredState) -> StoredState:
    return StoredState(state.parts.union(others.parts), state.api_rows.unionByName(others.api_rows))
