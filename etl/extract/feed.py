"""Receive feeds: Avro files of the contracts ``user_activity`` and ``user``.

In: an Avro file. Out: an input of the lake with its complete blocks.
"""

import hashlib
import json
import logging
from datetime import datetime
from io import BufferedReader
from pathlib import Path

from etl.errors import ActionNeededError, WrongFileError
from etl.formats.avro.blocks import check_schema
from etl.formats.avro.container_files import Extent, measure_extent
from etl.formats.avro.schemas import UnfitSchemaError, compute_min_bytes
from etl.formats.contracts.avro import load_contract
from etl.storage.inputs import ReceivedInput
from etl.storage.lake import Lake

log = logging.getLogger(__name__)

ORIGIN = "feed"
_MINIMUM_CONTRACTS = {"user_activity": "user_activity_1", "user": "user"}
"""The contract whose fields a file must at least have, by format."""
_MAX_COMPRESSION_RATIO = 1 << 16
"""Decompressed bytes for each compressed byte."""


def find_files(path: str) -> list[Path]:
    """Return the file itself, or all files ``*.avro`` of a folder, sorted.

    :raises WrongFileError: if no such file exists.
    """
    source_path = Path(path).expanduser()
    try:
        paths = sorted(source_path.glob("*.avro")) if source_path.is_dir() else [source_path]
        # A pipe or a device is no file: it may have no end.
        has_files = bool(paths) and all(candidate.is_file() for candidate in paths)
    except OSError:  # A name that no file can have.
        has_files = False
    if not has_files:
        raise WrongFileError(f"{source_path}: there is no such file, or no file *.avro in the folder.")
    return paths


def receive_file(path: Path, lake: Lake, received_at: datetime) -> ReceivedInput:
    """Store the complete blocks of a file in the lake; the remainder of a file that is cut counts as one record.

    :param received_at: with a timezone.
    :returns: the manifest in the lake: the earlier one if the same bytes were received already.
    :raises WrongFileError: if the file is damaged or of no known contract; nothing is stored.
    :raises ActionNeededError: if it cannot be read.
    """
    try:
        with path.open("rb") as source:
            return _receive_source(source, path, lake, received_at)
    except WrongFileError as error:
        raise WrongFileError(f"{path.name}: {error}") from None
    except OSError as error:
        raise ActionNeededError(f"{path.name}: the file cannot be read ({error.strerror}): {path}") from error


def detect_format(path: Path) -> str:
    """Return the format of a file that can be received: user_activity or user.

    :raises WrongFileError: if the file is damaged or of no known contract.
    :raises ActionNeededError: if it cannot be read.
    """
    try:
        with path.open("rb") as source:
            extent = measure_extent(source, path.stat().st_size)
        _check_readable(extent)
        return _detect_format(extent)
    except WrongFileError as error:
        raise WrongFileError(f"{path.name}: {error}") from None
    except OSError as error:
        raise ActionNeededError(f"{path.name}: the file cannot be read ({error.strerror}): {path}") from error


def _receive_source(source: BufferedReader, path: Path, lake: Lake, received_at: datetime) -> ReceivedInput:
    input_id = hashlib.file_digest(source, "sha256").hexdigest()[:16]
    size = source.tell()
    source.seek(0)
    extent = measure_extent(source, size)
    source.seek(0)
    format_name = _detect_format(extent)
    _check_readable(extent)
    name = f"{path.stem}.avro".encode("utf-8", "replace").decode()
    received = lake.inputs.store_input(
        _FirstBytes(source, extent.readable_bytes),
        ReceivedInput(
            input_id=input_id,
            origin=ORIGIN,
            name=name,
            format=format_name,
            encoding="avro",
            delimiter="",
            columns=_get_field_names(extent),
            row_count=extent.row_count + extent.is_cut,
            size_bytes=extent.readable_bytes,
            received_at=received_at.isoformat(),
            cut_off=_describe_cut_off(extent, path.name),
        ),
    )
    log.info("%s: %d records, stored as input %s. %s", path.name, received.row_count, input_id, received.cut_off)
    return received


def _detect_format(extent: Extent) -> str:
    schema = json.loads(extent.schema)
    format_by_record_name = {
        load_contract(name)["name"]: format_name for format_name, name in _MINIMUM_CONTRACTS.items()
    }
    # A record's name may begin with its namespace.
    format_name = (
        format_by_record_name.get(str(schema.get("name")).rpartition(".")[2]) if isinstance(schema, dict) else None
    )
    if format_name is None:
        raise WrongFileError(f"the records are none of {' or '.join(format_by_record_name)}.")
    missing = {field["name"] for field in load_contract(_MINIMUM_CONTRACTS[format_name])["fields"]} - set(
        _get_field_names(extent)
    )
    if missing:
        raise WrongFileError(f"the records lack {', '.join(sorted(missing))}.")
    return format_name


def _check_readable(extent: Extent) -> None:
    """Raise WrongFileError if a reader could loop without end, or would expect more records than fit into a block."""
    try:
        min_record_bytes = compute_min_bytes(json.loads(extent.schema))
        check_schema(extent.schema)
    except UnfitSchemaError as error:
        raise WrongFileError(f"by the schema in the file's header no records can be read ({error}).") from None
    if not min_record_bytes:
        raise WrongFileError(
            "by the schema in the file's header a record may take no bytes: write the file again, with fields."
        )
    if extent.max_records_per_byte * min_record_bytes > (1 if extent.codec == "null" else _MAX_COMPRESSION_RATIO):
        raise WrongFileError("a block says that it has more records than fit into it: the file is damaged.")


def _get_field_names(extent: Extent) -> tuple[str, ...]:
    return tuple(field["name"] for field in json.loads(extent.schema)["fields"])


def _describe_cut_off(extent: Extent, name: str) -> str:
    if not extent.is_cut:
        return ""
    return f"{name}: {extent.size_bytes - extent.readable_bytes} bytes from byte {extent.readable_bytes}"


class _FirstBytes:
    """A reader of the first bytes of a file."""

    def __init__(self, source: BufferedReader, size: int) -> None:
        self._source, self._remaining = source, size

    def read(self, size: int, /) -> bytes:
        content = self._source.read(min(size, self._remaining))
        self._remaining -= len(content)
        return content
