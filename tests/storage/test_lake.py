"""Inputs in the lake are stored completely or not at all, also by several processes at once."""

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from etl.storage.inputs import ReceivedInput
from etl.storage.lake import Lake

CONTENT = b"0123456789" * 300_000


class Killed(BaseException):
    """A simulated kill in the middle of a write."""


class InterruptedStream:
    """A stream that returns one block, then stores the same input as another process would, and is killed."""

    def __init__(self, lake: Lake, received: ReceivedInput) -> None:
        self._lake, self._received, self._blocks = lake, received, [CONTENT[:1000]]

    def read(self, size: int, /) -> bytes:
        if self._blocks:
            return self._blocks.pop()
        self._lake.inputs.store_input(io.BytesIO(CONTENT), self._received)
        raise Killed


@pytest.fixture
def received(lake: Lake) -> ReceivedInput:
    return ReceivedInput(
        input_id="id",
        origin="kaggle",
        name="artists.csv",
        format="artists",
        encoding="utf-8",
        delimiter=",",
        columns=("id",),
        row_count=10,
        size_bytes=len(CONTENT),
        received_at="2026-01-01T00:00:00+00:00",
        url=f"{lake.url}/kaggle/id/artists.csv",
    )


def read_bytes(lake: Lake, received: ReceivedInput) -> bytes:
    with lake.inputs.open_input(received) as content:
        return content.read()


def test_of_two_who_bring_a_file_at_once_the_killed_one_does_no_harm(lake: Lake, received: ReceivedInput) -> None:
    with pytest.raises(Killed):
        lake.inputs.store_input(InterruptedStream(lake, received), received)
    assert lake.inputs.find_inputs(["kaggle"]) == [received] and read_bytes(lake, received) == CONTENT
    assert sorted(path.name for path in Path(received.url.removeprefix("file://")).parent.iterdir()) == [
        "artists.csv",
        "received.json",
    ]


@pytest.mark.parametrize("there", [None, b"half"])
def test_a_file_that_is_not_what_its_note_says_is_written_anew_when_it_comes_again(
    lake: Lake, received: ReceivedInput, there: bytes | None
) -> None:
    lake.inputs.store_input(io.BytesIO(CONTENT), received)
    path = Path(received.url.removeprefix("file://"))
    path.unlink()
    if there:
        path.write_bytes(there)
    assert lake.inputs.store_input(io.BytesIO(CONTENT), received) == received
    assert read_bytes(lake, received) == CONTENT


def test_bytes_that_were_replaced_on_purpose_stay(lake: Lake, received: ReceivedInput) -> None:
    lake.inputs.store_input(io.BytesIO(CONTENT), received)
    lake.inputs.replace_input(received, b"what stays", 1)
    stored_input = lake.inputs.store_input(io.BytesIO(CONTENT), received)
    assert stored_input == replace(received, row_count=1, size_bytes=10) and read_bytes(lake, received) == b"what stays"


def test_what_a_killed_import_began_is_no_input_and_is_swept_once_it_is_old(
    lake: Lake, received: ReceivedInput
) -> None:
    lake.inputs.store_input(io.BytesIO(CONTENT), received)
    draft = Path(f"{received.url.removeprefix('file://')}.0123.part")
    draft.write_bytes(CONTENT[:1000])
    now = datetime.now(UTC)
    assert lake.inputs.find_inputs(["kaggle"]) == [received] and lake.inputs.find_input_files(received, "") == [
        received.url
    ]
    assert lake.sweep_drafts(now - timedelta(days=1)) == 0 and draft.exists()
    assert lake.sweep_drafts(now + timedelta(days=1)) == 1 and not draft.exists()
    assert read_bytes(lake, received) == CONTENT
