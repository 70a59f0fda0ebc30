"""Feeds without a person: of a block that names them the records of others stay, all other blocks byte by byte.

What cannot be read of a block goes where it names them, for whose records it holds cannot be told: the damaged record
and those behind it, or the whole block.
"""

import json
from collections.abc import Collection
from dataclasses import replace
from itertools import chain
from typing import Any, BinaryIO

from fsspec.core import url_to_fs

from etl.avro.blocks import DamagedBlockError, pack, unpack
from etl.avro.files import Block, Header, blocks, count_records, header
from etl.avro.salvage import ReadableRecord, salvage_records
from etl.avro.schemas import without_logical_types
from etl.column_rules import BLANKS
from etl.lake import Lake, Received
from etl.person import Person
from etl.schemas.avro import NEWEST


def clean_feeds(lake: Lake, person: Person) -> int:
    """Take the person's records out of feeds.

    :returns: how many inputs were written anew.
    """
    feeds = [one for one in lake.inputs(["feed"]) if one.format in NEWEST]
    return sum(_recount(lake, one, _clean(lake, one, person.user_ids)) for one in feeds)


def _clean(lake: Lake, received: Received, user_ids: Collection[str]) -> bool:
    """Take users' records out of the files of an input; whether there were any."""
    files, path = url_to_fs(received.url)
    is_changed = False
    for place in _places(files, path):
        with files.open(place, "rb") as source:
            is_changed |= _clean_file(lake, place, source, int(files.size(place)), user_ids)
    return is_changed


def _clean_file(lake: Lake, path: str, source: BinaryIO, size: int, user_ids: Collection[str]) -> bool:
    begin = header(source)
    first, of_file = source.tell(), _Blocks(begin, user_ids)
    is_changed = any(of_file.left(block, content) != content for block, content in blocks(source, size, begin.marker))
    if is_changed:
        source.seek(first)
        left = (of_file.left(block, content) for block, content in blocks(source, size, begin.marker))
        lake.replace_part(path, chain([begin.content], left))
    return is_changed


def _places(files: Any, path: str) -> list[str]:
    """The files of an input that is one or a folder of them."""
    return sorted(files.glob(f"{path}/*.avro")) if files.isdir(path) else [path]


class _Blocks:
    """The blocks of a file, without the records of some users."""

    def __init__(self, begin: Header, user_ids: Collection[str]) -> None:
        self._begin = begin
        self._schema = without_logical_types(json.loads(begin.schema))
        self._user_ids = user_ids
        self._written = [user_id.encode() for user_id in user_ids]

    def left(self, block: Block, content: bytes) -> bytes:
        """What is left of the bytes of a block."""
        packed = block.packed(content)
        try:
            unpacked = unpack(packed, self._begin.codec)
        except DamagedBlockError:  # a codec may leave texts as they are
            return b"" if self._names(packed) else content
        if not self._names(unpacked):
            return content
        try:
            kept, row_count = self._left(unpacked, block.row_count)
        except DamagedBlockError:
            return b""
        if row_count == block.row_count:
            return content
        return pack(kept, row_count, self._begin.codec, self._begin.marker) if row_count else b""

    def _left(self, unpacked: bytes, row_count: int) -> tuple[bytes, int]:
        """What is left of the records of a block, and how many they are; the damaged ones stand behind the others."""
        found = list(salvage_records(unpacked, row_count, self._schema))
        readable = [one for one in found if isinstance(one, ReadableRecord)]
        kept = [one.content for one in readable if _user_id(one.values) not in self._user_ids]
        damaged = unpacked[sum(len(one.content) for one in readable) :]
        if self._names(damaged):
            return b"".join(kept), len(kept)
        return b"".join([*kept, damaged]), row_count - len(readable) + len(kept)

    def _names(self, content: bytes) -> bool:
        return any(one in content for one in self._written)


def _user_id(record: dict[str, Any]) -> str | None:
    """Whose record it is, as a load reads it."""
    told = record["userId"]
    if isinstance(told, bytes):
        told = told.decode("utf-8", "replace")
    return told.strip(BLANKS) if isinstance(told, str) else None


def _recount(lake: Lake, received: Received, is_changed: bool) -> bool:
    """Let the note say how much an input holds that was changed, now or by a try that was killed; whether it was."""
    files, path = url_to_fs(received.url)
    count = count_records(files, received.url) + bool(received.cut_off)
    is_changed |= count != received.row_count
    if is_changed:
        size = sum(int(files.size(one)) for one in _places(files, path))
        lake.renote(replace(received, row_count=count, size_bytes=size))
    return is_changed
