"""Features of services for tracks that only events report, merged into the star."""

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import text

from etl.database import connect, feature_requests
from etl.formats.contracts import AUDIO_FEATURES
from etl.load import load_frames
from tests.load.star_frames import create_local_frames, make_run, make_track, select_rows
from tests.load.test_tracks_of_events import execute, publish_tracks

DAY = date(2026, 11, 30)
FEATURES: dict[str, Any] = {**dict.fromkeys(AUDIO_FEATURES, 0.25), "key": 3, "mode": 1, "time_signature": None}


def add_inferred_track(url: str, track_id: str, **values: Any) -> None:
    columns = {"track_id": f"'{track_id}'", "source": "'streaming_history'", "is_inferred": "true", "album_key": "-1"}
    columns |= {name: repr(value) for name, value in values.items()}
    key = "(select max(track_key) + 1 from warehouse.dim_track)"
    execute(
        url,
        f"insert into warehouse.dim_track (track_key, recording_key, {', '.join(columns)})"
        f" values ({key}, {key}, {', '.join(columns.values())})",
    )


def load_features(url: str, run_id: str, *rows: dict[str, Any]) -> dict[str, int]:
    staged = {
        "provider_features": [{**FEATURES, "audio_features_type": None, **row} for row in rows],
        "refresh_state": [
            {
                "kind": row["audio_features_source"],
                "id": row["track_id"],
                "asked_at": datetime(2026, 11, 29, tzinfo=UTC),
                "is_found": True,
            }
            for row in rows
        ],
    }
    return load_frames(create_local_frames(staged), make_run(run_id, date(2026, 11, 2), inputs=()), url)


def test_tracks_of_events_get_features_and_no_other(warehouse_url: str) -> None:
    publish_tracks(warehouse_url, "first", [make_track("t1")])
    add_inferred_track(warehouse_url, "t2")
    add_inferred_track(warehouse_url, "t3", audio_features_source="tracks_by_genre", energy=0.9)
    rows = [{"track_id": id_, "audio_features_source": "reccobeats"} for id_ in ("t2", "t3", "t9")]
    assert load_features(warehouse_url, "second", *rows) == {"dim_track": 1}
    stored = select_rows(
        warehouse_url,
        "select track_id, energy, key, audio_features_source as source, is_inferred from warehouse.dim_track"
        " where track_id in ('t2', 't3') order by track_id",
    )
    assert stored == [
        {"track_id": "t2", "energy": 0.25, "key": 3, "source": "reccobeats", "is_inferred": True},
        {"track_id": "t3", "energy": 0.9, "key": None, "source": "tracks_by_genre", "is_inferred": True},
    ]
    assert load_features(warehouse_url, "third", *rows) == {}
    changed = {**rows[0], "energy": 0.5}
    assert load_features(warehouse_url, "fourth", changed, *rows[1:]) == {"dim_track": 1}


def test_tracks_are_requested_that_lack_features_and_were_not_requested_lately(warehouse_url: str) -> None:
    without = {**dict.fromkeys(AUDIO_FEATURES), "audio_features_source": None}
    tracks = [
        make_track("measured", audio_features_source="tracks_by_genre"),
        make_track("never", **without, popularity=10),
        make_track("popular", **without, popularity=90),
        make_track("lately", **without),
        make_track("long_ago", **without),
        make_track("found", **without),
        make_track("synthetic", **without, source="made_up"),
        make_track("mock", **without, source="mock_api"),
        make_track("name:1", **without),
    ]
    publish_tracks(warehouse_url, "first", tracks)
    add_inferred_track(warehouse_url, "of_events")
    execute(
        warehouse_url,
        "insert into audit.refresh_state (kind, id, asked_at, is_found) values"
        " ('reccobeats', 'lately', '2026-11-05', false), ('reccobeats', 'long_ago', '2026-11-01', false),"
        " ('reccobeats', 'found', '2026-01-01', true), ('mock_reccobeats', 'never', '2026-11-29', true)",
    )
    with connect(warehouse_url) as connection:

        def choose(source: str, *replaceable: str, limit: int = 99, is_mock: bool = False) -> list[str]:
            return feature_requests.list_tracks_for_service(connection, source, replaceable, DAY, limit, is_mock)

        assert choose("reccobeats", "mock_api") == ["popular", "never", "of_events", "long_ago"]
        assert choose("reccobeats", limit=2) == ["popular", "never"]
        assert "measured" in choose("reccobeats", "tracks_by_genre")
        assert choose("mock_reccobeats", is_mock=True) == ["mock"]
        asked = feature_requests.select_tracks_never_requested(connection, "reccobeats", ["new", "never", "found", "z"])
        assert asked == ["new", "z"]
        connection.execute(
            text(
                "insert into audit.fetch (run_id, part, asked_at, state, calls) values"
                " ('a', 'reccobeats', '2026-11-30T00:00Z', 'done', '{\"audio-features\": 3}'),"
                " ('b', 'reccobeats', '2026-11-30T23:59Z', 'done', '{\"audio-features\": 4}'),"
                " ('c', 'reccobeats', '2026-11-29T23:59Z', 'done', '{\"audio-features\": 50}'),"
                " ('d', 'catalogue', '2026-11-30T12:00Z', 'done', '{\"tracks\": 60}')"
            )
        )
        assert feature_requests.count_calls_on_day(connection, "reccobeats", DAY, "b") == 3
        assert feature_requests.list_runs_with_fetch(connection, "reccobeats") == {"a", "b", "c"}
