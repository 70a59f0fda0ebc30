"""Kaggle files (and made-up ones of the same kind) on their way into the lake."""

import hashlib
import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

import requests

from etl import tabular
from etl.errors import ActionNeededError, TryAgainError, WrongFileError
from etl.formats import recognise
from etl.lake import Lake, Received

log = logging.getLogger(__name__)

_BLOCK_BYTES = 1 << 20
_CONNECT_AND_READ_SECONDS = (10, 60)
_PASSING_STATUSES = (408, 425, 429)


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


def receive_file(path_or_url: str, format_name: str | None, lake: Lake, received_at: datetime) -> Received:
    """Check one file and keep it in the lake.

    :param format_name: a name from ``formats.FORMATS``, or None to find it by the columns.
    :param received_at: with a timezone; noted with the input.
    :returns: the lake's note; where the same bytes are there already, the earlier one.
    :raises WrongFileError: where it is no whole file of a known (or of the chosen) format; nothing is kept.
    :raises TryAgainError: where the network fails.
    :raises ActionNeededError: where a server refuses, or the file cannot be read or kept.
    """
    name = _file_name(path_or_url)
    with _local_copy(path_or_url, name) as copy:
        try:
            layout = tabular.detect_layout(copy.content)
            known = recognise(tabular.header(copy.content, layout), format_name)
            columns, row_count = tabular.count_rows(copy.content, layout)
        except WrongFileError as error:
            raise WrongFileError(f"{name}: {error}") from error
        copy.content.seek(0)
        received = lake.receive(
            copy.content,
            Received(
                input_id=copy.sha256[:16],
                origin=known.origin,
                name=name,
                format=known.name,
                encoding=layout.encoding,
                delimiter=layout.delimiter,
                columns=columns,
                row_count=row_count,
                size_bytes=copy.size_bytes,
                received_at=received_at.isoformat(),
                url=lake.input_url(known.origin, copy.sha256[:16], name),
            ),
        )
    log.info("%s: %s, %d rows, kept as input %s", name, known.title, row_count, received.input_id)
    return received


@dataclass(frozen=True)
class _Copy:
    content: BinaryIO
    sha256: str
    size_bytes: int


@contextmanager
def _local_copy(path_or_url: str, name: str) -> Iterator[_Copy]:
    """A temporary copy, so that what is checked is what is kept, even where the file changes meanwhile."""
    blocks = _download(path_or_url) if _is_url(path_or_url) else _read(_local_path(path_or_url), name)
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
