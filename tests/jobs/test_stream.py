"""The same simulation as a feed and as a stream, and the feed's files as a stream: the same records."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import fastavro
import pytest

from etl import database
from etl.errors import ActionNeededError
from etl.formats.contracts.avro import load_contract
from etl.settings import KafkaSettings, Settings, read_settings
from launch.kafka import Broker
from simulator.jobs import feed, feed_form, stream
from simulator.listeners.feed import make_truth_tables
from simulator.streams.observer import Observer
from simulator.streams.pacing import FULL_SPEED, REAL_TIME
from simulator.streams.sending import SendOptions, StreamResult
from tests.jobs.test_feed import CATALOGUE
from tests.simulator.streams.small_streams import consume_committed, make_topics

NOW = datetime(2026, 10, 5, tzinfo=UTC)
FORM = {
    "users": 20,
    "hours": 24,
    "duplicate": 0.05,
    "late": 0.05,
    "disorder": 0.05,
    "unknown_track": 0.05,
    "broken": 0.05,
}
SCHEMA = load_contract("user_activity_2")


@pytest.fixture
def settings(tmp_path: Path, warehouse_url: str, kafka_broker: Broker) -> Settings:
    """Return the settings of a warehouse with a small catalogue, and of a broker with topics of their own."""
    kafka = make_topics(kafka_broker.variables)
    with database.connect(warehouse_url) as connection:
        connection.exec_driver_sql(CATALOGUE, execution_options={"no_parameters": True})
    variables = {"STATE_DIR": str(tmp_path), "WAREHOUSE_URL": warehouse_url, "KAFKA_TOPIC": kafka.topic}
    return read_settings({**variables, **kafka_broker.variables})


def read_files(folder: Path) -> list[dict[str, Any]]:
    records: list[Any] = []
    for path in sorted(folder.glob("*.avro")):
        with path.open("rb") as source:
            records += list(fastavro.reader(source, SCHEMA))
    return records


def read_topic(kafka: KafkaSettings) -> list[dict[str, Any]]:
    parsed: Any = fastavro.parse_schema(SCHEMA)
    values = [message.value() or b"" for message in consume_committed(kafka)]
    records: list[Any] = [fastavro.schemaless_reader(BytesIO(value), parsed) for value in values]
    return records


def sort_records(records: Iterable[Mapping[str, Any]]) -> list[str]:
    return sorted(repr(sorted(record.items())) for record in records)


def list_episodes(rows: Iterable[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    times = ("started_at", "ended_at")
    return sorted((row["user_id"], row["kind"], *(row[name].timestamp() for name in times)) for row in rows)


def replay(kafka: KafkaSettings, path: Path, **options: Any) -> StreamResult:
    plan = stream.plan_replay(str(path), {}, FULL_SPEED, NOW)
    result = stream.send_stream(plan, kafka, SendOptions(FULL_SPEED, **options), Observer())
    assert result is not None
    return result


@pytest.mark.usefixtures("one_session")
def test_a_stream_has_the_records_of_the_feed(settings: Settings, kafka_broker: Broker) -> None:
    kafka = settings.require_kafka()
    result = feed_form.simulate_form("run", {**FORM, "destination": "lake"}, NOW, settings)
    streamed = feed_form.simulate_form("run", {**FORM, "destination": "topic"}, NOW, settings)
    folder = Path(settings.lake_url.removeprefix("file://")) / feed.ORIGIN / result["user_activity"]["input_id"]
    records = sort_records(read_files(folder))
    assert len(records) == result["user_activity"]["row_count"] == streamed["messages"]
    assert sort_records(read_topic(kafka)) == records
    with database.connect(settings.warehouse_url) as connection:
        counts = database.fetch_rows(connection, "select kind, row_count from simulation.injected_error")
    assert {row["kind"]: row["row_count"] for row in counts} == {**streamed["errors"]}
    assert feed_form.simulate_form("again", {**FORM, "destination": "topic"}, NOW, settings) == streamed
    assert len(read_topic(kafka)) == len(records)

    other = make_topics(kafka_broker.variables)
    assert replay(other, folder, max_messages=len(records) // 2).progress.sent == len(records) // 2
    assert replay(other, folder).position.is_complete
    assert sort_records(read_topic(other)) == records


def test_a_stream_from_now_on_is_named_by_its_parameters(settings: Settings) -> None:
    plans = [stream.plan_listener_stream({"users": users}, REAL_TIME, NOW, settings) for users in (3, 3, 4)]
    assert plans[0].name == plans[1].name != plans[2].name
    assert plans[0].start.start_ms == NOW.timestamp() * 1000
    fast = stream.plan_listener_stream({"users": 3, "hours": 2}, FULL_SPEED, NOW, settings)
    assert (fast.start.start_ms, fast.start.end_ms) == ((NOW.timestamp() - 7200) * 1000, NOW.timestamp() * 1000)


def test_the_truth_about_a_stream_is_published_once(settings: Settings) -> None:
    form = {"users": 20, "anomalous_share": 1.0, "hours": 24 * 90, "growing_since": "2026-07-01"}
    plan = stream.plan_listener_stream(form, FULL_SPEED, NOW, settings)
    for _ in range(2):
        stream.publish_truth(plan, NOW, settings)
    with database.connect(settings.warehouse_url) as connection:
        listeners = database.fetch_rows(connection, "select user_id from simulation.listener")
        episodes = database.fetch_rows(connection, "select * from simulation.anomaly_episode")
        outages = database.fetch_rows(connection, "select * from simulation.outage")
        holidays = database.fetch_rows(connection, "select * from simulation.holiday where holiday_date = '2026-07-14'")
    assert plan.simulation is not None
    assert sorted(tuple(row.values()) for row in outages) == plan.simulation.list_outages() and outages
    assert [row["country"] for row in holidays] == ["FR"]
    tables = make_truth_tables(plan.simulation)
    assert sorted(row["user_id"] for row in listeners) == sorted(tables["listener"]["user_id"].to_pylist())
    assert list_episodes(episodes) == list_episodes(tables["anomaly_episode"].to_pylist()) and episodes
    assert {row["user_id"] for row in episodes} <= {row["user_id"] for row in listeners}


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"records": 10}, "has no number of records"),
        ({"contract": "entities"}, "not of entities"),
        ({"speed": 2, "rate": 3}, "Choose one of speed, rate"),
        ({"undecodable": 0.9, "late": 0.2}, "add up to at most 1"),
        ({"start": "2026-10-04", "hours": 100}, "has not come yet"),
        ({"users": 300_000}, "at most 200,000 listeners"),
        ({"name": "a\nb"}, "printable characters"),
    ],
)
def test_a_form_that_no_stream_can_have_is_explained(settings: Settings, form: dict[str, Any], message: str) -> None:
    with pytest.raises(ActionNeededError, match=message):
        feed_form.simulate_form("run", {"users": 3, "destination": "topic", **form}, NOW, settings)


def test_without_kafka_the_form_says_what_to_do(tmp_path: Path) -> None:
    settings = read_settings({"STATE_DIR": str(tmp_path), "WAREHOUSE_URL": "postgresql://unused"})
    with pytest.raises(ActionNeededError, match="bin/run --streams"):
        feed_form.simulate_form("run", {"destination": "topic"}, NOW, settings)
