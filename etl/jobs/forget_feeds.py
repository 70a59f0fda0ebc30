"""Feeds without a person: of a block that names them the records of others stay, all other blocks byte by byte.

One that names them and cannot be read goes whole: nothing of it was ever loaded, and whose records it holds cannot be
told.
"""

import json
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from io import BytesIO
from typing import Any, BinaryIO

from fsspec.core import url_to_fs

from etl.avro_blocks import packed, unpacked
from etl.avro_files import Header, blocks, count_records, header
from etl.lake import Lake, Received
from etl.person import Person
from etl.schemas.avro import NEWEST
from etl.transform.kaggle.values import BLANKS

Left = Callable[[bytes], bytes]
"""What is left of a block."""


def clean_feeds(lake: Lake, person: Person) -> int:
    """Take the person's records out of feeds.

    :returns: how many inputs were written anew.
    """
    feeds = [one for one in lake.inputs(["feed"]) if one.format in NEWEST]
    for one in feeds:
        files, path = url_to_fs(one.url)
        for place in sorted(files.glob(f"{path}/*.avro")) if files.isdir(path) else [path]:
            with files.open(place, "rb") as source:
                _clean(lake, place, source, int(files.size(place)), person.user_ids)
    return sum(_recount(lake, one) for one in feeds)


def _clean(lake: Lake, path: str, source: BinaryIO, size: int, user_ids: Collection[str]) -> None:
    begin = header(source)
    first = source.tell()
    left = _left(begin, user_ids)
    if any(left(content) != content for _, content in blocks(source, size, begin.marker)):
        source.seek(first)
        lake.replace_part(path, _written(begin, left, blocks(source, size, begin.marker)))


def _written(begin: Header, left: Left, content: Iterator[tuple[Any, bytes]]) -> Iterator[bytes]:
    yield begin.content
    for _, one in content:
        yield left(one)


def _left(begin: Header, user_ids: Collection[str]) -> Left:
    reader, is_text = _only_user_id(begin.schema)
    written = [user_id.encode() for user_id in user_ids]

    def of(content: bytes) -> bytes:
        try:
            (block,) = unpacked(BytesIO(begin.content + content), reader)
        except Exception:  # of a codec: then it has no text for anybody
            return content
        if is_text and not any(one in block.content for one in written):
            return content
        try:
            # As a load reads whose it is.
            kept = [one for record, one in block.records() if str(record["userId"]).strip(BLANKS) not in user_ids]
        except Exception:  # of fastavro: whatever the bytes provoke
            return b""
        if len(kept) == block.row_count:
            return content
        return packed(b"".join(kept), len(kept), begin) if kept else b""

    return of


def _only_user_id(schema: str) -> tuple[dict[str, Any], bool]:
    """The schema that reads users' ids alone, and whether these are written as they are."""
    told = json.loads(schema)
    (field,) = (one for one in told["fields"] if one["name"] == "userId")
    kinds = field["type"] if isinstance(field["type"], list) else [field["type"]]
    plain = [one.get("type") if isinstance(one, dict) else one for one in kinds]
    return told | {"fields": [{"name": "userId", "type": field["type"]}]}, set(plain) <= {"string", "null"}


def _recount(lake: Lake, received: Received) -> bool:
    """Let the note say how many records an input holds now; whether that is news."""
    files, path = url_to_fs(received.url)
    count = count_records(files, received.url) + bool(received.cut_off)
    if count == received.row_count:
        return False
    places = files.glob(f"{path}/*.avro") if files.isdir(path) else [path]
    lake.renote(replace(received, row_count=count, size_bytes=sum(int(files.size(one)) for one in places)))
    return True
