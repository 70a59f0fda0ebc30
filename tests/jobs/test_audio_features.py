"""Audio features of ReccoBeats from the nightly refresh to the star, with the mock server."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from etl.feature_settings import FeatureSettings
from etl.jobs import audio_features, refresh, refresh_plan
from simulator.mock_api.reccobeats import has_impossible_value, is_known
from tests.extract.spotify.simulated_days import read_lines
from tests.jobs.mock_api_environment import STILL, MockApiEnvironment, start_environment
from tests.jobs.test_nights import fetch_day

pytestmark = [pytest.mark.timeout(3000), pytest.mark.usefixtures("one_session")]

TODAY = datetime.now(UTC).date()
MEASURED = """
    select track_id, audio_features_source, energy from warehouse.dim_track
    where track_key > 0 and audio_features_source is not null
    order by track_id
"""


@pytest.fixture
def environment(tmp_path: Path, warehouse_url: str, seed_data_path: Path) -> Iterator[MockApiEnvironment]:
    with start_environment(tmp_path / "state", warehouse_url, seed_data_path, STILL) as running:
        yield replace(running, settings=replace(running.settings, features=make_features(running.url)))


def make_features(url: str, *providers: str, calls: int = 250) -> FeatureSettings:
    return FeatureSettings(providers or ("spotify", "kaggle", "reccobeats"), f"{url}/reccobeats/v1/", calls)


def publish(environment: MockApiEnvironment, run_id: str, is_forced: bool = False) -> dict[str, int]:
    assert refresh_plan.plan_refresh(run_id, "nightly_refresh", date(2026, 11, 21), is_forced, environment.settings)
    refresh.transform_catalogue(run_id, environment.settings)
    refresh.fit_clusters(run_id, environment.settings)
    return refresh.load_catalogue(run_id, environment.settings)


def list_requested_ids(environment: MockApiEnvironment) -> list[str]:
    inputs = environment.lake.inputs.find_inputs(["audio_features"])
    return [id_ for item in inputs for line in read_lines(item) for id_ in line["query"]["ids"].split(",")]


def test_a_night_with_reccobeats(environment: MockApiEnvironment) -> None:
    fetch_day(environment, "night 0", 0)
    environment.calls()
    summary = audio_features.fetch_audio_features("night 0", TODAY, environment.settings, False)
    requested = list_requested_ids(environment)
    assert summary["has_news"] and summary["requested"] == len(requested) == len(set(requested))
    assert environment.calls() == {"reccobeats": summary["calls"]}
    assert summary["calls"] == -(-len(requested) // 40)
    publish(environment, "night 0")

    served = {
        row["track_id"] for row in environment.rows("select track_id from warehouse.dim_track where track_key > 0")
    }
    # Local files and episodes have ids in the responses, and are no tracks.
    assert served < set(requested) and len(set(requested) - served) < 10
    usable = {id_ for id_ in served if is_known(id_, 1) and not has_impossible_value(id_, 1)}
    sources = environment.rows(
        "select track_id, audio_features_source as source, recording_key = track_key as is_first, energy, key,"
        " audio_features_type is not null as has_cluster from warehouse.dim_track where track_key > 0"
    )
    assert {row["track_id"] for row in sources if row["source"] == "mock_reccobeats"} >= usable
    assert all((row["energy"] is None) == (row["source"] is None) for row in sources)
    assert {row["source"] for row in sources} <= {"mock_reccobeats", None}
    assert all(row["has_cluster"] for row in sources if row["track_id"] in usable)
    states = environment.rows("select id, is_found from audit.refresh_state where kind = 'mock_reccobeats'")
    assert {row["id"]: row["is_found"] for row in states} == {id_: id_ in usable for id_ in requested}
    impossible = {id_ for id_ in served if is_known(id_, 1) and has_impossible_value(id_, 1)}
    rejected = environment.rows(
        "select reason, count(*) as n from audit.rejected_row where input_id = :id group by reason",
        id=environment.lake.inputs.find_inputs(["audio_features"])[0].input_id,
    )
    assert impossible and rejected == [{"reason": "energy is outside its range", "n": len(impossible)}]
    (counts,) = environment.rows("select * from audit.row_count where source = 'mock_reccobeats_responses'")
    assert counts["rows_in"] == counts["rows_loaded"] + counts["rows_rejected"] == len(usable) + len(impossible)

    # The next night asks about nothing; four weeks later about the tracks that were not known.
    assert not audio_features.fetch_audio_features("night 1", TODAY, environment.settings, False)["has_news"]
    assert environment.calls() == {}
    later = TODAY + timedelta(weeks=4, days=1)
    chosen = audio_features.choose_tracks(environment.lake, "late", later, environment.settings, 10_000)
    unmeasured = {row["track_id"] for row in sources if row["source"] is None}
    assert set(chosen) == unmeasured and unmeasured <= served - usable


def test_features_of_a_provider_that_is_removed_count_no_longer(environment: MockApiEnvironment) -> None:
    fetch_day(environment, "night 0", 0)
    audio_features.fetch_audio_features("night 0", TODAY, environment.settings, False)
    publish(environment, "night 0")
    before = environment.rows(MEASURED)
    assert len(before) > 100
    kaggle_alone = replace(environment.settings, features=make_features(environment.url, "kaggle"))
    without = replace(environment, settings=kaggle_alone)
    publish(without, "without", is_forced=True)
    assert without.rows(MEASURED) == []
    publish(environment, "with it again", is_forced=True)
    assert environment.rows(MEASURED) == before
