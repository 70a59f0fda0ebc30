"""The files of a batch, and their erasure, when a user is forgotten at the same time."""

from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import Mock

import fastavro
import pyarrow as pa
import pytest

from etl.erasure.data_subject import DataSubject
from etl.erasure.landed_messages import erase_from_landed_topics
from etl.storage.forgotten_users import ForgottenUsers
from etl.storage.lake import Lake
from etl.storage.landed_files import ACCEPTED_SUFFIX, LandedTopic
from etl.storage.offset_ranges import OffsetRange
from etl.streams.landing_files import LandingFiles
from etl.streams.message_batch import MessageBatch
from etl.streams.messages import RegistryAddress
from tests.formats.avro.test_datums import encode_value


def make_message(offset: int, user: str) -> Mock:
    message = Mock()
    message.partition.return_value, message.offset.return_value = 3, offset
    message.key.return_value, message.value.return_value = user.encode(), encode_value(userId=user)
    message.timestamp.return_value = (2, int(datetime.now(UTC).timestamp() * 1000))
    message.headers.return_value = [("schema_version", b"2")]
    return message


def accept_all(table: pa.Table, _registry: RegistryAddress | None) -> pa.ChunkedArray:
    return pa.chunked_array([pa.nulls(len(table), pa.string())])


@pytest.mark.parametrize("is_forgotten_before_the_write", [True, False])
def test_a_user_who_is_forgotten_after_the_validation_is_not_landed(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, is_forgotten_before_the_write: bool
) -> None:
    landed, forgotten_users = LandedTopic(lake.url, "SpotifyWrapped", "id"), ForgottenUsers(lake.url)
    real_write, writes = LandedTopic.write_range, 0

    def forget() -> None:
        forgotten_users.record_users(["forgotten"], datetime.now(UTC) + timedelta(seconds=1))

    def write_range(topic: LandedTopic, *arguments: Any) -> None:
        nonlocal writes
        real_write(topic, *arguments)
        writes += 1
        if writes == 1 and not is_forgotten_before_the_write:
            forget()

    monkeypatch.setattr(LandedTopic, "write_range", write_range)
    files = LandingFiles(landed, forgotten_users, accept_all, None)
    batch = MessageBatch()
    batch.add_messages([make_message(0, "stays"), make_message(1, "forgotten")])
    validated = files.validate_batch(batch)
    if is_forgotten_before_the_write:
        forget()
    positions = {3: 0}
    (written,) = files.write_partitions(validated, positions)
    assert (written.accepted_count, positions) == (1, {3: 2})
    assert writes == (1 if is_forgotten_before_the_write else 2)
    (path,) = landed.find_files(ACCEPTED_SUFFIX)
    with lake.inputs._filesystem.open(path, "rb") as source:
        assert [record["userId"] for record in fastavro.reader(source)] == ["stays"]


def test_dead_letters_that_are_sent_during_an_erasure_are_passed_over(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    landed = LandedTopic(lake.url, "SpotifyWrapped", "id")
    landed.write_gap(OffsetRange(3, 0, 1))
    monkeypatch.setattr(LandedTopic, "list_dead_letters", lambda _topic, partition: [OffsetRange(partition, 0, 9)])
    erase_from_landed_topics(lake, DataSubject(frozenset({"u"})))
    assert landed.list_gaps(3) == [OffsetRange(3, 0, 1)]
