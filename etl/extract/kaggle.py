"""Kaggle files (and made-up ones of the same kind) on their way into the lake."""

import hashlib
import logging
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

import requests

from etl import tabular
from etl.errors import ActionNeededError, TryAgainError, WrongFileError
from etl.extract import archives
from etl.formats import Format, recognise
from etl.lake import Lake, Received

log = logging.getLogger(__name__)

_BLOCK_BYTES = 1 << 20
_CONNECT_AND_READ_SECONDS = (10, 60)
_PASSING_STATUSES = (408, 425, 429)
_MOST_SENTENCES = 10


def find_files(path_or_url: str) -> list[str]:
    """The files that a path or URL names: itself, or what a folder holds, sorted, hidden files and subfolders left out.

    Whether each is of a known format shows when it is received.

    :raises WrongFileError: where nothing is there, or a URL holds a user or a password.
    """
    if _is_url(path_or_url):
        _refuse_login(path_or_url)
        return [path_or_url]
    place = _local_path(path_or_url)
    if not _exists(place):
        raise WrongFileError(f"{place}: there is no such file or folder. KAGGLE_PATH or the form must name one.")
    if not place.is_dir():
        return [str(place)]
    files = sorted(str(file) for file in place.iterdir() if file.is_file() and not file.name.startswith("."))
    if not files:
        raise WrongFileError(f"{place}: the folder holds no files. Put the Kaggle downloads there.")
    return files


def without_secrets(path_or_url: str) -> str:
    """A path as it is; of a URL scheme, host and path: user, password and query stay out of messages and records.

    :raises WrongFileError: where a URL cannot be read.
    """
    if not _is_url(path_or_url):
        return path_or_url
    try:
        parts = urlsplit(path_or_url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        raise WrongFileError("The address cannot be read: it must be one such as https://host/file.csv.") from None
    return f"{parts.scheme}://{parts.hostname}{port}{parts.path}"


def _refuse_login(url: str) -> None:
    shown = without_secrets(url)
    if "@" in urlsplit(url).netloc:
        raise WrongFileError(
            f"{shown}: the address must not hold a user or a password, as Airflow keeps it. Put them into ~/.netrc of "
            "the user that runs Airflow, or download the file by hand and import it by its path."
        )


def _exists(place: Path) -> bool:
    try:
        return place.exists()
    except OSError:  # a name that no file can have
        return False


@dataclass(frozen=True)
class Arrival:
    """What a path held: the inputs that are in the lake now.

    What of an archive was left out is the last remark of its first input.
    """

    inputs: tuple[Received, ...]


def receive_file(
    path_or_url: str, format_name: str | None, lake: Lake, received_at: datetime, encoding: str | None = None
) -> Received:
    """Check a path that holds one table, and keep it in the lake; else as ``receive_files``."""
    (received,) = receive_files(path_or_url, format_name, lake, received_at, encoding).inputs
    return received


def receive_files(
    path_or_url: str, format_name: str | None, lake: Lake, received_at: datetime, encoding: str | None = None
) -> Arrival:
    """Check one file, or each file of a zip archive, and keep it in the lake.

    :param format_name: a name from ``formats.FORMATS``, or None to find it by the columns.
    :param received_at: with a timezone; noted with the input.
    :param encoding: one of ``tabular.CHOICES`` for text that is no Unicode, or None to guess it.
    :returns: the lake's notes; where the same bytes, read in the same way, are there already, the earlier ones.
    :raises WrongFileError: where it is no whole file of a known (or of the chosen) format; nothing of it is kept. Of an
        archive the other files are kept.
    :raises TryAgainError: where the network fails.
    :raises ActionNeededError: where a server refuses, or the file cannot be read or kept.
    """
    name = _file_name(path_or_url)
    if encoding and encoding not in tabular.CHOICES:
        raise WrongFileError(f"{name}: there is no encoding {encoding!r}. Known ones: {', '.join(tabular.CHOICES)}.")
    receiving = _Receiving(format_name, lake, received_at, encoding)
    with _local_copy(path_or_url, name) as copy:
        try:
            members = archives.members(copy.content)
        except WrongFileError as error:
            raise WrongFileError(f"{name}: {error}") from error
        if members is None:
            return Arrival((receiving.table(copy, name),))
        return _receive_members(receiving, name, members)


def _receive_members(receiving: "_Receiving", archive: str, members: list[archives.Member]) -> Arrival:
    received: list[Received] = []
    unknown: list[str] = []
    broken: list[str] = []
    for member in members:
        try:
            with _copied(member.blocks()) as copy:
                received.append(receiving.table(copy, member.name))
        except UnknownFormatError as error:
            unknown.append(str(error))
        except WrongFileError as error:
            broken.append(str(error))
    says = f"{archive} holds further files, which are left out: "
    left_out = f"{says}{_some(unknown)}" if unknown else ""
    if left_out:
        log.warning("%s", left_out)
    if broken or not received:
        kept = f" The others are imported: {', '.join(one.name for one in received)}." if received else ""
        raise WrongFileError(f"{archive}: {_some(broken or unknown)}{kept}")
    own = [remark for remark in received[0].remarks if not remark.startswith(says)]  # an earlier archive's is not true
    remarks = (*own, left_out) if left_out else tuple(own)
    if remarks != received[0].remarks:
        received[0] = replace(received[0], remarks=remarks)
        receiving.lake.renote(received[0])
    return Arrival(tuple(received))


def _some(sentences: Sequence[str]) -> str:
    shown = " ".join(sentences[:_MOST_SENTENCES])
    rest = len(sentences) - _MOST_SENTENCES
    return f"{shown} And {rest} more." if rest > 0 else shown


class UnknownFormatError(WrongFileError):
    """A file is no table of a known format, or no table at all."""


@dataclass(frozen=True)
class _Receiving:
    """How the files of an import are received."""

    format_name: str | None
    lake: Lake
    received_at: datetime
    encoding: str | None

    def table(self, copy: "_Copy", name: str) -> Received:
        """Check one table and keep it in the lake."""
        try:
            layout, is_chosen = self._layout(copy, name)
            known = recognise(tabular.header(copy.content, layout), self.format_name)
        except WrongFileError as error:
            raise UnknownFormatError(f"{name}: {error}") from error
        try:
            found = tabular.inspect(copy.content, layout, known)
        except WrongFileError as error:
            raise WrongFileError(f"{name}: {error}") from error
        received = self._kept(copy, name, known, found, is_chosen)
        log.info("%s: %s, %d rows, kept as input %s", name, known.title, found.row_count, received.input_id)
        for remark in received.remarks:
            log.warning("%s: %s", name, remark)
        return received

    def _layout(self, copy: "_Copy", name: str) -> tuple[tabular.Layout, bool]:
        """The layout, and whether somebody chose its encoding: now, or earlier for the same bytes."""
        layout = tabular.detect_layout(copy.content, self.encoding)
        if not layout.remarks:
            return layout, layout.encoding == self.encoding
        # A choice holds: else a start that imports the same files again would undo it.
        inputs = self.lake.inputs(["kaggle"])
        chosen = [one for one in inputs if one.is_encoding_chosen and (one.content_id, one.name) == (copy.id, name)]
        return (tabular.detect_layout(copy.content, chosen[-1].encoding), True) if chosen else (layout, False)

    def _kept(self, copy: "_Copy", name: str, known: Format, found: tabular.Inspection, is_chosen: bool) -> Received:
        layout = found.layout
        input_id = _input_id(copy, layout)
        copy.content.seek(0)
        received = self.lake.receive(
            copy.content,
            Received(
                input_id=input_id,
                origin=known.origin,
                name=name,
                format=known.name,
                encoding=layout.encoding,
                delimiter=layout.delimiter,
                columns=found.columns,
                row_count=found.row_count,
                size_bytes=copy.size_bytes,
                received_at=self.received_at.isoformat(),
                url=self.lake.input_url(known.origin, input_id, name),
                quoting=layout.quoting,
                shape=layout.shape,
                decimal=layout.decimal,
                dates=layout.dates,
                is_encoding_chosen=is_chosen,
                content_id=copy.id,
                remarks=layout.remarks,
            ),
        )
        if not is_chosen or received.is_encoding_chosen:
            return received
        chosen = replace(received, is_encoding_chosen=True, content_id=copy.id, remarks=layout.remarks)
        self.lake.renote(chosen)
        return chosen


def _input_id(copy: "_Copy", layout: tabular.Layout) -> str:
    """A hash of the bytes; and of how they are read, where that is not in one way alone.

    So a file that was read wrongly and comes again, read rightly, is another input, which takes the earlier one's
    place.
    """
    reading = (layout.quoting, layout.shape, layout.decimal, layout.dates)
    is_plain = reading == ("strict", "", "", "") and layout.encoding.startswith(("utf", tabular.SPREADSHEET))
    return copy.id if is_plain else hashlib.sha256(f"{copy.id} {layout.encoding} {reading}".encode()).hexdigest()[:16]


@dataclass(frozen=True)
class _Copy:
    content: BinaryIO
    sha256: str
    size_bytes: int

    @property
    def id(self) -> str:
        """A hash of the bytes, short."""
        return self.sha256[:16]


@contextmanager
def _local_copy(path_or_url: str, name: str) -> Iterator[_Copy]:
    """A temporary copy, so that what is checked is what is kept, even where the file changes meanwhile."""
    blocks = _download(path_or_url) if _is_url(path_or_url) else _read(_local_path(path_or_url), name)
    with _copied(blocks) as copy:
        yield copy


@contextmanager
def _copied(blocks: Iterator[bytes]) -> Iterator[_Copy]:
    digest, size = hashlib.sha256(), 0
    with tempfile.TemporaryFile() as content:
        for block in blocks:
            digest.update(block)
            size += content.write(block)
        content.seek(0)
        yield _Copy(content, digest.hexdigest(), size)


def _read(path: Path, name: str) -> Iterator[bytes]:
    try:
        if path.exists() and not path.is_file():  # a pipe or device may have no end
            raise WrongFileError(f"{name}: this is no file but a folder, a pipe or a device ({path}).")
        with path.open("rb") as source:
            while block := source.read(_BLOCK_BYTES):
                yield block
    except FileNotFoundError as error:
        raise WrongFileError(f"{name}: there is no such file ({path}).") from error
    except OSError as error:
        raise ActionNeededError(f"{name}: the file cannot be read ({error.strerror}): {path}") from error


def _download(url: str) -> Iterator[bytes]:
    shown = without_secrets(url)
    try:
        with requests.get(url, stream=True, timeout=_CONNECT_AND_READ_SECONDS) as answer:
            if answer.status_code in _PASSING_STATUSES or answer.status_code >= 500:
                raise TryAgainError(f"{shown} answered {answer.status_code}: it may do better later.")
            if not answer.ok:
                raise ActionNeededError(
                    f"{shown} answered {answer.status_code}: check the address and whether it needs a sign-in. "
                    "Files behind one are downloaded by hand and imported by their path."
                )
            yield from answer.iter_content(_BLOCK_BYTES)
    except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError):
        # The library's own text would repeat the address with all that is secret in it.
        raise TryAgainError(f"{shown} cannot be reached, or the download broke off.") from None
    except requests.RequestException as error:
        raise ActionNeededError(f"{shown} cannot be downloaded ({type(error).__name__}).") from None


def _is_url(path_or_url: str) -> bool:
    return path_or_url.startswith(("http://", "https://"))


def _local_path(path: str) -> Path:
    if path.startswith("file://"):
        return Path(unquote(urlsplit(path).path))
    return Path(path).expanduser()


def _file_name(path_or_url: str) -> str:
    """The last part of a path or URL, fit for a folder of the lake and for messages."""
    if not _is_url(path_or_url):
        return _local_path(path_or_url).name.encode("utf-8", "replace").decode()
    parts = urlsplit(path_or_url)
    last = unquote(parts.path.rstrip("/").rsplit("/", 1)[-1]).replace("/", "_")
    return last or parts.hostname or "download"
