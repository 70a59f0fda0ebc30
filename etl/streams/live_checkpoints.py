"""The checkpoint folders of the live query, one for each generation."""

import logging
from collections.abc import Mapping

from fsspec.core import url_to_fs

from etl.streams.live_query import read_next_offsets

log = logging.getLogger(__name__)


def read_resume_offsets(url: str) -> dict[int, int]:
    """Return for each partition the offset behind the last committed batch: 0 if none is, empty without any batch."""
    committed, planned = _find_last_batch(url, "commits"), _find_last_batch(url, "offsets")
    if committed is not None:
        return read_next_offsets(url, committed)
    return {} if planned is None else dict.fromkeys(read_next_offsets(url, planned), 0)


def read_planned_offsets(url: str) -> dict[int, int]:
    """Return for each partition the offset behind the last batch, which may not be committed; empty without any."""
    planned = _find_last_batch(url, "offsets")
    return {} if planned is None else read_next_offsets(url, planned)


def drop_checkpoint(url: str) -> None:
    """Remove a checkpoint: the query then starts with the oldest message."""
    filesystem, folder = url_to_fs(url)
    if filesystem.exists(folder):
        filesystem.rm(folder, recursive=True)


def drop_checkpoint_beyond_end(url: str, end_offsets: Mapping[int, int]) -> None:
    """Drop a checkpoint that is ahead of Kafka, as after a power failure of its broker."""
    partitions = [
        partition for partition, offset in read_planned_offsets(url).items() if offset > end_offsets.get(partition, 0)
    ]
    if partitions:
        drop_checkpoint(url)
        log.error(
            "The live query has read messages of partitions %s that Kafka no longer has, as after a power failure of"
            " its broker. The live tables begin a new generation with the oldest message.",
            partitions,
        )


def find_gap_ends(url: str, oldest_offsets: Mapping[int, int]) -> dict[int, int]:
    """Return the offset behind lost messages by partition, until a committed batch has passed it.

    The database may be ahead of the checkpoint, so it cannot tell.
    """
    resume_offsets = read_resume_offsets(url)
    return {
        partition: oldest
        for partition, oldest in oldest_offsets.items()
        if partition in resume_offsets and resume_offsets[partition] < oldest
    }


def warn_of_former_checkpoints(url: str) -> None:
    """Log a warning if a new checkpoint begins while there are those of former generations."""
    former_urls = _list_other_checkpoints(url)
    if former_urls and not read_planned_offsets(url):
        log.warning(
            "The query begins the generation %s with the oldest message: the topic, Kafka or the version of the query"
            " is not that of the former generation %s. If Kafka is the wrong one, stop the query before it reads a"
            " message: the former checkpoint and the live tables stay until then.",
            _get_name(url),
            ", ".join(map(_get_name, former_urls)),
        )


def drop_other_checkpoints(url: str) -> None:
    """Remove the checkpoints of other generations beside that of ``url``."""
    filesystem, _ = url_to_fs(url)
    for path in _list_other_checkpoints(url):
        filesystem.rm(path, recursive=True)
        log.info("Removed the checkpoint of the former generation %s.", _get_name(path))


def _list_other_checkpoints(url: str) -> list[str]:
    filesystem, folder = url_to_fs(url)
    parent = folder.rstrip("/").rpartition("/")[0]
    if not filesystem.exists(parent):
        return []
    paths: list[str] = filesystem.ls(parent, detail=False)
    return [path for path in paths if _get_name(path) != _get_name(url)]


def _get_name(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]


def _find_last_batch(url: str, log_name: str) -> int | None:
    """Return the number of the last batch in one of Spark's logs, ``offsets`` or ``commits``."""
    filesystem, folder = url_to_fs(url)
    try:
        paths: list[str] = filesystem.ls(f"{folder}/{log_name}", detail=False)
    except FileNotFoundError:
        return None
    names = map(_get_name, paths)
    return max((int(name) for name in names if name.isdecimal()), default=None)
