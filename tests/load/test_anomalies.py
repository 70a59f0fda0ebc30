"""The nightly rules on small marts, and the merge of findings."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from etl.database import connect
from etl.jobs.anomalies import find_anomalies
from etl.load.anomalies import Finding, find_nightly_anomalies, merge_stream_findings
from etl.settings import read_settings
from tests.load.star_frames import select_rows

DAY = date(2026, 10, 31)
HOUR = datetime(2026, 10, 31, 12, tzinfo=UTC)
FREE, PREMIUM = 1, 2
PEERS = range(1, 61)
"""Listeners who each listen to an hour a day, and skip once."""


@pytest.fixture
def url(warehouse_url: str) -> str:
    """Return a warehouse with peers of both plans who have been listening for a month."""
    with connect(warehouse_url) as connection:
        _run(
            connection,
            """
            insert into warehouse.dim_user (user_key, user_id, source, valid_from)
            select n, 'u' || n, 'feed', '-infinity' from generate_series(1, 99) as n;
            insert into mart.listening_context (country, continent, device_type, subscription_plan)
            values ('DE', 'Europe', 'MOBILE', 'free'), ('DE', 'Europe', 'MOBILE', 'premium');
            insert into mart.counted_track (track_key, recording_key) select n, n from generate_series(1, 99) as n;
            """,
        )
        for listener in PEERS:
            for age in range(32):
                _add_day(connection, listener, age, minutes=50 + (listener + age) % 20, plan=1 + listener % 2)
    return warehouse_url


def _run(connection: Connection, statements: str, **parameters: object) -> None:
    connection.execute(text(statements), parameters)


def _add_day(
    connection: Connection, listener: int, age: int, minutes: int, plan: int = PREMIUM, skips: int = 1
) -> None:
    """Insert a day of a listener, ``age`` days before DAY."""
    _run(
        connection,
        """
        insert into mart.listener_day
        values (:listener, :day, :plan, :plays, :skips, :ms_played)
        on conflict (listener_key, local_date, listening_context_key) do update
        set plays = excluded.plays, skips = excluded.skips, ms_played = excluded.ms_played
        """,
        listener=listener,
        day=DAY - timedelta(days=age),
        plan=plan,
        plays=minutes // 3,
        skips=skips,
        ms_played=minutes * 60_000,
    )


def _add_plays(connection: Connection, listener: int, tracks: range, rounds: int, is_from_playlist: bool) -> None:
    _run(
        connection,
        """
        insert into mart.counted_play
        select :at + n * interval '1 minute', :listener, :day, 1, t, -1, 60000, 12, false, :is_from_playlist
        from generate_series(1, :rounds) as n, unnest(cast(:tracks as integer [])) as t
        """,
        listener=listener,
        tracks=list(tracks),
        rounds=rounds,
        day=DAY,
        at=HOUR,
        is_from_playlist=is_from_playlist,
    )


def _find(url: str, first_day: date = DAY) -> list[Finding]:
    with connect(url) as connection:
        return find_nightly_anomalies(connection, first_day, DAY)


def _list_rules(findings: list[Finding]) -> dict[str, set[str]]:
    rules: dict[str, set[str]] = {}
    for finding in findings:
        rules.setdefault(finding.user_id, set()).add(finding.rule)
    return rules


def test_ordinary_days_have_no_findings(url: str) -> None:
    assert _find(url, DAY - timedelta(days=3)) == []


def test_two_days_far_above_the_baseline_are_a_sudden_change_and_one_day_is_none(url: str) -> None:
    with connect(url) as connection:
        for listener, ages in ((2, (0, 1)), (4, (0,)), (98, (0, 1))):  # 98 has no baseline
            for age in ages:
                _add_day(connection, listener, age, minutes=600, plan=1)
    findings = [finding for finding in _find(url) if finding.rule == "sudden_change"]
    assert [finding.user_id for finding in findings] == ["u2"]
    assert findings[0].window_start == datetime(2026, 10, 29, tzinfo=UTC)
    assert findings[0].window_end == datetime(2026, 11, 1, tzinfo=UTC)
    assert findings[0].reason.startswith("600 minutes or more on two of three days, where 59 are usual (robust")


def test_users_far_above_their_peers_are_weak_evidence(url: str) -> None:
    with connect(url) as connection:
        _add_day(connection, 3, 0, minutes=1200)
        _add_day(connection, 5, 0, minutes=300, skips=40)
        _add_day(connection, 2, 0, minutes=60, plan=FREE, skips=40)
    findings = _find(url)
    assert _list_rules(findings) == {"u3": {"far_above_peers"}, "u2": {"unusual_free_plan_use"}}
    assert all(finding.score < 0.5 for finding in findings)


def test_a_ring_is_found_and_neither_pairs_nor_listeners_of_a_playlist(url: str) -> None:
    with connect(url) as connection:
        for listener in (2, 4, 6, 8):
            _add_plays(connection, listener, range(1, 13), 3, is_from_playlist=False)
        for listener in (10, 12):
            _add_plays(connection, listener, range(20, 32), 5, is_from_playlist=False)
        for listener in (14, 16, 18, 20):
            _add_plays(connection, listener, range(40, 52), 5, is_from_playlist=True)
        for listener in (22, 24, 26):
            _add_plays(connection, listener, range(60, 72), 2, is_from_playlist=False)
    findings = _find(url)
    assert _list_rules(findings) == {f"u{listener}": {"shared_track_set"} for listener in (2, 4, 6, 8)}
    assert findings[0].reason == (
        "12 recordings played three times or more in three days, up to 12 of which 3 other users repeat as well"
    )


def test_findings_that_no_longer_hold_are_withdrawn_and_the_others_stay(url: str) -> None:
    with connect(url) as connection:
        for listener in (2, 4):
            _add_day(connection, listener, 0, minutes=60, plan=FREE, skips=40)
    first = {finding.user_id: finding for finding in _find(url)}
    assert set(first) == {"u2", "u4"}
    assert _find(url) == [], "the same days again change nothing"
    with connect(url) as connection:
        _add_day(connection, 2, 0, minutes=60, plan=FREE, skips=1)
        merge_stream_findings(connection, [make_finding("u2")])
    assert _find(url) == []
    rows = select_rows(url, "select user_id, rule, detected_at from mart.anomaly order by user_id")
    assert [(row["user_id"], row["rule"]) for row in rows] == [
        ("u2", "overlapping_plays"),
        ("u4", "unusual_free_plan_use"),
    ]
    assert rows[1]["detected_at"] == first["u4"].detected_at


def make_finding(user_id: str, rule: str = "overlapping_plays", score: float = 0.5, hour: int = 0) -> dict[str, object]:
    start = HOUR + timedelta(hours=hour)
    window = {"window_start": start, "window_end": start + timedelta(hours=1)}
    return {"user_id": user_id, "rule": rule, **window, "reason": f"score {score}", "score": score}


def test_the_combined_score_is_of_each_rules_largest_score(warehouse_url: str) -> None:
    rows = [
        make_finding("a", score=0.5),
        make_finding("a", score=0.3, hour=1),
        make_finding("a", rule="impossible_travel", score=0.4),
        make_finding("b", score=0.5),
    ]
    with connect(warehouse_url) as connection:
        findings = merge_stream_findings(connection, rows)
    assert {(finding.user_id, round(finding.combined_score, 6)) for finding in findings} == {("a", 0.7), ("b", 0.5)}
    with connect(warehouse_url) as connection:
        assert merge_stream_findings(connection, rows) == [], "a batch that comes again"
        (changed,) = merge_stream_findings(connection, [make_finding("b", score=0.6)])
    assert (changed.user_id, changed.score, round(changed.combined_score, 6)) == ("b", 0.6, 0.6)
    assert changed.detected_at == next(finding.detected_at for finding in findings if finding.user_id == "b")
    assert len(select_rows(warehouse_url, "select from mart.anomaly")) == len(rows)


def test_the_step_continues_from_the_last_run(url: str, tmp_path: Path) -> None:
    settings = read_settings({"WAREHOUSE_URL": url, "STATE_DIR": str(tmp_path)})
    with connect(url) as connection:
        for age in (1, 5):
            _add_day(connection, 2, age, minutes=60, plan=FREE, skips=40)
    assert find_anomalies("n1", DAY, None, settings) == {"unusual_free_plan_use": 2}
    assert find_anomalies("n1", DAY, None, settings) == {}, "the run is published"
    with connect(url) as connection:
        for age in (0, 2, 9):  # a new day, a late one, and one that is too late
            _add_day(connection, 4, age, minutes=60, plan=FREE, skips=40)
    assert find_anomalies("n2", DAY + timedelta(days=1), None, settings) == {"unusual_free_plan_use": 2}
    assert find_anomalies("n3", DAY + timedelta(days=1), DAY - timedelta(days=9), settings) == {
        "unusual_free_plan_use": 1
    }
    runs = select_rows(url, "select run_id, result from audit.run where job = 'find_anomalies' order by run_id")
    assert [row["result"] for row in runs] == ["published"] * 3


def test_the_step_does_nothing_without_listeners(warehouse_url: str, tmp_path: Path) -> None:
    settings = read_settings({"WAREHOUSE_URL": warehouse_url, "STATE_DIR": str(tmp_path)})
    assert find_anomalies("n1", DAY, None, settings) == {}
