"""The inputs that the check of the live tables reads: of their retention, and older ones only where it has to."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from etl.jobs.landed_inputs import compute_input_id
from etl.jobs.live_agreement import _find_loaded_messages
from etl.settings import read_settings
from etl.storage.landed_files import LandedTopic
from etl.storage.offset_ranges import OffsetRange

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


def make_input(lake: Path, topic_id: str, *ranges: OffsetRange) -> str:
    input_id = compute_input_id(topic_id, ranges)
    folder = lake / "feed" / input_id
    folder.mkdir(parents=True)
    for offsets in ranges:
        (folder / f"topic-{offsets.partition}-{offsets.first:020}-{offsets.next:020}.avro").touch()
    return input_id


def test_old_inputs_are_read_only_for_partitions_without_new_ones(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    settings = read_settings(
        {
            "STATE_DIR": str(tmp_path),
            "LAKE_URL": lake.as_uri(),
            "WAREHOUSE_URL": "unused",
            "KAFKA_BOOTSTRAP_SERVERS": "unused:1",
            "KAFKA_TOPIC": "topic",
        }
    )
    topic_folder = lake / "landing" / "topic" / "id"
    topic_folder.mkdir(parents=True)
    (topic_folder / "positions.json").write_text('{"positions": {"0": 30, "1": 5}, "gaps": [], "pending": null}')
    assert LandedTopic(settings.lake_url, "topic", "id").read_positions() == {0: 30, 1: 5}
    input_ids = [
        make_input(lake, "id", OffsetRange(0, 20, 30)),
        make_input(lake, "former", OffsetRange(0, 40, 50)),
        make_input(lake, "id", OffsetRange(0, 10, 20), OffsetRange(1, 0, 5)),
        make_input(lake, "id", OffsetRange(0, 0, 10)),
    ]
    rows = [{"input_id": input_id, "loaded_at": NOW - timedelta(days=age)} for age, input_id in enumerate(input_ids)]
    recent_from = NOW - timedelta(hours=1)
    loaded = _find_loaded_messages(settings, "id", rows, NOW - timedelta(hours=1), recent_from)
    assert loaded.input_ids == (input_ids[0], input_ids[2])
    assert loaded.next_offsets == {0: 30, 1: 5}
    assert loaded.rejected_input_ids == (input_ids[0],) and loaded.rejected_from_offsets == {0: 20, 1: 5}
    loaded = _find_loaded_messages(settings, "id", rows, NOW - timedelta(days=9), recent_from)
    assert loaded.rejected_input_ids == loaded.input_ids and not loaded.rejected_from_offsets
