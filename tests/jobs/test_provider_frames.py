"""Responses of a service in the lake become features of tracks that only events report, and every item is counted."""

from datetime import date
from pathlib import Path

from pyspark.sql import SparkSession

from etl.formats.contracts import STAGED
from etl.formats.feature_providers import ORIGIN, list_feature_sources
from etl.jobs.catalogue.api_frames import build_api_frames
from etl.load import Run, RunInput, load_frames
from etl.storage.lake import Lake
from etl.transform import provider_features
from tests.load.star_frames import make_run, make_track, select_rows
from tests.load.test_provider_features import add_inferred_track
from tests.load.test_tracks_of_events import publish_tracks
from tests.transform.test_provider_features import IDS, LATE, make_item, make_response, store_responses


def test_responses_reach_the_star(spark: SparkSession, tmp_path: Path, warehouse_url: str) -> None:
    lake = Lake((tmp_path / "lake").as_uri())
    items = [make_item(IDS[0]), make_item(IDS[0]), make_item(IDS[1], energy=2), make_item(IDS[2], tempo=90.5), None]
    received = store_responses(lake, make_response(IDS[:4], *items, asked_at=LATE))
    publish_tracks(warehouse_url, "first", [make_track("known")])
    for track_id in IDS[:4]:
        add_inferred_track(warehouse_url, track_id)

    frames = build_api_frames(spark, lake, "second", [received], None)
    assert frames.state_run_id == "second" and lake.latest_state.has_frames("second")
    no_tracks = spark.createDataFrame([], STAGED["dim_track"])
    sources = list_feature_sources(("spotify", "kaggle", "reccobeats"))
    staged = {
        "provider_features": provider_features.select_for_unstaged_tracks(frames.latest_features, no_tracks, sources),
        "refresh_state": frames.refresh_state,
        "input_key": frames.input_keys,
        "rejected_row": frames.rejected,
    }
    run_input = RunInput(received.input_id, ORIGIN, received.name, received.format, received.row_count)
    run: Run = make_run("second", date(2026, 12, 1), inputs=(run_input,))
    assert load_frames(staged, run, warehouse_url) == {"dim_track": 2}

    stored = select_rows(
        warehouse_url,
        "select track_id, energy, tempo, audio_features_source as source from warehouse.dim_track"
        " where audio_features_source is not null and is_inferred order by track_id",
    )
    assert stored == [
        {"track_id": IDS[0], "energy": 0.25, "tempo": 120.5, "source": "reccobeats"},
        {"track_id": IDS[2], "energy": 0.25, "tempo": 90.5, "source": "reccobeats"},
    ]
    (counts,) = select_rows(warehouse_url, "select * from audit.row_count where source = 'reccobeats_responses'")
    assert [counts[f"rows_{name}"] for name in ("in", "loaded", "duplicate", "rejected")] == [5, 2, 1, 2]
    states = select_rows(warehouse_url, "select id, is_found from audit.refresh_state where kind = 'reccobeats'")
    assert {row["id"]: row["is_found"] for row in states} == {id_: id_ in (IDS[0], IDS[2]) for id_ in IDS[:4]}
