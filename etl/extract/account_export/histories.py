"""The files of an export that are read, and their records without what is private."""

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
from etl.extract.account_export.container import Member
from etl.extract.account_export.library import LIBRARY, PLAYLISTS

EXTENDED, BASIC = "extended_export", "basic_export"

FIELDS = {
    **library.FIELDS,
    EXTENDED: (
        "ts",
        "platform",
        "ms_played",
        "conn_country",
        "master_metadata_track_name",
        "master_metadata_album_artist_name",
        "master_metadata_album_album_name",
        "spotify_track_uri",
        "episode_name",
        "episode_show_name",
        "spotify_episode_uri",
        "audiobook_title",
        "audiobook_uri",
        "audiobook_chapter_uri",
        "audiobook_chapter_title",
        "reason_start",
        "reason_end",
        "shuffle",
        "skipped",
        "offline",
        "offline_timestamp",
        "incognito_mode",
        "audiobook_author_name",
    ),
    BASIC: (
        "endTime",
        "artistName",
        "trackName",
        "podcastName",
        "episodeName",
        "msPlayed",
        "audiobookName",
        "chapterName",
        "authorName",
    ),
}
"""What is kept of a record. All else is left out: IP address, login name and user agent are, and so is whatever Spotify
may add that nobody here has looked at."""

LONGEST_TEXT = 10_000
"""Longer texts are kept up to here: enough to see later that they are too long."""

_SPOKEN_FIELDS = {
    EXTENDED: {
        "episode_show_name": ("podcastname", "podcasttitle", "showname", "showtitle", "episodeshow"),
        "episode_name": ("episodename", "episodetitle", "podcastepisodename"),
        "spotify_episode_uri": ("episodeuri",),
        "audiobook_title": ("audiobookname", "audiobooktitle", "bookname", "booktitle"),
        "audiobook_uri": ("spotifyaudiobookuri",),
        "audiobook_chapter_title": ("audiobookchaptername", "audiobookchapter", "chaptername", "chaptertitle"),
        "audiobook_chapter_uri": ("chapteruri", "spotifychapteruri", "spotifyaudiobookchapteruri"),
        "audiobook_author_name": ("audiobookauthor", "authorname", "author"),
    },
    BASIC: {
        "podcastName": ("podcasttitle", "showname", "showtitle", "episodeshowname"),
        "episodeName": ("episodetitle", "podcastepisodename"),
        "audiobookName": ("audiobooktitle", "bookname", "booktitle"),
        "chapterName": ("chaptertitle", "audiobookchaptername", "audiobookchaptertitle", "audiobookchapter"),
        "authorName": ("audiobookauthor", "audiobookauthorname", "author"),
    },
}
_OTHER_NAMES = {
    format_name: {
        other: field for field, others in fields.items() for other in (field.lower().replace("_", ""), *others)
    }
    for format_name, fields in _SPOKEN_FIELDS.items()
}
"""Names that fields of spoken plays have in exports of other ages and kinds, in small letters without underscores."""

_MARKS = {"ms_played": EXTENDED, "msPlayed": BASIC}
_NAMED = re.compile(r"(streaming_?history|endsong|endvideo)[^/]*\.json(\.gz)?$", re.IGNORECASE)
_LIBRARY_NAMED = re.compile(r"(^|/)(your_?library|playlist)[^/]*\.json(\.gz)?$", re.IGNORECASE)
_LIBRARY_MARKS = re.compile(r'^\{\s*"(playlists|tracks)"\s*:\s*\[')
_OTHER_ARCHIVE = re.compile(r"\.(tar|tgz|tar\.\w+|7z|rar|bz2|xz|zst|lz4|br)$", re.IGNORECASE)
_MAY_BE_EXPORT = re.compile(r"spotify|streaming_?history|endsong|endvideo|my_?data", re.IGNORECASE)
_LONGEST_NUMBER = 18
_KINDS = {dict: "an object", list: "a list", str: "a text", bool: "a yes or no", type(None): "null"}


@dataclass(frozen=True)
class History:
    """The records of one file, all of one format."""

    format: str
    records: list[Any]
    sections_left_out: frozenset[str] = frozenset()

    @cached_property
    def _names(self) -> set[str]:
        """The names of all fields of all records."""
        names: set[str] = set()
        for record in self.records:
            if isinstance(record, dict):
                names.update(record)
        return names

    @cached_property
    def _renamed(self) -> dict[str, str]:
        """The names of fields of spoken plays that ``FIELDS`` has under another name, and that name."""
        known, others = _OTHER_NAMES.get(self.format, {}), self._names - set(FIELDS[self.format])
        return {name: known[_plain(name)] for name in sorted(others) if _plain(name) in known}

    @property
    def fields(self) -> list[str]:
        """The names of fields that are kept, of those that any record has."""
        names = {*self._names, *self._renamed.values()}
        return [name for name in FIELDS[self.format] if name in names]

    @property
    def fields_left_out(self) -> set[str]:
        """The names of fields and lists that are not kept, cut to 40 characters."""
        others = (self._names | self.sections_left_out) - set(FIELDS[self.format]) - self._renamed.keys()
        return {name[:40] for name in others}

    def known_records(self) -> list[Any]:
        """The records, with each field of a spoken play under the name that ``FIELDS`` has for it."""
        if not self._renamed:
            return self.records
        return [_renamed(record, self._renamed) if isinstance(record, dict) else record for record in self.records]


def history(member: Member, is_alone: bool) -> History | None:
    """The plays, saved tracks or playlists in a file, told by its records' fields; None where it holds something else.

    :param is_alone: the file is all that was named, and must hold one of them.
    :raises WrongFileError: where a file that should hold plays cannot be read.
    """
    is_hidden = PurePosixPath(member.name).name.startswith(".") or member.name.startswith("__MACOSX/")
    if is_hidden and not is_alone:
        return None
    _refuse_archive(member, is_alone)
    head = _text(member.head(), errors="ignore").lstrip()
    is_list = head.startswith("[")
    is_expected = is_alone or bool(_NAMED.search(member.name)) or (is_list and _format_of(_keys(head)) is not None)
    is_library = bool(_LIBRARY_NAMED.search(member.name))
    if not (is_expected or is_list or is_library or _LIBRARY_MARKS.search(head)):
        return None
    try:
        return _read(member, is_expected, is_alone)
    except WrongFileError:
        if not is_expected and not is_library:
            return None
        raise


def _refuse_archive(member: Member, is_alone: bool) -> None:
    name = member.name.lower()
    if name.endswith(".zip"):
        raise WrongFileError(f"{member.name}: this is a zip file within the export. Import each zip file by itself.")
    if _OTHER_ARCHIVE.search(name) and (is_alone or _MAY_BE_EXPORT.search(name)):
        raise WrongFileError(f"{member.name}: this is packed in a way that is not read. Unpack it, import the folder.")


def body(record: Any, fields: Iterable[str]) -> str:
    """What is kept of a record, as JSON.

    Lists and objects within it are emptied, and of a record that is no object only its kind is kept: nobody can tell
    what is private in them.
    """
    if not isinstance(record, dict):
        return json.dumps(_KINDS.get(type(record), "a number"))
    kept = {name: _scalar(record[name]) for name in fields if name in record}
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":"))


def _read(member: Member, is_expected: bool, is_alone: bool) -> History | None:
    content = member.content()
    try:
        value = _parsed(content)
        return _library(value, is_alone) or _records(value, is_expected)
    except WrongFileError as error:
        raise WrongFileError(f"{member.name}: {error}") from error


def _library(value: Any, is_alone: bool) -> History | None:
    """What an account has saved, or its playlists."""
    if saved := library.saved_records(value):
        return History(LIBRARY, saved, frozenset(library.sections_left_out(value)))
    if playlists := library.playlist_records(value, is_alone):
        return History(PLAYLISTS, playlists)
    return None


def _records(value: Any, is_expected: bool) -> History | None:
    if not isinstance(value, list):
        if is_expected:
            raise WrongFileError("the file is no list of plays. Take the file as Spotify sent it.")
        return None
    formats = (_format_of(record) for record in value if isinstance(record, dict))
    found = Counter(name for name in formats if name is not None)
    if found:
        return History(max(sorted(found), key=found.__getitem__), value)
    if not value and is_expected:
        return History(EXTENDED, [])
    if not is_expected:
        return None
    keys = sorted({str(key)[:40] for one in value[:10] if isinstance(one, dict) for key in one})[:12]
    raise WrongFileError(
        f"the file has none of the fields of a streaming history (it has: {', '.join(keys) or 'none'}). Take the file "
        "as Spotify sent it; if it is, Spotify has changed its format."
    )


def _parsed(content: bytes) -> Any:
    if not content.strip():
        raise WrongFileError("the file is empty. Download the export again, whole.")
    try:
        return json.loads(_text(content), parse_int=_integer, parse_float=_number, parse_constant=str)
    except UnicodeDecodeError as error:
        raise WrongFileError(f"the file is not UTF-8 ({error.reason}). Take it as Spotify sent it.") from error
    except json.JSONDecodeError as error:
        raise WrongFileError(
            f"the file breaks off or is no JSON (line {error.lineno}: {error.msg}). Download the export again, whole."
        ) from error
    except RecursionError:
        raise WrongFileError("the file is nested too deeply. Take the file as Spotify sent it.") from None


def _text(content: bytes, errors: str = "strict") -> str:
    return content.decode(json.detect_encoding(content), errors)


def _plain(key: str) -> str:
    return key.lower().replace("_", "")


def _renamed(record: dict[str, Any], renamed: dict[str, str]) -> dict[str, Any]:
    """A record whose fields have their known names; what stands under a known name already wins, unless it is null."""
    known = dict(record)
    for name, field in renamed.items():
        if name in record and known.get(field) is None:
            known[field] = record[name]
    return known


def _keys(head: str) -> set[str]:
    return set(re.findall(r'"(\w+)"\s*:', head))


def _format_of(keys: Container[str]) -> str | None:
    return next((name for mark, name in _MARKS.items() if mark in keys), None)


def _scalar(value: Any) -> Any:
    if isinstance(value, str):
        return value[:LONGEST_TEXT]
    return type(value)() if isinstance(value, dict | list) else value


def _integer(text: str) -> int | str:
    """Python refuses to read the longest numbers; as text they are judged later, like any other value."""
    return int(text) if len(text) <= _LONGEST_NUMBER else text


def _number(text: str) -> float | str:
    value = float(text)
    return value if math.isfinite(value) else text
