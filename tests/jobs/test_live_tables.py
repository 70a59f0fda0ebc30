"""The live tables, from a real broker through Spark to PostgreSQL: the process is killed, and nothing is lost or twice.

The tests share one topic and follow each other: each waits until the tables contain what it has produced.
"""

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient

from etl.database import connect, fetch_rows, run_statements
from etl.jobs.events import load_events, plan_events
from etl.jobs.landing import land_messages
from etl.jobs.live_agreement import check_agreement
from etl.settings import CHECKOUT, read_settings
from etl.storage.landed_files import LandedTopic
from etl.streams.clients import build_client_options
from etl.streams.topics import CONTINENT_PARTITIONS, create_topics, describe_topic, fetch_end_offsets
from launch import postgres
from launch.kafka import Broker
from launch.spark_jars import link_jars, link_kafka_jars
from tests.conftest import copy_database
from tests.jobs.topic_events import make_event, produce

pytestmark = pytest.mark.timeout(600)

NOW = datetime.now(UTC).replace(minute=30, second=0, microsecond=0)
HOUR = timedelta(hours=1)
EUROPE, OCEANIA, ASIA = (CONTINENT_PARTITIONS[name] for name in ("Europe", "Oceania", "Asia"))


class LiveProcess:
    """The process of the live queries on a topic of its own, and what its tables contain."""

    def __init__(self, environ: dict[str, str], folder: Path) -> None:
        self.environ = {**os.environ, **environ, "PYTHONPATH": str(CHECKOUT)}
        self.settings = read_settings(environ)
        self.kafka = self.settings.require_kafka()
        self.folder = folder
        self.log = folder / "live-queries.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.jobs.live_process"],
                cwd=CHECKOUT,
                env=self.environ,
                stdout=output,
                stderr=output,
            )

    def wait_for_end(self, number: int | None = None) -> int:
        """Return the exit code of the process, after a signal if one is given."""
        assert self._process is not None
        if number is not None:
            self._process.send_signal(number)
        return self._process.wait(240)

    def kill(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def wait_until_read(self) -> None:
        """Wait until the tables contain all messages of the topic."""
        ends = fetch_end_offsets(self.kafka, self.kafka.topic)
        deadline = time.monotonic() + 240
        while time.monotonic() < deadline:
            assert self._process is not None
            assert self._process.poll() is None, self.log.read_text()[-3000:]
            if {row["partition"]: row["next_offset"] for row in self.query("select * from live.progress")} == ends:
                return
            time.sleep(0.1)
        pytest.fail(f"the tables do not contain all messages: {self.log.read_text()[-3000:]}")

    def query(self, statement: str) -> list[dict[str, Any]]:
        with connect(self.settings.warehouse_url) as connection:
            return fetch_rows(connection, statement)

    def get_progress(self, partition: int) -> dict[str, Any]:
        return self.query(f"select * from live.progress where partition = {partition}")[0]

    def count_events(self) -> dict[str, tuple[int, int]]:
        """Return the events in time and the late ones, by user."""
        rows = self.query(
            "select user_id, sum(events)::int as events, sum(late_events)::int as late from live.user_hour group by 1"
        )
        return {row["user_id"]: (row["events"], row["late"]) for row in rows}


@pytest.fixture(scope="module")
def live(
    kafka_broker: Broker,
    embedded_server: postgres.Server,
    migrated_template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[LiveProcess]:
    folder = tmp_path_factory.mktemp("live")
    link_jars(folder)
    link_kafka_jars(folder)
    with copy_database(embedded_server, migrated_template) as url:
        environ = {
            "STATE_DIR": str(folder),
            "WAREHOUSE_URL": url,
            "KAFKA_TOPIC": f"SpotifyWrapped-{uuid.uuid4().hex[:8]}",
            "LANDING_SECONDS": "1",
            "LIVE_TEST_KILL": str(folder / "kill"),
            **kafka_broker.variables,
        }
        process = LiveProcess(environ, folder)
        create_topics(process.kafka)
        try:
            yield process
        finally:
            process.kill()


def test_events_are_counted_once_and_rejected_messages_by_number(live: LiveProcess) -> None:
    repeated = make_event(NOW, userId="repeats")
    produce(
        live.kafka,
        [
            *(make_event(NOW - timedelta(minutes=number), userId="u1") for number in range(3)),
            make_event(NOW, userId="u1", activityType="SKIP"),
            make_event(NOW, userId="u1", msPlayed=10_000),
            *(repeated for _ in range(3)),
            make_event(NOW, userId="u2", country="JP", songId="track-2", song="Other", genre="jazz"),
            (b"poison", "2", EUROPE),
            (None, "2", EUROPE),
            (b"x", None, ASIA),
        ],
    )
    live.start()
    live.wait_until_read()
    assert live.count_events() == {"u1": (5, 0), "u2": (1, 0), "repeats": (1, 0)}
    europe, asia = live.get_progress(EUROPE), live.get_progress(ASIA)
    counts = ("accepted_events", "duplicate_events", "late_events", "rejected_messages", "lost_messages")
    assert [europe[name] for name in counts] == [8, 2, 0, 2, 0]
    assert [asia[name] for name in counts] == [1, 0, 0, 1, 0]
    # Kafka's clock bounds the watermark: it is one of receipt if an event is dated later.
    assert europe["watermark"] <= datetime.now(UTC) - timedelta(minutes=10)
    top = live.query(
        "select continent, kind, item_id, plays, ms_played from live.top_by_continent where period = 'day'"
        " order by continent, kind, rank"
    )
    assert [tuple(row.values()) for row in top] == [
        ("Asia", "artist", "artist-1", 1, 60_000),
        ("Asia", "genre", "jazz", 1, 60_000),
        ("Asia", "recording", "track-2", 1, 60_000),
        ("Europe", "artist", "artist-1", 4, 240_000),
        ("Europe", "genre", "rock", 4, 240_000),
        ("Europe", "recording", "track-1", 4, 240_000),
    ]
    listeners = live.query("select sum(listeners)::int as n from live.active_minute where continent = 'Europe'")
    assert listeners == [{"n": 4}]  # u1 in three minutes, the other user in one of them


def test_a_continent_that_lags_loses_nothing_and_late_events_are_counted(live: LiveProcess) -> None:
    produce(live.kafka, [make_event(NOW - 5 * HOUR, userId="lagging", country="AU")])
    live.wait_until_read()
    produce(
        live.kafka,
        [
            # In time for Oceania, whose newest event is five hours old, while Europe is at the present.
            *(
                make_event(NOW - 5 * HOUR + timedelta(minutes=number), userId="lagging", country="AU")
                for number in range(9)
            ),
            make_event(NOW - 2 * HOUR, userId="late"),
            make_event(NOW - 2 * HOUR, userId="late", activityType="SKIP"),
        ],
    )
    live.wait_until_read()
    counts = live.count_events()
    assert (counts["lagging"], counts["late"]) == ((10, 0), (0, 2))
    assert (live.get_progress(OCEANIA)["late_events"], live.get_progress(EUROPE)["late_events"]) == (0, 2)
    late = live.query("select plays, late_plays from live.top_by_user where user_id = 'late' and kind = 'genre'")
    assert late == [{"plays": 0, "late_plays": 1}] * 2


def test_closed_hours_agree_with_the_star(live: LiveProcess) -> None:
    _land_and_load(live, "load-1")
    result = check_agreement(live.settings)
    assert (result.differences, result.reason) == (0, "")
    assert (result.hours_compared, result.events_compared) == (2, 12)
    with connect(live.settings.warehouse_url) as connection:
        run_statements(
            connection,
            "update live.user_hour set late_events = late_events + 1 where user_id = 'late' and activity_type = 'SKIP'",
        )
    assert check_agreement(live.settings).differences == 1
    with connect(live.settings.warehouse_url) as connection:
        run_statements(
            connection, "update live.user_hour set late_events = 1 where activity_type = 'SKIP' and user_id = 'late'"
        )
    differences = live.query("select * from audit.live_difference")
    assert [(row["user_id"], row["activity_type"], row["live_events"], row["star_events"]) for row in differences] == [
        ("late", "SKIP", 2, 1)
    ]
    assert check_agreement(live.settings).differences == 0


def test_a_kill_between_the_two_commits_counts_nothing_twice(live: LiveProcess) -> None:
    Path(live.environ["LIVE_TEST_KILL"]).touch()
    produce(live.kafka, [make_event(NOW, userId="killed") for _ in range(5)])
    assert live.wait_for_end() == -signal.SIGKILL
    assert live.count_events()["killed"] == (5, 0)
    # Meanwhile Kafka removes messages that the query has not read.
    produce(live.kafka, [make_event(NOW, userId="removed", country="AU") for _ in range(3)])
    _delete_records(live, OCEANIA, fetch_end_offsets(live.kafka, live.kafka.topic)[OCEANIA] - 1)
    produce(live.kafka, [make_event(NOW, userId="after"), make_event(NOW, userId="after", country="JP")])
    live.start()
    live.wait_until_read()
    counts = live.count_events()
    assert (counts["killed"], counts["after"], counts["removed"]) == ((5, 0), (2, 0), (1, 0))
    assert live.get_progress(OCEANIA)["lost_messages"] == 2
    assert "Kafka has removed 2 messages of partition 5" in live.log.read_text()
    assert live.wait_for_end(signal.SIGTERM) == 0


def test_a_new_topic_begins_a_new_generation(live: LiveProcess) -> None:
    client = AdminClient(build_client_options(live.kafka))
    client.delete_topics([live.kafka.topic])[live.kafka.topic].result(20)
    _wait_until_created(live)
    produce(live.kafka, [make_event(NOW, userId="new")])
    live.start()
    live.wait_until_read()
    assert live.count_events() == {"new": (1, 0)}
    assert live.get_progress(OCEANIA)["lost_messages"] == 0
    assert live.wait_for_end(signal.SIGTERM) == 0


def test_findings_about_users_reach_the_table_and_the_queue(live: LiveProcess) -> None:
    skips = [
        make_event(NOW + timedelta(seconds=number), userId="skipper", activityType="SKIP", subscriptionType="free")
        for number in range(20)
    ]
    produce(live.kafka, [*skips, *skips])
    live.start()
    findings = _wait_for_findings(live)
    reason = "20 skips in an hour on the free plan, which allows 6"
    assert [(row["user_id"], row["rule"], row["source"], row["reason"]) for row in findings] == [
        ("skipper", "skips_beyond_plan", "stream", reason)
    ]
    assert _read_finding(live, "skipper")["reason"] == reason
    assert live.wait_for_end(signal.SIGTERM) == 0


def _read_finding(live: LiveProcess, user_id: str) -> dict[str, Any]:
    """Return the first message about a user in the topic of findings; events of earlier tests have findings, too."""
    consumer = Consumer({**build_client_options(live.kafka), "group.id": "findings", "auto.offset.reset": "earliest"})
    consumer.assign([TopicPartition(live.kafka.anomaly_topic, 0, 0)])
    try:
        while (message := consumer.poll(20)) is not None:
            assert not message.error()
            finding: dict[str, Any] = json.loads(message.value() or b"")
            if finding["user_id"] == user_id:
                return finding
    finally:
        consumer.close()
    pytest.fail("the topic has no finding about the user")


def _wait_for_findings(live: LiveProcess) -> list[dict[str, Any]]:
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline:
        if findings := live.query("select * from mart.anomaly where user_id = 'skipper'"):
            return findings
        time.sleep(0.5)
    pytest.fail(f"nothing was found: {live.log.read_text()[-3000:]}")


def _land_and_load(live: LiveProcess, run_id: str) -> None:
    """Land all messages of the topic and load them into the star."""
    ends = fetch_end_offsets(live.kafka, live.kafka.topic)
    topic_id = describe_topic(live.kafka, live.kafka.topic).topic_id
    landed = LandedTopic(live.settings.lake_url, live.kafka.topic, topic_id)
    stop = Event()
    landing = Thread(target=land_messages, args=(live.settings, stop))
    landing.start()
    try:
        deadline = time.monotonic() + 60
        while any((landed.find_position(partition) or 0) < end for partition, end in ends.items()):
            assert landing.is_alive() and time.monotonic() < deadline
            time.sleep(0.1)
    finally:
        stop.set()
        landing.join()
    assert plan_events(run_id, live.settings) == 1
    load_events(run_id, NOW.date(), live.settings)


def _delete_records(live: LiveProcess, partition: int, offset: int) -> None:
    client = AdminClient(build_client_options(live.kafka))
    for future in client.delete_records([TopicPartition(live.kafka.topic, partition, offset)]).values():
        future.result(20)


def _wait_until_created(live: LiveProcess) -> None:
    """Create the topic again; Kafka may still be deleting it."""
    deadline = time.monotonic() + 20
    while live.kafka.topic not in create_topics(live.kafka) and time.monotonic() < deadline:
        time.sleep(0.2)
