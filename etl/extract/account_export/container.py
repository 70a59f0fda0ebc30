"""What holds an export: the zip file that Spotify sends, a folder of its files, or one of them.

Zip files within a folder or a zip file are read, too, those within them are not; a file may be compressed by gzip.
Nothing is unpacked to disk, nothing beyond the export is followed, and no more than ``MOST_BYTES_A_FILE`` of anything
is read into memory, but for zip files within the export, which are ``MOST_NESTED_BYTES`` together at most.
"""

import errno
import gzip
import io
import os
import re
import stat
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import unquote, urlsplit

from etl.errors import ActionNeededError, WrongFileError
from etl.packed import BREAKAGES, MOST_BYTES, MOST_FILES, entry_fault, has_too_many_entries, is_of_content

MOST_BYTES_A_FILE = 64 << 20
MOST_NESTED_BYTES = 256 << 20


_HEAD_BYTES = 4096
_LONGEST_NAME = 200
_ODD = re.compile(r"[^\w .,()\[\]&+'~!@#%=/-]")
_AS_SENT = "It is not as Spotify sent it: download the export again and import that file."


@dataclass(frozen=True)
class Member:
    """A file of an export; ``name`` is its path within the export, fit for messages."""

    name: str
    _open: Callable[[], IO[bytes]]

    def head(self) -> bytes:
        """Its first bytes."""
        with self._reading() as content:
            return content.read(_HEAD_BYTES)

    def content(self) -> bytes:
        """All its bytes.

        :raises WrongFileError: where it is too large, or the zip file around it is broken.
        """
        with self._reading() as content:
            whole = content.read(MOST_BYTES_A_FILE + 1)
        if len(whole) > MOST_BYTES_A_FILE:
            raise WrongFileError(f"{self.name}: {_too_large_zip() if self.is_zip() else _too_large()}")
        return whole

    def is_zip(self) -> bool:
        """Whether it is a zip file by its name; what a file system hides is none."""
        return self.name.lower().endswith(".zip") and not self.name.rsplit("/", 1)[-1].startswith(".")

    @contextmanager
    def _reading(self) -> Iterator[IO[bytes]]:
        is_compressed = self.name.lower().endswith(".gz")
        broken = "the compressed file is broken here" if is_compressed else "the zip file is broken here"
        try:
            with self._open() as content:
                if is_compressed:
                    with gzip.GzipFile(fileobj=content) as decompressed:
                        yield decompressed  # type: ignore[misc]
                else:
                    yield content
        except (*BREAKAGES, UnicodeError) as error:  # a name can be none, too
            raise WrongFileError(f"{self.name}: {broken} ({error}). Download the export again, whole.") from error
        except OSError as error:
            if is_of_content(error):
                raise WrongFileError(f"{self.name}: {broken}. Download the export again, whole.") from error
            raise ActionNeededError(f"{self.name}: the file cannot be read ({error.strerror or error}).") from error


@contextmanager
def opened(path: str) -> Iterator[list[Member]]:
    """The files of the export at ``path``, sorted by name.

    :raises WrongFileError: where there is none, or it is none that may be opened.
    :raises ActionNeededError: where it cannot be read.
    """
    place = _local_path(path)
    try:
        if place.is_dir():
            with _with_nested(_of_folder(place), f"{place}") as members:
                yield members
        elif not place.is_file():
            raise WrongFileError(f"{place}: there is no such file or folder. Name the zip file that Spotify sent.")
        elif not _is_zip(place):
            yield [Member(shown(place.name), lambda: place.open("rb"))]
        else:
            with (
                place.open("rb") as content,
                _zip_file(content, shown(place.name)) as archive,
                _with_nested(_of_zip(archive, shown(place.name)), shown(place.name)) as members,
            ):
                yield members
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise WrongFileError(
                f"{shown(place.name)}: no file has so long a name. Name the zip file that Spotify sent."
            ) from error
        if not isinstance(error, PermissionError):
            raise
        raise ActionNeededError(
            f"{error.filename}: the file cannot be read ({error.strerror}). Let the user that runs Airflow read it."
        ) from error


def shown(name: str) -> str:
    """A name from a file system or zip file, fit for a message: short, and of plain signs only."""
    return _ODD.sub("_", name.replace("\\", "/"))[:_LONGEST_NAME]


def _local_path(path: str) -> Path:
    if path.startswith(("http://", "https://")):
        raise WrongFileError("An export is imported by its path: download it, signed in, and name the file.")
    if "\0" in path:
        raise WrongFileError("The path holds a NUL: name the zip file that Spotify sent.")
    return Path(unquote(urlsplit(path).path)) if path.startswith("file://") else Path(path).expanduser()


def _is_zip(place: Path) -> bool:
    with place.open("rb") as content:
        return content.read(2) == b"PK"


@contextmanager
def _with_nested(members: list[Member], name: str) -> Iterator[list[Member]]:
    """The members, sorted by name, and those of the zip files among them in place of these."""
    files = [member for member in members if not member.is_zip()]
    size = 0
    with ExitStack() as stack:
        for member in members:
            if member.is_zip():
                content = member.content()
                size += len(content)
                if size > MOST_NESTED_BYTES:
                    raise WrongFileError(f"{member.name}: {_too_large_zip()}")
                archive = stack.enter_context(_zip_file(io.BytesIO(content), member.name))
                files += _of_zip(archive, member.name, f"{member.name}/")
                if len(files) > MOST_FILES:
                    raise WrongFileError(f"{name}: {_too_many()}")
        yield sorted(files, key=lambda file: file.name)


def _look_at_directory(content: IO[bytes], name: str) -> None:
    """Refuse a zip file whose list of members is too long, before it is read into memory."""
    if has_too_many_entries(content):
        raise WrongFileError(f"{name}: {_too_many()}")


def _of_folder(place: Path) -> list[Member]:
    members = []
    for folder, folders, files in os.walk(place, followlinks=False, onerror=_raise):
        for name in (*folders, *files):
            path = Path(folder, name)
            inner = shown(path.relative_to(place).as_posix())
            kind = path.lstat().st_mode
            if stat.S_ISLNK(kind):
                raise WrongFileError(f"{inner}: this is a link. Put the file itself into the folder.")
            if stat.S_ISREG(kind):
                members.append(Member(inner, lambda path=path: path.open("rb")))  # type: ignore[misc]
            if len(members) > MOST_FILES:
                raise WrongFileError(f"{place}: {_too_many()}")
    return sorted(members, key=lambda member: member.name)


def _raise(error: OSError) -> None:
    raise error


@contextmanager
def _zip_file(content: IO[bytes], name: str) -> Iterator[zipfile.ZipFile]:
    _look_at_directory(content, name)
    try:
        archive = zipfile.ZipFile(content)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError) as error:
        raise WrongFileError(
            f"{name}: the zip file is broken or cut ({error}). Download the export again, whole."
        ) from error
    with archive:
        yield archive


def _of_zip(archive: zipfile.ZipFile, name: str, folder: str = "") -> list[Member]:
    # A broken entry may have no name at all, which is_dir cannot stand.
    entries = [entry for entry in archive.infolist() if not entry.filename.endswith("/")]
    if len(entries) > MOST_FILES:
        raise WrongFileError(f"{name}: {_too_many()}")
    if sum(entry.file_size for entry in entries) > MOST_BYTES:
        raise WrongFileError(f"{name}: the zip file would unpack to more than {MOST_BYTES >> 30} GiB. {_AS_SENT}")
    names = set()
    for entry in entries:
        _look_at(entry)
        if entry.filename in names:
            raise WrongFileError(f"{shown(entry.filename)}: the zip file holds this name twice. {_AS_SENT}")
        names.add(entry.filename)
    members = [Member(folder + shown(entry.filename), lambda entry=entry: archive.open(entry)) for entry in entries]  # type: ignore[misc]
    return sorted(members, key=lambda member: member.name)


def _look_at(entry: zipfile.ZipInfo) -> None:
    """Refuse what an export never holds."""
    fault = entry_fault(entry)
    if fault:
        cure = "Unpack the zip file and import the folder." if "locked" in fault else _AS_SENT
        raise WrongFileError(f"{shown(entry.filename)}: {fault}. {cure}")


def _too_large() -> str:
    return (
        f"the file is larger than {MOST_BYTES_A_FILE >> 20} MiB, which none of Spotify's is (about 12). Import the "
        "files as Spotify sent them, not joined into one."
    )


def _too_large_zip() -> str:
    return (
        f"this is a zip file within the export, and it is larger than {MOST_BYTES_A_FILE >> 20} MiB, or all of them "
        f"than {MOST_NESTED_BYTES >> 20}. Import each zip file by itself."
    )


def _too_many() -> str:
    return f"there are more than {MOST_FILES} files. Name the export's own folder or zip file."
