"""The wide view: names instead of keys, read month by month."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text

from etl.database import connect
from etl.load import load_frames
from tests.load.star_frames import create_local_frames, make_catalogue, make_run, select_rows

_EVENT = """
insert into warehouse.fact_event (
    event_id, event_time, local_time, user_key, track_key, artist_key, playlist_key, context_key, date_key,
    utc_date_key, ms_played, input_key, local_hour, is_skipped, is_home_time, activity_type, source
)
select
    gen_random_uuid(), :moment, :moment, u.user_key, coalesce(t.track_key, 0), a.artist_key, 0, :context_key, 20261102,
    20261102, :ms_played, 1, 8, false, true, :kind, 'feed'
from warehouse.dim_user as u
inner join warehouse.dim_artist as a on a.artist_id = 'artist-x'
left join warehouse.dim_track as t on t.track_id = :track
where u.user_id = 'user-1'
"""


@pytest.fixture
def url(warehouse_url: str) -> str:
    load_frames(create_local_frames(make_catalogue()), make_run(), warehouse_url)
    with connect(warehouse_url) as connection:
        for month in (10, 11, 12):
            connection.execute(
                text(
                    f"create table warehouse.fact_event_2026_{month} partition of warehouse.fact_event"
                    f" for values from ('2026-{month}-01') to ('{2026 + month // 12}-{month % 12 + 1:02}-01')"
                )
            )
        context = "insert into warehouse.dim_play_context (context_key, platform, is_shuffle) values (1, 'ios', true)"
        connection.execute(text(context))
        for kind, track, context_key, ms_played in (("PLAY", "track-A2", 1, 1000), ("FOLLOW", None, 0, None)):
            values = {"kind": kind, "track": track, "context_key": context_key, "ms_played": ms_played}
            connection.execute(text(_EVENT), {**values, "moment": datetime(2026, 11, 2, 8, tzinfo=UTC)})
    return warehouse_url


def test_keys_are_names_and_what_does_not_apply_is_null(url: str) -> None:
    follow, play = select_rows(url, "select * from mart.event_wide order by activity_type")
    expected: dict[str, Any] = {
        **{"user_id": "user-1", "track_name": "Name of track-A2", "track_id": "track-A2", "recording_id": "track-A1"},
        **{"artist_name": "X", "playlist_name": None, "platform": "ios", "is_shuffle": True, "ms_played": 1000},
        **{"audio_cluster_name": "loud", "activity_type": "PLAY"},
    }
    assert {name: play[name] for name in expected} == expected
    none = ("track_name", "track_id", "recording_id", "album_name", "playlist_name", "primary_genre", "platform")
    assert [follow[name] for name in none] == [None] * len(none)
    assert follow["artist_name"] == "X"


def test_a_span_of_time_reads_its_months_and_a_column_costs_its_own_join_alone(url: str) -> None:
    month = "event_time >= '2026-11-01' and event_time < '2026-12-01'"
    plan = _explain_query(url, f"select * from mart.event_wide where {month}")
    assert "fact_event_2026_11" in plan and "fact_event_2026_10" not in plan and "fact_event_2026_12" not in plan
    counted = _explain_query(
        url, f"select artist_name, sum(ms_played) from mart.event_wide where {month} group by artist_name"
    )
    assert "dim_artist" in counted and "dim_track" not in counted and "dim_user" not in counted


def _explain_query(url: str, query: str) -> str:
    return "\n".join(row["QUERY PLAN"] for row in select_rows(url, f"explain {query}"))
