"""The rules for a user's hour: what they find, what they tolerate, and that a stream finds the same as a table."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, Row, SparkSession

from etl.transform.anomalies.findings import FINDING
from etl.transform.anomalies.user_hours import find_user_hour_anomalies

HOUR = datetime(2026, 10, 1, 12, tzinfo=UTC)
SCHEMA = (
    "user_id string, event_id string, event_time timestamp, ended_at timestamp, activity_type string, artist_id string,"
    " artist_name string, ms_played int, is_skipped boolean, subscription_plan string, country string"
)


@dataclass(frozen=True)
class Event:
    """An event of a user at a second of the hour."""

    user_id: str
    second: float
    played_s: float = 180
    activity_type: str = "PLAY"
    country: str | None = "DE"
    plan: str | None = "free"
    artist: str | None = "A"

    def row(self) -> tuple[Any, ...]:
        at = HOUR + timedelta(seconds=self.second)
        is_play = self.activity_type == "PLAY"
        return (
            *(self.user_id, f"{self.user_id}-{self.second}-{self.activity_type}", at),
            at + timedelta(seconds=self.played_s) if is_play else None,
            *(self.activity_type, self.artist, self.artist, int(self.played_s * 1000) if is_play else None),
            *(self.activity_type == "SKIP", self.plan, self.country),
        )


def play_in_sequence(user_id: str, count: int, played_s: float, step_s: float, **values: Any) -> list[Event]:
    return [Event(user_id, number * step_s, played_s, **values) for number in range(count)]


def skip(user_id: str, count: int, **values: Any) -> list[Event]:
    return [
        event
        for play in play_in_sequence(user_id, count, 10, 60, **values)
        for event in (play, replace(play, second=play.second + 10, activity_type="SKIP"))
    ]


CASES: dict[str, tuple[list[Event], dict[str, str]]] = {
    "seven skips": (
        skip("seven skips", 7),
        {"skips_beyond_plan": "7 skips in an hour on the free plan, which allows 6"},
    ),
    "six skips": (skip("six skips", 6), {}),
    "skips of premium": (skip("skips of premium", 30, plan="premium"), {}),
    "skips without a plan": (skip("skips without a plan", 30, plan=None), {}),
    "repeated skips": (skip("repeated skips", 6) * 3, {}),
    "a full hour": (play_in_sequence("a full hour", 18, 200, 200), {}),
    "an hour and its last play": (
        [*play_in_sequence("an hour and its last play", 17, 200, 200), Event("an hour and its last play", 3590, 1800)],
        {},
    ),
    "too much sound": (
        play_in_sequence("too much sound", 20, 240, 180),
        {
            "impossible_volume": "20 plays with 79 minutes of sound in an hour",
            "overlapping_plays": "19 plays began at least 60 s before the previous one ended",
        },
    ),
    "one overlap": (
        [Event("one overlap", 0, 200), Event("one overlap", 100, 100), Event("one overlap", 300, 100)],
        {},
    ),
    "rounded times": (play_in_sequence("rounded times", 10, 204, 200), {}),
    "two overlaps": (
        play_in_sequence("two overlaps", 3, 200, 190),
        {"overlapping_plays": "2 plays began at least 10 s before the previous one ended"},
    ),
    "two countries": (
        [Event("two countries", 0), Event("two countries", 600, country="BR")],
        {"impossible_travel": "changes of country faster than 1000 km/h: 1, such as DE to BR in 10 minutes"},
    ),
    "a border": ([Event("a border", 0), Event("a border", 600, country="PL")], {}),
    "one flight": ([Event("one flight", 0, country="GB"), Event("one flight", 3500, country="ES")], {}),
    "no country": ([Event("no country", 0), Event("no country", 300, country=None), Event("no country", 900)], {}),
    "unknown country": ([Event("unknown country", 0), Event("unknown country", 300, country="ZZ")], {}),
    "short plays": (
        play_in_sequence("short plays", 12, 32, 34),
        {"short_play_runs": "12 plays of 30 to 35 s of the artist A in an hour"},
    ),
    "short plays of many": (
        [
            replace(play, artist=f"A{number}")
            for number, play in enumerate(play_in_sequence("short plays of many", 12, 32, 34))
        ],
        {},
    ),
    "no artist": (play_in_sequence("no artist", 12, 32, 34, artist=None), {}),
}


def make_frame(spark: SparkSession, events: Iterable[Event]) -> DataFrame:
    return spark.createDataFrame([event.row() for event in events], SCHEMA)


@pytest.fixture(scope="module")
def findings(spark: SparkSession) -> list[Row]:
    events = [event for events, _ in CASES.values() for event in events]
    return find_user_hour_anomalies(make_frame(spark, events)).collect()


@pytest.mark.parametrize("name", CASES)
def test_a_user_hour_has_the_findings_of_its_rules(findings: list[Row], name: str) -> None:
    own = [finding for finding in findings if finding["user_id"] == name]
    assert {finding["rule"]: finding["reason"] for finding in own} == CASES[name][1]


def test_findings_have_a_window_and_a_score(findings: list[Row]) -> None:
    assert all([*finding.asDict()] == FINDING.names for finding in findings)
    assert {(finding["window_start"], finding["window_end"]) for finding in findings} == {
        (HOUR.replace(tzinfo=None), (HOUR + timedelta(hours=1)).replace(tzinfo=None))
    }
    assert all(0 < finding["score"] < 1 for finding in findings)


def test_a_later_excess_scores_higher_and_stays_below_the_weight(spark: SparkSession) -> None:
    events = [event for count in (7, 8, 12, 60) for event in skip(f"u{count}", count)]
    rows = find_user_hour_anomalies(make_frame(spark, events)).where("rule = 'skips_beyond_plan'").collect()
    scores = [row["score"] for row in sorted(rows, key=lambda row: int(row["user_id"][1:]))]
    assert scores == sorted(scores) and len({*scores}) == 4
    assert scores[0] == pytest.approx(0.475) and scores[-1] <= 0.95


def test_a_stream_finds_the_same_in_update_mode(spark: SparkSession, findings: list[Row], tmp_path: Path) -> None:
    """The events come in two batches, each a part of every hour, with the check of correctness switched on."""
    assert spark.conf.get("spark.sql.streaming.statefulOperator.checkCorrectness.enabled") == "true"
    events = [event for events, _ in CASES.values() for event in events]
    source, streamed = tmp_path / "source", {}
    for number, part in enumerate((events[::2], events[1::2])):
        make_frame(spark, part).coalesce(1).write.mode("append").parquet(f"{source}/batch={number}")
    stream = (
        spark.readStream.schema(SCHEMA)
        .option("maxFilesPerTrigger", 1)
        .parquet(f"{source}/batch=*")
        .withWatermark("event_time", "1 day")
    )

    def collect_rows(batch: DataFrame, _: int) -> None:
        streamed.update({(row["user_id"], row["rule"]): row for row in batch.collect()})

    query = (
        find_user_hour_anomalies(stream)
        .writeStream.outputMode("update")
        .option("checkpointLocation", str(tmp_path / "checkpoint"))
        .trigger(availableNow=True)
        .foreachBatch(collect_rows)
        .start()
    )
    query.awaitTermination(120)
    assert query.exception() is None
    assert len(query.recentProgress) >= 2, "both batches must meet the state of the windows"
    assert streamed == {(row["user_id"], row["rule"]): row for row in findings}
