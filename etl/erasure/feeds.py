"""Avro feeds without a data subject.

Blocks that contain the data subject's id lose their records; all other blocks stay byte for byte. Undecodable bytes of
a block that contain the id are removed too, because the owner of their records is unknown: the damaged record and those
after it, or the whole block.
"""

import json
from collections.abc import Collection
from dataclasses import replace
from itertools import chain
from typing import Any, BinaryIO

from fsspec.core import url_to_fs

from etl.erasure.data_subject import DataSubject
from etl.erasure.landed_messages import erase_from_rejected_file
from etl.formats.avro.blocks import DamagedBlockError, decompress_block, encode_block
from etl.formats.avro.container_files import Block, Header, count_records, read_blocks, read_header
from etl.formats.avro.salvage import ReadableRecord, salvage_records
from etl.formats.avro.schemas import remove_logical_types
from etl.formats.contracts.avro import LATEST_CONTRACT
from etl.formats.kaggle.column_rules import BLANKS
from etl.storage.inputs import ReceivedInput
from etl.storage.lake import Lake
from etl.storage.landed_files import REJECTED_SUFFIX


def erase_from_feeds(lake: Lake, data_subject: DataSubject) -> int:
    """Remove the data subject's records from feeds.

    :returns: the number of inputs rewritten.
    """
    feeds = [
        received_input
        for received_input in lake.inputs.find_inputs(["feed"])
        if received_input.format in LATEST_CONTRACT
    ]
    return sum(_update_manifest(lake, feed, _erase_from_input(lake, feed, data_subject.user_ids)) for feed in feeds)


def _erase_from_input(lake: Lake, received: ReceivedInput, user_ids: Collection[str]) -> bool:
    """Remove users' records from the files of an input; return whether there were any."""
    files, path = url_to_fs(received.url)
    is_changed = False
    for file_path in _list_files(files, path):
        with files.open(file_path, "rb") as source:
            is_changed |= _erase_from_file(lake, file_path, source, int(files.size(file_path)), user_ids)
    for file_path in _list_rejected_files(files, path):
        is_changed |= erase_from_rejected_file(lake, file_path, user_ids)
    return is_changed


def _erase_from_file(lake: Lake, path: str, source: BinaryIO, size: int, user_ids: Collection[str]) -> bool:
    file_header = read_header(source)
    blocks_start, block_filter = source.tell(), _BlockFilter(file_header, user_ids)
    is_changed = any(
        block_filter.filter_block(block, content) != content
        for block, content in read_blocks(source, size, file_header.marker)
    )
    if is_changed:
        source.seek(blocks_start)
        remaining_blocks = (
            block_filter.filter_block(block, content)
            for block, content in read_blocks(source, size, file_header.marker)
        )
        lake.inputs.replace_file(path, chain([file_header.content], remaining_blocks))
    return is_changed


def _list_files(files: Any, path: str) -> list[str]:
    """Return the paths of the files of an input, which is one file or a folder of files."""
    return sorted(files.glob(f"{path}/*.avro")) if files.isdir(path) else [path]


def _list_rejected_files(files: Any, path: str) -> list[str]:
    """Return the paths of the files of rejected messages of an input, which only landed messages have."""
    return sorted(files.glob(f"{path}/*{REJECTED_SUFFIX}")) if files.isdir(path) else []


class _BlockFilter:
    """A filter that removes the records of some users from the blocks of one file."""

    def __init__(self, file_header: Header, user_ids: Collection[str]) -> None:
        self._header = file_header
        self._schema = remove_logical_types(json.loads(file_header.schema))
        self._user_ids = user_ids
        self._encoded_ids = [user_id.encode() for user_id in user_ids]

    def filter_block(self, block: Block, content: bytes) -> bytes:
        """Return the bytes of a block without the users' records; b"" if no record remains."""
        compressed = block.slice_records(content)
        try:
            decompressed = decompress_block(compressed, self._header.codec)
        except DamagedBlockError:  # Compressed bytes can contain an id in plain text.
            return b"" if self._contains_user(compressed) else content
        if not self._contains_user(decompressed):
            return content
        try:
            remaining, row_count = self._filter_records(decompressed, block.row_count)
        except DamagedBlockError:
            return b""
        if row_count == block.row_count:
            return content
        return encode_block(remaining, row_count, self._header.codec, self._header.marker) if row_count else b""

    def _filter_records(self, decompressed: bytes, row_count: int) -> tuple[bytes, int]:
        """Return the remaining records of a block and their number; damaged records are at the end."""
        salvaged_records = list(salvage_records(decompressed, row_count, self._schema))
        readable_records = [record for record in salvaged_records if isinstance(record, ReadableRecord)]
        remaining_records = [
            record.content for record in readable_records if _get_user_id(record.values) not in self._user_ids
        ]
        damaged_tail = decompressed[sum(len(record.content) for record in readable_records) :]
        if self._contains_user(damaged_tail):
            return b"".join(remaining_records), len(remaining_records)
        return b"".join([*remaining_records, damaged_tail]), row_count - len(readable_records) + len(remaining_records)

    def _contains_user(self, content: bytes) -> bool:
        return any(encoded_id in content for encoded_id in self._encoded_ids)


def _get_user_id(record: dict[str, Any]) -> str | None:
    """Return the user id of a record, cleaned as a load cleans it."""
    user_id = record["userId"]
    if isinstance(user_id, bytes):
        user_id = user_id.decode("utf-8", "replace")
    return user_id.strip(BLANKS) if isinstance(user_id, str) else None


def _update_manifest(lake: Lake, received: ReceivedInput, is_changed: bool) -> bool:
    """Write the row count of an input that was changed, now or by a try that was killed; return whether it was."""
    files, path = url_to_fs(received.url)
    rejected_files = _list_rejected_files(files, path)
    rejected_count = sum(len(lake.inputs.read_parquet(file_path)) for file_path in rejected_files)
    count = count_records(files, received.url) + rejected_count + bool(received.cut_off)
    is_changed |= count != received.row_count
    if is_changed:
        size = sum(int(files.size(file_path)) for file_path in _list_files(files, path))
        lake.inputs.write_manifest(replace(received, row_count=count, size_bytes=size))
    return is_changed
