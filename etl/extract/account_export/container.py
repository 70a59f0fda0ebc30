"""The container of an export: the zip file that a service sends, a folder of its files, or one of them.

Zip files within a folder or a zip file are read too, up to ``_MAX_ZIP_DEPTH`` deep. A file may be compressed by gzip.
No file gets a name on disk, and no link is followed. No more than ``MAX_FILE_BYTES`` of a file are read into memory;
the zip files within the export have at most ``MAX_NESTED_ZIP_BYTES`` in total.
"""

import errno
import gzip
import io
import os
import re
import stat
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, BinaryIO, cast

from etl.errors import ActionNeededError, WrongFileError
from etl.extract.source_files import is_url, to_local_path
from etl.formats.compression import (
    CORRUPTION_ERRORS,
    MAX_BYTES,
    MAX_COMPRESSION_RATIO,
    MAX_FILES,
    find_entry_violation,
    has_too_many_entries,
    is_bomb,
    is_corruption,
)

MAX_FILE_BYTES = 64 << 20
MAX_NESTED_ZIP_BYTES = 256 << 20
MAX_TABLE_BYTES = 1 << 30

_MAX_ZIP_DEPTH = 3
"""Apple puts a zip file into a zip file into a zip file."""

_HEAD_BYTES = 4096
_BLOCK_BYTES = 1 << 20
_MAX_NAME_LENGTH = 200
_UNPRINTABLE = re.compile(r"[^\w .,()\[\]&+'~!@#%=/-]")
_AS_SENT = "It is not as Spotify sent it: download the export again and import that file."


@dataclass(frozen=True)
class ExportFile:
    """A file of an export; ``name`` is its path within the export, safe for messages."""

    name: str
    _open: Callable[[], IO[bytes]]

    def read_head(self) -> bytes:
        """Return its first bytes."""
        with self._open_decompressed() as content:
            return content.read(_HEAD_BYTES)

    def read_content(self) -> bytes:
        """Return all its bytes.

        :raises WrongFileError: if it is too large, or it or the zip file around it is corrupt.
        """
        with self._open_decompressed() as content:
            content_bytes = content.read(MAX_FILE_BYTES + 1)
            _check_ratio(content, len(content_bytes), f"{self.name}: ")
        if len(content_bytes) > MAX_FILE_BYTES:
            raise WrongFileError(
                f"{self.name}: {_describe_nested_zip_limit() if self.is_zip() else _describe_size_limit()}"
            )
        return content_bytes

    @contextmanager
    def open_seekable(self, max_bytes: int = MAX_TABLE_BYTES) -> Iterator[BinaryIO]:
        """Open a copy of its content in which a reader can seek; a large one is in a file without a name.

        :param max_bytes: the largest size of the decompressed content.
        :raises WrongFileError: if it is too large, or it or the zip file around it is corrupt.
        """
        with tempfile.SpooledTemporaryFile(max_size=MAX_FILE_BYTES) as copy:
            with self._open_decompressed() as content:
                while block := content.read(_BLOCK_BYTES):
                    if copy.tell() + len(block) > max_bytes:
                        raise WrongFileError(f"the file is larger than {max_bytes >> 20} MiB. Divide it by rows.")
                    copy.write(block)
                    _check_ratio(content, copy.tell())
            copy.seek(0)
            yield cast(BinaryIO, copy)

    def is_zip(self) -> bool:
        """Return whether its name is that of a zip file; hidden files do not count."""
        return self.name.lower().endswith(".zip") and not self.name.rsplit("/", 1)[-1].startswith(".")

    @contextmanager
    def _open_decompressed(self) -> Iterator[IO[bytes]]:
        is_compressed = self.name.lower().endswith(".gz")
        message = "the compressed file is broken here" if is_compressed else "the zip file is broken here"
        try:
            with self._open() as content:
                if is_compressed:
                    with gzip.GzipFile(fileobj=content) as decompressed:
                        yield decompressed  # type: ignore[misc]
                else:
                    yield content
        except (*CORRUPTION_ERRORS, UnicodeError) as error:  # The name of an entry can be undecodable, too.
            raise WrongFileError(f"{self.name}: {message} ({error}). Download the export again, whole.") from error
        except OSError as error:
            if is_corruption(error):
                raise WrongFileError(f"{self.name}: {message}. Download the export again, whole.") from error
            raise ActionNeededError(f"{self.name}: the file cannot be read ({error.strerror or error}).") from error


def _check_ratio(content: object, size: int, prefix: str = "") -> None:
    """Reject a gzip file that expands too much, by the bytes that are read so far."""
    if isinstance(content, gzip.GzipFile) and is_bomb(size, cast(IO[bytes], content.fileobj).tell()):
        raise WrongFileError(
            f"{prefix}this unpacks to more than {MAX_COMPRESSION_RATIO} times its size. Take it as the service sent it."
        )


@contextmanager
def open_export(path: str) -> Iterator[list[ExportFile]]:
    """Open the export at ``path``, and yield its files sorted by name.

    :raises WrongFileError: if it does not exist, is not an export, or must not be opened.
    :raises ActionNeededError: if it cannot be read.
    """
    export_path = _resolve_path(path)
    try:
        if export_path.is_dir():
            with _open_nested_zips(_find_folder_files(export_path), f"{export_path}") as export_files:
                yield export_files
        elif not export_path.is_file():
            raise WrongFileError(
                f"{export_path}: there is no such file or folder. Name the zip file that Spotify sent."
            )
        elif not _is_zip(export_path):
            yield [ExportFile(clean_name(export_path.name), lambda: export_path.open("rb"))]
        else:
            with (
                export_path.open("rb") as content,
                _open_zip(content, clean_name(export_path.name)) as archive,
                _open_nested_zips(
                    _find_zip_files(archive, clean_name(export_path.name)), clean_name(export_path.name)
                ) as export_files,
            ):
                yield export_files
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise WrongFileError(
                f"{clean_name(export_path.name)}: no file has so long a name. Name the zip file that Spotify sent."
            ) from error
        if not isinstance(error, PermissionError):
            raise
        raise ActionNeededError(
            f"{error.filename}: the file cannot be read ({error.strerror}). Let the user that runs Airflow read it."
        ) from error


def clean_name(name: str) -> str:
    """Return a name from a file system or zip file that is safe for messages: short, and of plain characters only."""
    return _UNPRINTABLE.sub("_", name.replace("\\", "/"))[:_MAX_NAME_LENGTH]


def _resolve_path(path: str) -> Path:
    if is_url(path):
        raise WrongFileError("An export is imported by its path: download it, signed in, and name the file.")
    if "\0" in path:
        raise WrongFileError("The path holds a NUL: name the zip file that Spotify sent.")
    return to_local_path(path)


def _is_zip(path: Path) -> bool:
    with path.open("rb") as content:
        return content.read(2) == b"PK"


@contextmanager
def _open_nested_zips(export_files: list[ExportFile], name: str) -> Iterator[list[ExportFile]]:
    """Open the zip files among some files, and yield all files sorted by name, with the zip files' entries."""
    files: list[ExportFile] = []
    size = 0
    with ExitStack() as stack:
        for _ in range(_MAX_ZIP_DEPTH):
            entries: list[ExportFile] = []
            for export_file in export_files:
                if not export_file.is_zip():
                    files.append(export_file)
                    continue
                content = export_file.read_content()
                size += len(content)
                if size > MAX_NESTED_ZIP_BYTES:
                    raise WrongFileError(f"{export_file.name}: {_describe_nested_zip_limit()}")
                archive = stack.enter_context(_open_zip(io.BytesIO(content), export_file.name))
                entries += _find_zip_files(archive, export_file.name, f"{export_file.name}/")
                if len(files) + len(entries) > MAX_FILES:
                    raise WrongFileError(f"{name}: {_describe_file_limit()}")
            export_files = entries
        yield sorted([*files, *export_files], key=lambda file: file.name)


def _check_entry_count(content: IO[bytes], name: str) -> None:
    """Reject a zip file whose directory is too long, before it is read into memory."""
    if has_too_many_entries(content):
        raise WrongFileError(f"{name}: {_describe_file_limit()}")


def _find_folder_files(root: Path) -> list[ExportFile]:
    export_files = []
    for folder, folders, files in os.walk(root, followlinks=False, onerror=_raise_error):
        for name in (*folders, *files):
            path = Path(folder, name)
            name_in_export = clean_name(path.relative_to(root).as_posix())
            mode = path.lstat().st_mode
            if stat.S_ISLNK(mode):
                raise WrongFileError(f"{name_in_export}: this is a link. Put the file itself into the folder.")
            if stat.S_ISREG(mode):
                export_files.append(ExportFile(name_in_export, lambda path=path: path.open("rb")))  # type: ignore[misc]
            if len(export_files) > MAX_FILES:
                raise WrongFileError(f"{root}: {_describe_file_limit()}")
    return sorted(export_files, key=lambda export_file: export_file.name)


def _raise_error(error: OSError) -> None:
    raise error


@contextmanager
def _open_zip(content: IO[bytes], name: str) -> Iterator[zipfile.ZipFile]:
    _check_entry_count(content, name)
    try:
        archive = zipfile.ZipFile(content)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError) as error:
        raise WrongFileError(
            f"{name}: the zip file is broken or cut ({error}). Download the export again, whole."
        ) from error
    with archive:
        yield archive


def _find_zip_files(archive: zipfile.ZipFile, name: str, folder: str = "") -> list[ExportFile]:
    # A corrupt entry may have an empty name, for which ZipInfo.is_dir raises an error.
    entries = [entry for entry in archive.infolist() if not entry.filename.endswith("/")]
    if len(entries) > MAX_FILES:
        raise WrongFileError(f"{name}: {_describe_file_limit()}")
    if sum(entry.file_size for entry in entries) > MAX_BYTES:
        raise WrongFileError(f"{name}: the zip file would unpack to more than {MAX_BYTES >> 30} GiB. {_AS_SENT}")
    names = set()
    for entry in entries:
        _check_entry(entry)
        if entry.filename in names:
            raise WrongFileError(f"{clean_name(entry.filename)}: the zip file holds this name twice. {_AS_SENT}")
        names.add(entry.filename)
    export_files = [ExportFile(folder + clean_name(entry.filename), partial(archive.open, entry)) for entry in entries]
    return sorted(export_files, key=lambda export_file: export_file.name)


def _check_entry(entry: zipfile.ZipInfo) -> None:
    """Reject an entry that Spotify's exports never contain."""
    violation = find_entry_violation(entry)
    if violation:
        cure = "Unpack the zip file and import the folder." if "locked" in violation else _AS_SENT
        raise WrongFileError(f"{clean_name(entry.filename)}: {violation}. {cure}")


def _describe_size_limit() -> str:
    return (
        f"the file is larger than {MAX_FILE_BYTES >> 20} MiB, which none of Spotify's is (about 12). Import the "
        "files as the service sent them, not joined into one."
    )


def _describe_nested_zip_limit() -> str:
    return (
        f"this is a zip file within the export, and it is larger than {MAX_FILE_BYTES >> 20} MiB, or all of them "
        f"than {MAX_NESTED_ZIP_BYTES >> 20}. Import each zip file by itself."
    )


def _describe_file_limit() -> str:
    return f"there are more than {MAX_FILES} files. Name the export's own folder or zip file."
