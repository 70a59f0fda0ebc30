"""The files that a path or URL names, and temporary copies of them.

In: a path, a ``file://`` URL or a web address. Out: local copies, whose bytes no longer change.
"""

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

import requests

from etl.errors import ActionNeededError, TryAgainError, WrongFileError

_BLOCK_BYTES = 1 << 20
_CONNECT_AND_READ_SECONDS = (10, 60)
_RETRYABLE_STATUSES = (408, 425, 429)


def find_files(path_or_url: str) -> list[str]:
    """Return the path or URL itself, or the files of a folder, sorted, without hidden files and subfolders.

    :raises WrongFileError: if there is nothing, or a URL contains a user or a password.
    """
    if is_url(path_or_url):
        _reject_credentials(path_or_url)
        return [path_or_url]
    source_path = to_local_path(path_or_url)
    if not _path_exists(source_path):
        raise WrongFileError(f"{source_path}: there is no such file or folder. KAGGLE_PATH or the form must name one.")
    if not source_path.is_dir():
        return [str(source_path)]
    files = sorted(str(file) for file in source_path.iterdir() if file.is_file() and not file.name.startswith("."))
    if not files:
        raise WrongFileError(f"{source_path}: the folder holds no files. Put the Kaggle downloads there.")
    return files


def remove_secrets(path_or_url: str) -> str:
    """Return a path as it is, and of a URL only scheme, host, port and path.

    User, password and query must not get into messages and records.

    :raises WrongFileError: if a URL cannot be parsed.
    """
    if not is_url(path_or_url):
        return path_or_url
    try:
        url = urlsplit(path_or_url)
        port = f":{url.port}" if url.port else ""
    except ValueError:
        raise WrongFileError("The address cannot be read: it must be one such as https://host/file.csv.") from None
    return f"{url.scheme}://{url.hostname}{port}{url.path}"


def _reject_credentials(url: str) -> None:
    display_url = remove_secrets(url)
    if "@" in urlsplit(url).netloc:
        raise WrongFileError(
            f"{display_url}: the address must not contain a user or a password, because Airflow stores it. Put them "
            "into ~/.netrc of the user that runs Airflow, or download the file by hand and import it by its path."
        )


def _path_exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # A name that no file can have, such as one that is too long.
        return False


@dataclass(frozen=True)
class LocalCopy:
    """A temporary copy of a file, open for reading."""

    content: BinaryIO
    sha256: str
    size_bytes: int

    @property
    def short_hash(self) -> str:
        """Return the beginning of the hash, which is enough for an id."""
        return self.sha256[:16]


@contextmanager
def open_local_copy(path_or_url: str, name: str) -> Iterator[LocalCopy]:
    """Open a temporary copy, so that the checked bytes are the stored ones even if the file changes meanwhile.

    :param name: the file's name in messages.
    :raises WrongFileError: if there is no such file.
    :raises TryAgainError: if the network fails.
    :raises ActionNeededError: if a server or the file system denies access.
    """
    blocks = _download_blocks(path_or_url) if is_url(path_or_url) else _read_blocks(to_local_path(path_or_url), name)
    with copy_to_temporary_file(blocks) as copy:
        yield copy


@contextmanager
def copy_to_temporary_file(blocks: Iterator[bytes]) -> Iterator[LocalCopy]:
    """Open a temporary file with the bytes of some blocks."""
    digest, size = hashlib.sha256(), 0
    with tempfile.TemporaryFile() as content:
        for block in blocks:
            digest.update(block)
            size += content.write(block)
        content.seek(0)
        yield LocalCopy(content, digest.hexdigest(), size)


def _read_blocks(path: Path, name: str) -> Iterator[bytes]:
    try:
        if path.exists() and not path.is_file():  # A pipe or a device may have no end.
            raise WrongFileError(f"{name}: this is a folder, a pipe or a device, not a file ({path}).")
        with path.open("rb") as source:
            while block := source.read(_BLOCK_BYTES):
                yield block
    except FileNotFoundError as error:
        raise WrongFileError(f"{name}: there is no such file ({path}).") from error
    except OSError as error:
        raise ActionNeededError(f"{name}: the file cannot be read ({error.strerror}): {path}") from error


def _download_blocks(url: str) -> Iterator[bytes]:
    display_url = remove_secrets(url)
    try:
        with requests.get(url, stream=True, timeout=_CONNECT_AND_READ_SECONDS) as response:
            if response.status_code in _RETRYABLE_STATUSES or response.status_code >= 500:
                raise TryAgainError(f"{display_url} returned status {response.status_code}: try again later.")
            if not response.ok:
                raise ActionNeededError(
                    f"{display_url} returned status {response.status_code}: check the address and whether it needs a "
                    "sign-in. Download a file behind a sign-in by hand and import it by its path."
                )
            yield from response.iter_content(_BLOCK_BYTES)
    except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError):
        # The message of requests contains the address with its secrets.
        raise TryAgainError(f"{display_url} cannot be reached, or the download broke off.") from None
    except requests.RequestException as error:
        raise ActionNeededError(f"{display_url} cannot be downloaded ({type(error).__name__}).") from None


def is_url(path_or_url: str) -> bool:
    """Return whether a text is a web address."""
    return path_or_url.startswith(("http://", "https://"))


def to_local_path(path: str) -> Path:
    """Return the path of a ``file://`` URL or of a path, whose ~ is expanded."""
    if path.startswith("file://"):
        return Path(unquote(urlsplit(path).path))
    return Path(path).expanduser()


def get_file_name(path_or_url: str) -> str:
    """Return the last segment of a path or URL, as a name for the lake and for messages."""
    if not is_url(path_or_url):
        return to_local_path(path_or_url).name.encode("utf-8", "replace").decode()
    url = urlsplit(path_or_url)
    last_segment = unquote(url.path.rstrip("/").rsplit("/", 1)[-1]).replace("/", "_")
    return last_segment or url.hostname or "download"
