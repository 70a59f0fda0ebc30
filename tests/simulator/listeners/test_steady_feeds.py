"""Feeds of a population that does not change over time are the same in every version: their ids promise it."""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime

import pandas as pd
import pyarrow as pa
import pytest

from etl.settings import read_settings
from simulator.jobs import stream
from simulator.listeners.parameters import InjectedErrorRates
from simulator.listeners.simulation import Simulation
from simulator.streams.activity_tables import make_words
from simulator.streams.listener_source import ListenerSource, StreamErrors
from simulator.streams.pacing import FULL_SPEED
from tests.simulator.listeners.small_library import PLAYLIST_IDS, START, TRACKS, make_simulation, simulate_rows

_ERRORS = InjectedErrorRates(duplicate=0.02, late=0.03, disorder=0.04, unknown_track=0.05, broken=0.03)
_FIRST_BLOCK = pa.RecordBatch.from_pydict({"id": [0]})
_TRUTH = ["user_id", "population", "seed", "personality", "exploration", "newness", "loyalty", "commonality"]


def _hash_text(parts: Iterable[str | bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.encode() if isinstance(part, str) else part)
    return digest.hexdigest()[:16]


def _hash_frame(frame: pd.DataFrame) -> str:
    return _hash_text([frame.round(9).to_csv(index=False)])


def _describe(made: Simulation) -> dict[str, str]:
    (users,), (truth,) = made.make_user_batches([_FIRST_BLOCK]), made.make_truth_batches([_FIRST_BLOCK])
    (episodes,) = made.make_episode_batches([_FIRST_BLOCK])
    return {
        "population": made.population_id,
        "input": made.parameters.compute_input_id(made.library.fingerprint, "user_activity"),
        "rows": _hash_frame(simulate_rows(made)),
        "users": _hash_frame(users.to_pandas()),
        "truth": _hash_frame(truth.to_pandas()[_TRUTH]),
        "episodes": _hash_frame(episodes.to_pandas()),
    }


def test_a_year_of_few_listeners_is_the_same() -> None:
    assert _describe(make_simulation(20, 366, datetime(2025, 1, 10, tzinfo=UTC))) == {
        "population": "d80a485c",
        "input": "e9179367f3ce953d",
        "rows": "a961a3fe0a5ac45f",
        "users": "cc06ba8c238b64cc",
        "truth": "c1ec3a14a14078a6",
        "episodes": "f19e285726e3391f",
    }


def test_errors_and_anomalies_are_the_same() -> None:
    assert _describe(make_simulation(150, 5, seed=3, anomalous_share=0.1, lookalike_share=0.05, dirt=_ERRORS)) == {
        "population": "0e889366",
        "input": "43eb9989ee347d0e",
        "rows": "76a64921e85d1dbf",
        "users": "df8dc8f7da8f0461",
        "truth": "d8342c126fc9dd83",
        "episodes": "c2620f9fa4d1caec",
    }


def test_a_stream_is_the_same() -> None:
    errors = StreamErrors(late_minutes=90, undecodable=0.02)
    source = ListenerSource(make_simulation(60, 2, dirt=_ERRORS), make_words(TRACKS, PLAYLIST_IDS), errors)
    parts: list[str | bytes] = []
    for block in source.iterate_blocks(source.first_number):
        messages = block.encode_messages(0, len(block.due_ms))
        parts += [str(block.due_ms.tolist()), *messages.values, str(messages.partitions)]
    assert _hash_text(parts) == "e5291e3c53732a55"


def test_a_stream_has_the_same_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Check that a stream that an earlier version began goes on."""
    simulation = make_simulation(60, 2)
    monkeypatch.setattr(stream, "build_simulation", lambda parameters, settings: (simulation, TRACKS, PLAYLIST_IDS))
    form = {"users": 60, "start": START.isoformat(), "hours": 48}
    settings = read_settings({"WAREHOUSE_URL": "unused"})
    assert stream.plan_listener_stream(form, FULL_SPEED, START, settings).name == "listeners-c8dd2c7e"
