"""Fetches of audio features over several runs: kills, faults, the budget of a day, what is sent to whom."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from etl.errors import TryAgainError
from etl.extract.audio_features.reccobeats import ReccoBeatsClient
from etl.feature_settings import FeatureSettings
from etl.jobs import audio_features, spotify
from simulator.mock_api.reccobeats import is_known
from tests.extract.spotify.simulated_days import Killed, read_lines
from tests.jobs.mock_api_environment import FIRST_ACCOUNT, STILL, MockApiEnvironment, start_environment

TODAY = datetime.now(UTC).date()
PART = "mock_reccobeats"


@pytest.fixture
def environment(tmp_path: Path, warehouse_url: str, seed_data_path: Path) -> Iterator[MockApiEnvironment]:
    with start_environment(tmp_path / "state", warehouse_url, seed_data_path, STILL, "extended") as running:
        yield enable(running, "kaggle", "reccobeats")


def enable(environment: MockApiEnvironment, *providers: str, calls: int = 250) -> MockApiEnvironment:
    features = FeatureSettings(providers, f"{environment.url}/reccobeats/v1/", calls)
    return replace(environment, settings=replace(environment.settings, features=features))


def fetch(environment: MockApiEnvironment, run_id: str, is_last_try: bool = False) -> dict[str, Any]:
    return audio_features.fetch_audio_features(run_id, TODAY, environment.settings, is_last_try)


def fetch_tracks(environment: MockApiEnvironment, *run_ids: str) -> None:
    """Fetch the first account in several runs; the warehouse has no tracks, so each run knows those it has fetched."""
    for run_id in run_ids:
        spotify.fetch_account(FIRST_ACCOUNT, run_id, environment.settings, False)
    environment.calls()


def count_requests(environment: MockApiEnvironment) -> Counter[str]:
    """Return how often each track is in a response in the lake."""
    inputs = environment.lake.inputs.find_inputs(["audio_features"])
    assert {received.format for received in inputs} <= {f"{PART}_responses"}
    return Counter(id_ for item in inputs for line in read_lines(item) for id_ in line["query"]["ids"].split(","))


def kill_after(monkeypatch: pytest.MonkeyPatch, calls: int) -> None:
    original, sent = ReccoBeatsClient.fetch_audio_features, []

    def fetch_audio_features(self: ReccoBeatsClient, ids: Any) -> Any:
        if len(sent) == calls:
            raise Killed
        sent.append(ids)
        return original(self, ids)

    monkeypatch.setattr(ReccoBeatsClient, "fetch_audio_features", fetch_audio_features)


def test_a_run_that_is_killed_leaves_its_responses_to_the_next_one(
    environment: MockApiEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch_tracks(environment, "killed")
    with monkeypatch.context() as patch, pytest.raises(Killed):
        kill_after(patch, 2)
        fetch(environment, "killed")
    assert environment.calls() == {"reccobeats": 2} and not count_requests(environment)
    # The same run tries again, and is killed for good.
    with monkeypatch.context() as patch, pytest.raises(Killed):
        kill_after(patch, 1)
        fetch(environment, "killed")
    assert environment.calls() == {"reccobeats": 1}
    for name in environment.lake.checkpoints.list_names("killed", "answers"):
        if name.startswith("account"):  # The account has no news for the next run; so its tracks are given to it.
            for file in environment.lake.checkpoints.list_names("killed", f"answers/{name}"):
                content = environment.lake.checkpoints.read_bytes("killed", f"answers/{name}/{file}")
                environment.lake.checkpoints.write_bytes("next", f"answers/{name}/{file}", content or b"")
    summary = fetch(environment, "next")
    requests = count_requests(environment)
    assert set(requests.values()) == {1}, "a track was requested twice"
    assert summary["calls"] == environment.calls()["reccobeats"] == -(-(len(requests) - 120) // 40)
    assert len(environment.lake.inputs.find_inputs(["audio_features"])) == 2
    assert fetch(environment, "third")["has_news"] is False and environment.calls() == {}
    found = {
        item["href"].rsplit("/", 1)[1]
        for received in environment.lake.inputs.find_inputs(["audio_features"])
        for line in read_lines(received)
        for item in line["body"]["content"]
    }
    # The mock names some tracks that it does not serve by their ids, as Spotify names removed ones.
    served = {id_ for id_ in requests if not id_.startswith("madeup")}
    assert found == {id_ for id_ in served if is_known(id_, 1)} and len(found) > 100, "a response was lost"


def test_the_calls_of_a_day_are_limited_over_all_runs_and_tries(environment: MockApiEnvironment) -> None:
    fetch_tracks(environment, "first")
    limited = enable(environment, "reccobeats", calls=3)
    summary = fetch(limited, "first")
    assert (summary["calls"], summary["requested"]) == (3, 120) and summary["left"] > 0
    assert fetch(limited, "first")["calls"] == 3
    assert limited.calls() == {"reccobeats": 3}
    row = limited.fetched("first", PART)
    assert row["message"] == f"not asked: {summary['left']} tracks" and row["calls"] == {"audio-features": 3}
    second = fetch(limited, "second")
    assert (second["has_news"], second["budget"]) == (False, 0) and limited.calls() == {}
    assert "(RECCOBEATS_DAILY_CALLS) are used up" in audio_features.explain_no_news(second, limited.settings)


def test_a_provider_that_is_not_named_is_not_asked(environment: MockApiEnvironment) -> None:
    fetch_tracks(environment, "first")
    spotify.fetch_catalogue("first", TODAY, environment.settings, False)
    assert "audio_features" not in environment.calls()
    both = enable(environment, "spotify", "kaggle", "reccobeats")
    spotify.fetch_catalogue("second", TODAY, both.settings, False)
    assert both.calls()["audio_features"] == 0, "no track is known in the second run"
    fetch_tracks(environment, "third")
    assert audio_features.explain_skip(TODAY, enable(environment, "spotify", "kaggle").settings) is not None


def test_what_spotify_has_is_not_asked_again(tmp_path: Path, warehouse_url: str, seed_data_path: Path) -> None:
    with start_environment(tmp_path / "state", warehouse_url, seed_data_path, STILL, "extended") as running:
        both = enable(running, "spotify", "kaggle", "reccobeats")
        fetch_tracks(both, "first")
        spotify.fetch_catalogue("first", TODAY, both.settings, False)
        assert both.calls()["audio_features"] > 0
        fetch(both, "first")
        (received,) = both.lake.inputs.find_inputs(["api"])[-1:]
        measured = {
            id_
            for line in read_lines(received)
            if line["endpoint"] == "audio_features"
            for id_, features in zip(line["query"]["ids"].split(","), line["body"]["audio_features"], strict=True)
            if features
        }
        assert measured and not measured & count_requests(both).keys() and count_requests(both)


def test_a_failing_service_leaves_what_it_gave_and_says_so(
    tmp_path: Path, warehouse_url: str, seed_data_path: Path
) -> None:
    fault = f'{STILL}[[fault]]\nendpoint = "reccobeats"\nkind = "rate_limited"\nseconds = 600\nnth = 3\ncount = 2\n'
    with start_environment(tmp_path / "state", warehouse_url, seed_data_path, fault) as running:
        environment = enable(running, "reccobeats")
        fetch_tracks(environment, "run")
        with pytest.raises(TryAgainError, match="ReccoBeats asks for a pause of 600 s"):
            fetch(environment, "run")
        assert environment.calls() == {"reccobeats": 3} and not count_requests(environment)
        with pytest.raises(TryAgainError):
            fetch(environment, "run", is_last_try=True)
        row = environment.fetched("run", PART)
        assert (row["state"], row["calls"]) == ("failed", {"audio-features": 4})
        assert "ReccoBeats asks for a pause" in row["message"] and len(count_requests(environment)) == 80
