"""Replay from the lake: several simulated days that are published at once give the same history as one by one."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from etl.formats.api_responses import ApiResponse
from etl.jobs import refresh, refresh_plan
from etl.settings import Settings, read_settings
from etl.storage.lake import Lake
from tests.load.star_frames import select_rows
from tests.transform.spotify.payloads import (
    make_artist,
    make_asked_at,
    make_items_page,
    make_playlist,
    make_response,
    make_track,
    store_responses,
)

pytestmark = [pytest.mark.timeout(900), pytest.mark.usefixtures("one_session")]

HISTORY = """
select playlist_id, track_id, occurrence, valid_from::text as since, valid_to::text as until, added_at::text as added
from warehouse.fact_playlist_track
inner join warehouse.dim_playlist using (playlist_key)
inner join warehouse.dim_track using (track_key)
order by playlist_id, track_id, occurrence, valid_from
"""
PLAYLISTS = """
select playlist_id, name, snapshot_id, items_seen_at::text as seen from warehouse.dim_playlist
where playlist_key > 0 order by playlist_id
"""
USERS = """
select user_id, subscription_plan, valid_from::text as since, valid_to::text as until from warehouse.dim_user
where user_key > 0 order by user_id, valid_from
"""
POPULARITY = """
select 'track' as kind, track_id as id, date_key, f.popularity, null::bigint as followers
from warehouse.fact_track_popularity as f inner join warehouse.dim_track using (track_key)
union all
select 'artist', artist_id, date_key, f.popularity, f.followers
from warehouse.fact_artist_popularity as f inner join warehouse.dim_artist using (artist_key)
order by kind, id, date_key
"""
FOREVER, ALWAYS = "infinity", "-infinity"


@dataclass(frozen=True)
class ReplayEnvironment:
    """A lake and a warehouse."""

    settings: Settings

    @property
    def lake(self) -> Lake:
        return Lake(self.settings.lake_url)

    def receive(self, day: int) -> None:
        store_responses(self.lake, *RESPONSES_BY_DAY[day])
        if day == ALSO_READ_ON:
            store_responses(self.lake, ALSO_READ)

    def publish(self, run_id: str, day: int, is_forced: bool = False) -> dict[str, int]:
        assert refresh_plan.plan_refresh(run_id, "nightly_refresh", date(2026, 11, day), is_forced, self.settings)
        refresh.transform_catalogue(run_id, self.settings)
        refresh.fit_clusters(run_id, self.settings)
        return refresh.load_catalogue(run_id, self.settings)

    def said(self, statement: str) -> list[tuple[Any, ...]]:
        return [tuple(row.values()) for row in select_rows(self.settings.warehouse_url, statement)]


@pytest.fixture
def environment(tmp_path: Path, warehouse_url: str) -> ReplayEnvironment:
    return ReplayEnvironment(
        read_settings({"STATE_DIR": str(tmp_path), "WAREHOUSE_URL": warehouse_url, "CLUSTER_COUNT": "2"})
    )


def make_entry(track_id: str, added_at: str | None = None, **fields: Any) -> dict[str, Any]:
    return {"added_at": added_at, "item": make_track(track_id, **fields)}


def make_playlist_response(day: int, *lists: dict[str, Any]) -> ApiResponse:
    return make_response(
        "my_playlists", {"items": list(lists), "total": len(lists), "next": None}, asked_at=make_asked_at(3, day)
    )


def make_profile_response(day: int, plan: str) -> ApiResponse:
    body = {"id": "ada", "account_id": "account-1", "display_name": "Ada", "country": "DE", "product": plan}
    return make_response("me", body, asked_at=make_asked_at(3, day))


LONG_AGO, EVENING = "2020-01-05T06:00:00Z", "2026-11-22T20:00:00Z"
RESPONSES_BY_DAY: dict[int, tuple[ApiResponse, ...]] = {
    21: (
        make_playlist_response(21, make_playlist("p1"), make_playlist("p2", snapshot_id="e1")),
        make_items_page(
            "p1", "s1", make_entry("t1", LONG_AGO), make_entry("t2"), make_entry("t3"), asked_at=make_asked_at(4, 21)
        ),
        make_profile_response(21, "free"),
        make_response(
            "artist", make_artist("r1", popularity=40, followers={"total": 10}), "r1", asked_at=make_asked_at(5, 21)
        ),
        make_response("track", make_track("t1", popularity=50), "t1", asked_at=make_asked_at(5, 21)),
    ),
    22: (
        make_playlist_response(22, make_playlist("p1", snapshot_id="s2"), make_playlist("p2", snapshot_id="e1")),
        # t2 was removed, t1 was added a second time.
        make_items_page(
            "p1",
            "s2",
            make_entry("t1", LONG_AGO),
            make_entry("t3"),
            make_entry("t1", "2026-11-21T12:00:00Z"),
            asked_at=make_asked_at(4, 22),
        ),
        make_items_page("p2", "e1", make_entry("t4"), asked_at=make_asked_at(4, 22)),
        make_profile_response(22, "premium"),
        make_response(
            "artist", make_artist("r1", popularity=41, followers={"total": 11}), "r1", asked_at=make_asked_at(5, 22)
        ),
        make_response("track", make_track("t1", popularity=52), "t1", asked_at=make_asked_at(5, 22)),
    ),
    23: (
        make_playlist_response(
            23, make_playlist("p1", snapshot_id="s3", name="Renamed"), make_playlist("p2", snapshot_id="e2")
        ),
        make_items_page(
            "p1", "s3", make_entry("t1", LONG_AGO), make_entry("t2", EVENING), asked_at=make_asked_at(4, 23)
        ),
        make_items_page("p2", "e2", asked_at=make_asked_at(4, 23)),
        make_profile_response(23, "free"),
        make_response(
            "artist", make_artist("r1", popularity=41, followers={"total": 11}), "r1", asked_at=make_asked_at(5, 23)
        ),
        make_response("track", make_track("t1", popularity=50), "t1", asked_at=make_asked_at(5, 23)),
    ),
}


ALSO_READ_ON = 22
ALSO_READ = make_items_page(
    "p1", "s2", make_entry("t1", LONG_AGO), make_entry("t3"), asked_at=make_asked_at(6, ALSO_READ_ON)
)
"""A snapshot that a second account read as well; for it, one track is relinked and one missing."""

SEEN_BY_DAY = {
    HISTORY: [
        ("p1", "t1", 1, "2020-01-05 06:00:00+00", FOREVER, "2020-01-05 06:00:00+00"),
        ("p1", "t1", 2, "2026-11-21 12:00:00+00", "2026-11-23 04:00:00+00", "2026-11-21 12:00:00+00"),
        ("p1", "t2", 1, ALWAYS, "2026-11-22 04:00:00+00", None),
        ("p1", "t2", 1, "2026-11-22 20:00:00+00", FOREVER, "2026-11-22 20:00:00+00"),
        ("p1", "t3", 1, ALWAYS, "2026-11-23 04:00:00+00", None),
        ("p2", "t4", 1, ALWAYS, "2026-11-23 04:00:00+00", None),
    ],
    PLAYLISTS: [
        ("p1", "Renamed", "s3", "2026-11-23 04:00:00+00"),
        ("p2", "Name of p2", "e2", "2026-11-23 04:00:00+00"),
    ],
    USERS: [
        ("account-1", "free", ALWAYS, "2026-11-22 03:00:00+00"),
        ("account-1", "premium", "2026-11-22 03:00:00+00", "2026-11-23 03:00:00+00"),
        ("account-1", "free", "2026-11-23 03:00:00+00", FOREVER),
    ],
    POPULARITY: [
        ("artist", "r1", 20261121, 40, 10),
        ("artist", "r1", 20261122, 41, 11),
        ("track", "t1", 20261121, 50, None),
        ("track", "t1", 20261122, 52, None),
        ("track", "t1", 20261123, 50, None),
    ],
}


def test_each_night_leaves_its_history_and_the_past_replayed_changes_nothing(environment: ReplayEnvironment) -> None:
    for day in RESPONSES_BY_DAY:
        environment.receive(day)
        environment.publish(f"night {day}", day)
    assert {rows: environment.said(rows) for rows in SEEN_BY_DAY} == SEEN_BY_DAY
    environment.lake.latest_state.drop_outdated([])
    assert environment.publish("from all answers", 25, is_forced=True) == {}
    assert {rows: environment.said(rows) for rows in SEEN_BY_DAY} == SEEN_BY_DAY


@pytest.mark.parametrize("published", [(23,), (21, 23)], ids=["all nights at once", "one night failed"])
def test_nights_that_come_in_one_run_leave_the_history_of_each(
    environment: ReplayEnvironment, published: tuple[int, ...]
) -> None:
    for day in RESPONSES_BY_DAY:
        environment.receive(day)
        if day in published:
            environment.publish(f"night {day}", day)
    assert {rows: environment.said(rows) for rows in SEEN_BY_DAY} == SEEN_BY_DAY
