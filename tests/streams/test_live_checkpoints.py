"""The offsets in the checkpoint of a query, of which the last batch may not be committed."""

import json
from pathlib import Path

import pytest

from etl.streams.live_checkpoints import (
    drop_checkpoint_beyond_end,
    drop_other_checkpoints,
    find_gap_ends,
    read_planned_offsets,
    read_resume_offsets,
    warn_of_former_checkpoints,
)


def write_checkpoint(folder: Path, planned: list[int], committed: list[int]) -> None:
    """Write a checkpoint that ends with an offset of partition 0 after each batch; partition 3 is one ahead."""
    for name in ("offsets", "commits"):
        (folder / name).mkdir()
    for batch_id, offset in enumerate(planned):
        lines = ("v1", "{}", json.dumps({"topic": {"0": offset, "3": offset + 1}}))
        (folder / "offsets" / str(batch_id)).write_text("\n".join(lines))
        (folder / "offsets" / f".{batch_id}.crc").touch()
    for batch_id in committed:
        (folder / "commits" / str(batch_id)).touch()


@pytest.mark.parametrize(
    ("planned", "committed", "resume_offsets", "planned_offsets"),
    [
        ([], [], {}, {}),
        ([10], [], {0: 0, 3: 0}, {0: 10, 3: 11}),
        ([10, 20], [0], {0: 10, 3: 11}, {0: 20, 3: 21}),
        ([*range(11)], [*range(11)], {0: 10, 3: 11}, {0: 10, 3: 11}),
    ],
)
def test_a_query_goes_on_behind_its_last_committed_batch(
    tmp_path: Path,
    planned: list[int],
    committed: list[int],
    resume_offsets: dict[int, int],
    planned_offsets: dict[int, int],
) -> None:
    write_checkpoint(tmp_path, planned, committed)
    assert read_resume_offsets(tmp_path.as_uri()) == resume_offsets
    assert read_planned_offsets(tmp_path.as_uri()) == planned_offsets


def test_a_gap_lasts_until_a_committed_batch_has_passed_it(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, [10, 20], [0])
    assert find_gap_ends(tmp_path.as_uri(), {0: 10, 3: 15}) == {3: 15}
    (tmp_path / "commits" / "1").touch()
    assert find_gap_ends(tmp_path.as_uri(), {0: 10, 3: 15}) == {}


def test_a_checkpoint_beyond_the_end_of_kafka_is_dropped(tmp_path: Path) -> None:
    folder = tmp_path / "v1-a"
    folder.mkdir()
    write_checkpoint(folder, [10, 20], [0])
    drop_checkpoint_beyond_end(folder.as_uri(), {0: 20, 3: 21})
    assert folder.exists()
    drop_checkpoint_beyond_end(folder.as_uri(), {0: 19, 3: 21})
    assert not folder.exists()


def test_a_new_generation_names_the_former_one(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    own, former = tmp_path / "v1-b", tmp_path / "v1-a"
    warn_of_former_checkpoints(own.as_uri())
    former.mkdir()
    assert not caplog.records
    warn_of_former_checkpoints(own.as_uri())
    assert "the generation v1-b" in caplog.text and "the former generation v1-a" in caplog.text
    own.mkdir()
    drop_other_checkpoints(own.as_uri())
    assert [path.name for path in tmp_path.iterdir()] == ["v1-b"]
