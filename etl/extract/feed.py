"""Feeds from elsewhere, Avro files of the contracts ``user_activity`` and ``user``, on their way into the lake."""

import hashlib
import json
import logging
from datetime import datetime
from io import BufferedReader
from pathlib import Path

from etl.avro.blocks import check_schema
from etl.avro.files import Extent, extent
from etl.avro.schemas import UnfitSchemaError, least_bytes
from etl.errors import ActionNeededError, WrongFileError
from etl.lake import Lake, Received
from etl.schemas.avro import contract

log = logging.getLogger(__name__)

ORIGIN = "feed"
_CONTRACTS = {"user_activity": "user_activity_1", "user": "user"}
"""What a file must have at least."""
_MOST_PACKED = 1 << 16
"""How many bytes a packed one may stand for."""


def find_files(path: str) -> list[Path]:
    """The file that a path names, or all files ``*.avro`` of a folder, sorted.

    :raises WrongFileError: where nothing is there.
    """
    place = Path(path).expanduser()
    try:
        found = sorted(place.glob("*.avro")) if place.is_dir() else [place]
        is_there = bool(found) and all(one.is_file() for one in found)  # a pipe or device may have no end
    except OSError:  # a name that no file can have
        is_there = False
    if not is_there:
        raise WrongFileError(f"{place}: there is no such file, or no file *.avro in the folder.")
    return found


def receive_file(path: Path, lake: Lake, received_at: datetime) -> Received:
    """Keep the whole blocks of a file in the lake; the rest of a file that ends in the middle counts as one record.

    :param received_at: with a timezone; noted with the input.
    :returns: the lake's note; where the same bytes were received already, the earlier one.
    :raises WrongFileError: where the file is none of a known contract, or damaged; nothing is kept.
    :raises ActionNeededError: where it cannot be read.
    """
    try:
        with path.open("rb") as source:
            return _receive(source, path, lake, received_at)
    except WrongFileError as error:
        raise WrongFileError(f"{path.name}: {error}") from None
    except OSError as error:
        raise ActionNeededError(f"{path.name}: the file cannot be read ({error.strerror}): {path}") from error


def _receive(source: BufferedReader, path: Path, lake: Lake, received_at: datetime) -> Received:
    input_id = hashlib.file_digest(source, "sha256").hexdigest()[:16]
    size = source.tell()
    source.seek(0)
    found = extent(source, size)
    source.seek(0)
    kind = _format(found)
    _check(found)
    name = f"{path.stem}.avro".encode("utf-8", "replace").decode()
    received = lake.receive(
        _Beginning(source, found.whole_bytes),
        Received(
            input_id=input_id,
            origin=ORIGIN,
            name=name,
            format=kind,
            encoding="avro",
            delimiter="",
            columns=_fields(found),
            row_count=found.row_count + found.is_cut,
            size_bytes=found.whole_bytes,
            received_at=received_at.isoformat(),
            url=lake.input_url(ORIGIN, input_id, name),
            cut_off=_cut_off(found, path.name),
        ),
    )
    log.info("%s: %d records, kept as input %s. %s", path.name, received.row_count, input_id, received.cut_off)
    return received


def _format(found: Extent) -> str:
    schema = json.loads(found.schema)
    named = {contract(name)["name"]: kind for kind, name in _CONTRACTS.items()}
    # A name may stand with its namespace before it.
    kind = named.get(str(schema.get("name")).rpartition(".")[2]) if isinstance(schema, dict) else None
    if kind is None:
        raise WrongFileError(f"the records are none of {' or '.join(named)}.")
    lacking = {field["name"] for field in contract(_CONTRACTS[kind])["fields"]} - set(_fields(found))
    if lacking:
        raise WrongFileError(f"the records lack {', '.join(sorted(lacking))}.")
    return kind


def _check(found: Extent) -> None:
    """That whoever reads the file comes to an end, and is not told of more records than there can be."""
    try:
        least = least_bytes(json.loads(found.schema))
        check_schema(found.schema)
    except UnfitSchemaError as error:
        raise WrongFileError(f"by the schema in the file's header no records can be read ({error}).") from None
    if not least:
        raise WrongFileError("by the schema in the file's header a record may take no bytes: write the file anew.")
    if found.density * least > (1 if found.codec == "null" else _MOST_PACKED):
        raise WrongFileError("a block says that it has more records than fit into it: the file is damaged.")


def _fields(found: Extent) -> tuple[str, ...]:
    return tuple(field["name"] for field in json.loads(found.schema)["fields"])


def _cut_off(found: Extent, name: str) -> str:
    if not found.is_cut:
        return ""
    return f"{name}: {found.size_bytes - found.whole_bytes} bytes from byte {found.whole_bytes}"


class _Beginning:
    """The first bytes of a file, as a file."""

    def __init__(self, source: BufferedReader, size: int) -> None:
        self._source, self._left = source, size

    def read(self, size: int, /) -> bytes:
        content = self._source.read(min(size, self._left))
        self._left -= len(content)
        return content
