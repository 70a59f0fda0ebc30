"""The files of an export that are read, and their records without private fields."""

import json
import math
import re
from collections import Counter
from collections.abc import Container, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

from etl.errors import WrongFileError
from etl.extract.account_export import library
from etl.extract.account_export.container import ExportFile
from etl.extract.account_export.export_fields import EXTENDED, FIELD_BY_ALIAS, FORMAT_BY_FIELD, STORED_FIELDS
from etl.extract.account_export.library import LIBRARY, PLAYLISTS

MAX_TEXT_LENGTH = 10_000
"""Longer texts are cut to this length, which still shows the load that they are too long."""

_HISTORY_FILE_NAME = re.compile(r"(streaming_?history|endsong|endvideo)[^/]*\.json(\.gz)?$", re.IGNORECASE)
_LIBRARY_FILE_NAME = re.compile(r"(^|/)(your_?library|playlist)[^/]*\.json(\.gz)?$", re.IGNORECASE)
_LIBRARY_START = re.compile(r'^\{\s*"(playlists|tracks)"\s*:\s*\[')
_UNSUPPORTED_ARCHIVE = re.compile(r"\.(tar|tgz|tar\.\w+|7z|rar|bz2|xz|zst|lz4|br)$", re.IGNORECASE)
_MAY_BE_EXPORT = re.compile(r"spotify|streaming_?history|endsong|endvideo|my_?data", re.IGNORECASE)
_MAX_NUMBER_LENGTH = 18
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
"""Made once: ``json.dumps`` makes an encoder at each call with such parameters."""

_TYPE_NAMES = {dict: "an object", list: "a list", str: "a text", bool: "a yes or no", type(None): "null"}


@dataclass(frozen=True)
class ExportRecords:
    """The records of one file, all of one format."""

    format: str
    records: list[Any]
    skipped_sections: frozenset[str] = frozenset()

    @cached_property
    def _field_names(self) -> set[str]:
        """Return the names of all fields of all records."""
        names: set[str] = set()
        for record in self.records:
            if isinstance(record, dict):
                names.update(record)
        return names

    @cached_property
    def _field_renames(self) -> dict[str, str]:
        """Return the aliases among the fields of spoken plays, and the names that ``STORED_FIELDS`` has for them."""
        field_by_alias, unknown_names = (
            FIELD_BY_ALIAS.get(self.format, {}),
            self._field_names - set(STORED_FIELDS[self.format]),
        )
        return {
            name: field_by_alias[_normalize_field_name(name)]
            for name in sorted(unknown_names)
            if _normalize_field_name(name) in field_by_alias
        }

    @property
    def stored_fields(self) -> list[str]:
        """Return the names of the stored fields that at least one record has."""
        names = {*self._field_names, *self._field_renames.values()}
        return [name for name in STORED_FIELDS[self.format] if name in names]

    @property
    def skipped_fields(self) -> set[str]:
        """Return the names of the fields and lists that are not stored, cut to 40 characters."""
        names = (
            (self._field_names | self.skipped_sections) - set(STORED_FIELDS[self.format]) - self._field_renames.keys()
        )
        return {name[:40] for name in names}

    def rename_fields(self) -> list[Any]:
        """Return the records, with each field of a spoken play under its name in ``STORED_FIELDS``."""
        if not self._field_renames:
            return self.records
        return [
            _rename_record_fields(record, self._field_renames) if isinstance(record, dict) else record
            for record in self.records
        ]


def read_records(export_file: ExportFile, is_alone: bool) -> ExportRecords | None:
    """Return the plays, saved tracks or playlists in a file, whose kind the records' fields show; None for other files.

    :param is_alone: whether the file was imported by itself, and must therefore contain plays, tracks or playlists.
    :raises WrongFileError: if a file that should contain plays cannot be read.
    """
    is_hidden = PurePosixPath(export_file.name).name.startswith(".") or export_file.name.startswith("__MACOSX/")
    if is_hidden and not is_alone:
        return None
    _reject_archive(export_file, is_alone)
    head = _decode_text(export_file.read_head(), errors="ignore").lstrip()
    is_list = head.startswith("[")
    is_expected = (
        is_alone
        or bool(_HISTORY_FILE_NAME.search(export_file.name))
        or (is_list and _detect_format(_find_field_names(head)) is not None)
    )
    is_library = bool(_LIBRARY_FILE_NAME.search(export_file.name))
    if not (is_expected or is_list or is_library or _LIBRARY_START.search(head)):
        return None
    try:
        return _read_file(export_file, is_expected, is_alone)
    except WrongFileError:
        if not is_expected and not is_library:
            return None
        raise


def _reject_archive(export_file: ExportFile, is_alone: bool) -> None:
    name = export_file.name.lower()
    if name.endswith(".zip"):
        raise WrongFileError(
            f"{export_file.name}: this is a zip file within the export. Import each zip file by itself."
        )
    if _UNSUPPORTED_ARCHIVE.search(name) and (is_alone or _MAY_BE_EXPORT.search(name)):
        raise WrongFileError(
            f"{export_file.name}: this is packed in a way that is not read. Unpack it, import the folder."
        )


def encode_record(record: Any, fields: Iterable[str]) -> str:
    """Return the stored fields of a record, as JSON.

    Lists and objects within it are emptied, and a record that is not an object is reduced to the name of its type,
    because there is no way to know what is private in them.
    """
    if not isinstance(record, dict):
        return json.dumps(_TYPE_NAMES.get(type(record), "a number"))
    stored_fields = {}
    for name in fields:
        if name in record:
            value = record[name]
            is_short = isinstance(value, str) and len(value) <= MAX_TEXT_LENGTH
            stored_fields[name] = value if is_short or value is None else _strip_nested_value(value)
    return _ENCODER.encode(stored_fields)


def _read_file(export_file: ExportFile, is_expected: bool, is_alone: bool) -> ExportRecords | None:
    content = export_file.read_content()
    try:
        value = _parse_json(content)
        return _parse_library(value, is_alone) or _parse_history(value, is_expected)
    except WrongFileError as error:
        raise WrongFileError(f"{export_file.name}: {error}") from error


def _parse_library(value: Any, is_alone: bool) -> ExportRecords | None:
    """Return the saved items or the playlists of a file; None if it has neither."""
    if saved := library.parse_saved_items(value):
        return ExportRecords(LIBRARY, saved, frozenset(library.find_skipped_sections(value)))
    if playlists := library.parse_playlists(value, is_alone):
        return ExportRecords(PLAYLISTS, playlists)
    return None


def _parse_history(value: Any, is_expected: bool) -> ExportRecords | None:
    if not isinstance(value, list):
        if is_expected:
            raise WrongFileError("the file is no list of plays. Take the file as Spotify sent it.")
        return None
    # Nearly all records of a file have the same fields.
    key_counts = Counter(tuple(record) for record in value if isinstance(record, dict))
    counts: Counter[str] = Counter()
    for names, count in key_counts.items():
        if (name := _detect_format(names)) is not None:
            counts[name] += count
    if counts:
        return ExportRecords(max(sorted(counts), key=counts.__getitem__), value)
    if not value and is_expected:
        return ExportRecords(EXTENDED, [])
    if not is_expected:
        return None
    keys = sorted({str(key)[:40] for entry in value[:10] if isinstance(entry, dict) for key in entry})[:12]
    raise WrongFileError(
        f"the file has none of the fields of a streaming history (it has: {', '.join(keys) or 'none'}). Take the file "
        "as Spotify sent it; if it is, Spotify has changed its format."
    )


def _parse_json(content: bytes) -> Any:
    if not content.strip():
        raise WrongFileError("the file is empty. Download the export again, whole.")
    try:
        return json.loads(_decode_text(content), parse_int=_parse_integer, parse_float=_parse_float, parse_constant=str)
    except UnicodeDecodeError as error:
        raise WrongFileError(f"the file is not UTF-8 ({error.reason}). Take it as Spotify sent it.") from error
    except json.JSONDecodeError as error:
        raise WrongFileError(
            f"the file breaks off or is no JSON (line {error.lineno}: {error.msg}). Download the export again, whole."
        ) from error
    except RecursionError:
        raise WrongFileError("the file is nested too deeply. Take the file as Spotify sent it.") from None


def _decode_text(content: bytes, errors: str = "strict") -> str:
    return content.decode(json.detect_encoding(content), errors)


def _normalize_field_name(key: str) -> str:
    return key.lower().replace("_", "")


def _rename_record_fields(record: dict[str, Any], field_renames: dict[str, str]) -> dict[str, Any]:
    """Return a record whose aliases are renamed; a field that has the stored name already wins, unless it is null."""
    renamed_record = dict(record)
    for name, field in field_renames.items():
        if name in record and renamed_record.get(field) is None:
            renamed_record[field] = record[name]
    return renamed_record


def _find_field_names(head: str) -> set[str]:
    return set(re.findall(r'"(\w+)"\s*:', head))


def _detect_format(keys: Container[str]) -> str | None:
    return next((name for mark, name in FORMAT_BY_FIELD.items() if mark in keys), None)


def _strip_nested_value(value: Any) -> Any:
    if isinstance(value, str):
        return value[:MAX_TEXT_LENGTH]
    return type(value)() if isinstance(value, dict | list) else value


def _parse_integer(text: str) -> int | str:
    """Parse a whole number; return a very long one, which Python cannot parse, as text, which the load validates."""
    return int(text) if len(text) <= _MAX_NUMBER_LENGTH else text


def _parse_float(text: str) -> float | str:
    value = float(text)
    return value if math.isfinite(value) else text
