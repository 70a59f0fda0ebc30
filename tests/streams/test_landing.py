"""Landing with a real broker: each message in one file, each rejected one in the dead-letter topic, once."""

import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from etl.errors import TryAgainError
from etl.formats.contracts.avro import load_contract
from etl.storage.offset_ranges import find_chain
from etl.streams import dead_letters, landing
from etl.streams.dead_letters import DeadLetterSender
from launch.kafka import Broker
from tests.formats.avro.test_datums import encode_value
from tests.streams.landing_topic import LandingTopic, make_event

pytestmark = [pytest.mark.timeout(180)]


@pytest.fixture
def topic(kafka_broker: Broker, tmp_path: Path) -> LandingTopic:
    return LandingTopic(kafka_broker, tmp_path)


def test_messages_are_landed_and_poison_becomes_dead_letters(topic: LandingTopic) -> None:
    good = make_event("before")
    poison: list[bytes | None] = [
        None,
        b"",
        b"\x00\x00\x00\x00\x07" + good,
        good[:-3],
        good + b"\x00",
        b"\xff" * 40,
        make_event("u", msPlayed=-1),
        make_event(" "),
        b"\x02u" + b"\x80" * 12,
    ]
    topic.produce([good, *poison, make_event("after")])
    topic.produce([make_event("no header")], partition=0, version=None)
    topic.produce([make_event("unknown version")], partition=0, version="3\0")
    former = {**dict.fromkeys(("eventTime", "startTime", "endTime"), 1_790_000_000_000)}
    topic.produce([encode_value(load_contract("user_activity_1"), userId="former", **former)], partition=6, version="1")
    with topic.run_landing():
        topic.wait_until_landed(14)
        topic.wait_until_settled()
    assert topic.read_values() == Counter(["before", "after", "former"])
    letters = topic.read_topic(topic.kafka.dead_letter_topic)
    by_offset = {(letter.headers()[2][1], letter.headers()[3][1]): letter for letter in letters}
    assert len(letters) == len(by_offset) == len(poison) + 2
    assert [by_offset[b"3", str(number + 1).encode()].value() for number in range(len(poison))] == poison
    rejected = topic.read_rejected()
    assert Counter(reason for reason, _ in rejected) == Counter(
        dict(letter.headers())["reason"].decode() for letter in letters
    )
    assert {row["key"] for _, row in rejected} == {"u"}
    progress = topic.read_progress()
    assert {int(partition): next_ for partition, next_ in progress["positions"].items()} == topic.read_committed()
    assert set(progress["lag"].values()) == {0} and progress["last_error"] is None
    assert (progress["landed_count"], progress["rejected_count"]) == (3, len(poison) + 2)


def test_large_rejected_messages_are_cut(topic: LandingTopic) -> None:
    topic.produce([b"v" * 950_000], version="ä" * 10_000, key=b"k" * 20_000)
    topic.produce([b"v" * 600_000], partition=5, key=b"k" * 390_000)
    with topic.run_landing():
        topic.wait_until_landed(2)
        topic.wait_until_settled()
    by_value_length = {len(letter.value()): letter for letter in topic.read_topic(topic.kafka.dead_letter_topic)}
    headers = dict(by_value_length[900_000].headers())
    assert (headers["value_bytes"], headers["key_bytes"]) == (b"950000", b"20000")
    assert (headers["schema_version"], headers["schema_version_bytes"]) == ("ä".encode() * 20, b"20000")
    letter = by_value_length[600_000]
    assert len(letter.key()) == 10_000 and "value_bytes" not in dict(letter.headers())


def test_many_rejected_messages_are_sent_in_several_transactions(
    topic: LandingTopic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process fails behind the first transaction, and then sends the remaining letters only."""
    monkeypatch.setattr(dead_letters, "_TRANSACTION_LETTERS", 4)
    monkeypatch.setattr(landing, "_MAX_BATCH_BYTES", 50)
    real_send, calls = DeadLetterSender._send_together, 0

    def send(sender: DeadLetterSender, *arguments: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise TryAgainError("This transaction fails.")
        real_send(sender, *arguments)

    monkeypatch.setattr(DeadLetterSender, "_send_together", send)
    poison = [b"poison %d" % number for number in range(10)]
    topic.produce(poison[:5])
    topic.produce(poison[5:], partition=5)
    with topic.run_landing():
        topic.wait_until_landed(10)
        topic.wait_until_settled()
    assert calls > 3
    letters = topic.read_topic(topic.kafka.dead_letter_topic)
    assert Counter(letter.value() for letter in letters) == Counter(poison)
    assert {partition: offset for partition, offset in topic.read_committed().items() if offset > 0} == {3: 5, 5: 5}


def test_a_killed_process_leaves_neither_gap_nor_repetition(topic: LandingTopic) -> None:
    users = [f"u{number}" for number in range(3000)]
    values: list[bytes | None] = [make_event(user) for user in users]
    poison = [b"poison %d" % number for number in range(300)]
    for part in range(3):
        for partition in (2, 5):
            topic.produce(
                [value for pair in zip(values[part::3], poison[part::3] * 10, strict=True) for value in pair][
                    : 1000 if partition == 2 else None
                ][(0 if partition == 2 else 1000) :],
                partition,
            )
    process = topic.start_process(LANDING_MAX_RECORDS="150")
    for kill in range(5):
        before = topic.count_landed()
        deadline = time.monotonic() + 60
        while topic.count_landed() == before and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(kill * 0.037)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process = topic.start_process(LANDING_MAX_RECORDS="150")
    topic.wait_until_landed(6000, 120)
    topic.wait_until_settled()
    process.terminate()
    assert process.wait(15) == 0
    assert topic.read_values() == Counter(users)
    letters = Counter(letter.value() for letter in topic.read_topic(topic.kafka.dead_letter_topic))
    assert letters == Counter(dict.fromkeys(poison, 10))
    for partition in (2, 5):
        ranges = topic.landed.list_ranges(partition)
        assert find_chain(ranges, None) == sorted(ranges)
