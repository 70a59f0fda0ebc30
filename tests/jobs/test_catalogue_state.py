"""The state of a catalogue: a track is in the newest segment that names it, and other code's states are not read."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from etl.engines.small_frames import make_frame
from etl.formats.contracts import ANALYSED_ROW
from etl.jobs.catalogue.state import (
    _PART_SCHEMAS,
    StateDocument,
    StateReader,
    StoredState,
    finish_state,
    list_state_frames,
    read_state_document,
)
from etl.storage.catalogue_states import CatalogueStates
from etl.storage.parquet_frames import write_frames
from etl.transform.catalogue.links import NO_HASHES, Hashes, hash_values, track_hash
from etl.transform.catalogue.parts import CatalogueParts

DOCUMENT = StateDocument(["first", "second"], {}, [], None, [], [], None, 3, 0)
FIRST, SECOND = {"a": 1, "b": 2, "c": 3}, {"b": 20}
"""The popularity of the tracks of each segment. The second one names c too, which is no track any more."""


@pytest.fixture
def states(spark: SparkSession, tmp_path: Path) -> CatalogueStates:
    states = CatalogueStates(tmp_path.as_uri())
    _write_segment(spark, states, "first", FIRST, NO_HASHES)
    _write_segment(spark, states, "second", SECOND, _hash_ids(spark, "b", "c"))
    return states


def test_both_ways_of_reading_see_the_newest_rows(spark: SparkSession, states: CatalogueStates) -> None:
    reader = StateReader(spark, states, DOCUMENT)
    tracks = reader.read_state().parts.tracks
    assert _read_popularity(tracks) == {"a": 1, "b": 20}
    assert _read_popularity(reader.read_parts(_hash_ids(spark, "a", "b", "c", "d")).tracks) == {"a": 1, "b": 20}
    assert _read_popularity(reader.read_parts(_hash_ids(spark, "a")).tracks) == {"a": 1}
    assert _read_popularity(reader.read_parts(NO_HASHES).tracks) == {}
    id_hashes, name_nodes, id_nodes = reader.read_links("credit_links")
    assert sorted(id_hashes) == sorted(_hash_ids(spark, "a", "b"))
    assert len(set(name_nodes)) == 1
    assert set(id_nodes) == {0}


def test_release_dates_of_tracks_outside_are_those_of_the_newest_rows(
    spark: SparkSession, states: CatalogueStates
) -> None:
    reader = StateReader(spark, states, DOCUMENT)
    years = {
        name: {row.release_date.year for row in reader.read_release_dates(_hash_ids(spark, *ids)).collect()}
        for name, ids in {"all": "", "without b": "b"}.items()
    }
    assert years == {"all": {2001, 2020}, "without b": {2001}}


def test_a_state_of_other_code_is_not_read(states: CatalogueStates) -> None:
    assert read_state_document(states, "second") == DOCUMENT
    assert read_state_document(states, "none") is None
    first = states.read_document("first")
    assert first is not None
    states.finish_state("first", states.read_id_hashes("first"), {**first, "field of other code": 1})
    assert read_state_document(states, "first") is None


def _write_segment(
    spark: SparkSession, states: CatalogueStates, name: str, popularity: Mapping[str, int], id_hashes: Hashes
) -> None:
    tracks = [
        {
            "track_id": track_id,
            "artists": {"names": ["X"], "ids": None, "keys": ["x"]},
            "popularity": value,
            "release_date": np.datetime64(f"{2000 + value}-01-01").item(),
        }
        for track_id, value in popularity.items()
    ]
    rows = {"tracks": tracks, "albums": [], "matches": [], "evidence": []}
    parts = CatalogueParts(**{key: make_frame(spark, rows[key], schema) for key, schema in _PART_SCHEMAS.items()})
    state = StoredState(parts, make_frame(spark, [], ANALYSED_ROW))
    frames = {states.get_frame_url(name, key): frame for key, frame in list_state_frames(state).items()}
    write_frames(frames, is_small=name == "second")
    segments = DOCUMENT.segments if name == "second" else ["first"]
    finish_state(states, name, id_hashes, replace(DOCUMENT, segments=segments))


def _hash_ids(spark: SparkSession, *track_ids: str) -> Hashes:
    return hash_values(spark, track_ids, track_hash(F.col("value")))


def _read_popularity(tracks: DataFrame) -> dict[str, int]:
    return {row.track_id: row.popularity for row in tracks.collect()}
