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

from etl.errors import ActionNeededError, TryAgainError, WrongFileError
from etl.extract import archives
from etl.formats import tabular
from etl.formats.kaggle.file_formats import FileFormat, detect_format
from etl.storage.inputs import Lake, ReceivedInput

log = logging.getLogger(__name__)

_BLOCK_BYTES = 1 << 20
_CONNECT_AND_READ_SECONDS = (10, 60)
_RETRYABLE_STATUSES = (408, 425, 429)
_MAX_MESSAGES = 10


def find_files(path_or_url: str) -> list[str]:
    """The files that a path or URL names: itself, or what a folder holds, sorted, hidden files and subfolders left out.

    Whether each is of a known format shows when it is received.

    :raises WrongFileError: where nothing is there, or a URL holds a user or a password.
    """
    if _is_url(path_or_url):
        _reject_credentials(path_or_url)
        return [path_or_url]
    source_path = _to_local_path(path_or_url)
    if not _path_exists(source_path):
        raise WrongFileError(f"{source_path}: there is no such file or folder. KAGGLE_PATH or the form must name one.")
    if not source_path.is_dir():
        return [str(source_path)]
    files = sorted(str(file) for file in source_path.iterdir() if file.is_file() and not file.name.startswith("."))
    if not files:
        raise WrongFileError(f"{source_path}: the folder holds no files. Put the Kaggle downloads there.")
    return files


def remove_secrets(path_or_url: str) -> str:
    """A path as it is; of a URL scheme, host and path: user, password and query stay out of messages and records.

    :raises WrongFileError: where a URL cannot be read.
    """
    if not _is_url(path_or_url):
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
            f"{display_url}: the address must not hold a user or a password, as Airflow keeps it. Put them into ~/.netrc of "
            "the user that runs Airflow, or download the file by hand and import it by its path."
        )


def _path_exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name that no file can have
        return False


@dataclass(frozen=True)
class ReceivedFiles:
    """What a path held: the inputs that are in the lake now.

    What of an archive was left out is the last remark of its first input.
    """

    inputs: tuple[ReceivedInput, ...]


def receive_file(
    path_or_url: str, format_name: str | None, lake: Lake, received_at: datetime, encoding: str | None = None
) -> ReceivedInput:
    """Check a path that holds one table, and keep it in the lake; else as ``receive_files``."""
    (received,) = receive_files(path_or_url, format_name, lake, received_at, encoding).inputs
    return received


def receive_files(
    path_or_url: str, format_name: str | None, lake: Lake, received_at: datetime, encoding: str | None = None
) -> ReceivedFiles:
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
    name = _get_file_name(path_or_url)
    if encoding and encoding not in tabular.CHOICES:
        raise WrongFileError(f"{name}: there is no encoding {encoding!r}. Known ones: {', '.join(tabular.CHOICES)}.")
    receiver = _TableReceiver(format_name, lake, received_at, encoding)
    with _open_local_copy(path_or_url, name) as copy:
        try:
            archive_files = archives.find_archive_files(copy.content)
        except WrongFileError as error:
            raise WrongFileError(f"{name}: {error}") from error
        if archive_files is None:
            return ReceivedFiles((receiver.receive_table(copy, name),))
        return _receive_archive(receiver, name, archive_files)


def _receive_archive(
    receiver: "_TableReceiver", archive_name: str, archive_files: list[archives.ArchiveFile]
) -> ReceivedFiles:
    received: list[ReceivedInput] = []
    unknown_messages: list[str] = []
    error_messages: list[str] = []
    for archive_file in archive_files:
        try:
            with _copy_to_temporary_file(archive_file.read_blocks()) as copy:
                received.append(receiver.receive_table(copy, archive_file.name))
        except UnknownFormatError as error:
            unknown_messages.append(str(error))
        except WrongFileError as error:
            error_messages.append(str(error))
    remark_prefix = f"{archive_name} holds further files, which are left out: "
    skipped_remark = f"{remark_prefix}{_join_messages(unknown_messages)}" if unknown_messages else ""
    if skipped_remark:
        log.warning("%s", skipped_remark)
    if error_messages or not received:
        imported_message = (
            f" The others are imported: {', '.join(received_input.name for received_input in received)}."
            if received
            else ""
        )
        raise WrongFileError(f"{archive_name}: {_join_messages(error_messages or unknown_messages)}{imported_message}")
    own_remarks = [
        remark for remark in received[0].remarks if not remark.startswith(remark_prefix)
    ]  # an earlier archive's is not true
    remarks = (*own_remarks, skipped_remark) if skipped_remark else tuple(own_remarks)
    if remarks != received[0].remarks:
        received[0] = replace(received[0], remarks=remarks)
        receiver.lake.write_manifest(received[0])
    return ReceivedFiles(tuple(received))


def _join_messages(messages: Sequence[str]) -> str:
    shown = " ".join(messages[:_MAX_MESSAGES])
    omitted_count = len(messages) - _MAX_MESSAGES
    return f"{shown} And {omitted_count} more." if omitted_count > 0 else shown


class UnknownFormatError(WrongFileError):
    """A file is no table of a known format, or no table at all."""


@dataclass(frozen=True)
class _TableReceiver:
    """How the files of an import are received."""

    format_name: str | None
    lake: Lake
    received_at: datetime
    encoding: str | None

    def receive_table(self, copy: "_Copy", name: str) -> ReceivedInput:
        """Check one table and keep it in the lake."""
        try:
            layout, is_chosen = self._detect_layout(copy, name)
            file_format = detect_format(tabular.read_header(copy.content, layout), self.format_name)
        except WrongFileError as error:
            raise UnknownFormatError(f"{name}: {error}") from error
        try:
            inspection = tabular.inspect_table(copy.content, layout, file_format)
        except WrongFileError as error:
            raise WrongFileError(f"{name}: {error}") from error
        received = self._store_table(copy, name, file_format, inspection, is_chosen)
        log.info("%s: %s, %d rows, kept as input %s", name, file_format.title, inspection.row_count, received.input_id)
        for remark in received.remarks:
            log.warning("%s: %s", name, remark)
        return received

    def _detect_layout(self, copy: "_Copy", name: str) -> tuple[tabular.Layout, bool]:
        """The layout, and whether somebody chose its encoding: now, or earlier for the same bytes."""
        layout = tabular.detect_layout(copy.content, self.encoding)
        if not layout.remarks:
            return layout, layout.encoding == self.encoding
        # A choice holds: else a start that imports the same files again would undo it.
        inputs = self.lake.find_inputs(["kaggle"])
        inputs_with_choice = [
            candidate
            for candidate in inputs
            if candidate.is_encoding_chosen and (candidate.content_id, candidate.name) == (copy.short_hash, name)
        ]
        return (
            (tabular.detect_layout(copy.content, inputs_with_choice[-1].encoding), True)
            if inputs_with_choice
            else (layout, False)
        )

    def _store_table(
        self, copy: "_Copy", name: str, file_format: FileFormat, inspection: tabular.Inspection, is_chosen: bool
    ) -> ReceivedInput:
        layout = inspection.layout
        input_id = _compute_input_id(copy, layout)
        copy.content.seek(0)
        received = self.lake.store_input(
            copy.content,
            ReceivedInput(
                input_id=input_id,
                origin=file_format.origin,
                name=name,
                format=file_format.name,
                encoding=layout.encoding,
                delimiter=layout.delimiter,
                columns=inspection.columns,
                row_count=inspection.row_count,
                size_bytes=copy.size_bytes,
                received_at=self.received_at.isoformat(),
                url=self.lake.build_input_url(file_format.origin, input_id, name),
                quoting=layout.quoting,
                shape=layout.shape,
                decimal=layout.decimal,
                dates=layout.dates,
                is_encoding_chosen=is_chosen,
                content_id=copy.short_hash,
                remarks=layout.remarks,
            ),
        )
        if not is_chosen or received.is_encoding_chosen:
            return received
        with_choice = replace(received, is_encoding_chosen=True, content_id=copy.short_hash, remarks=layout.remarks)
        self.lake.write_manifest(with_choice)
        return with_choice


def _compute_input_id(copy: "_Copy", layout: tabular.Layout) -> str:
    """A hash of the bytes; and of how they are read, where that is not in one way alone.

    So a file that was read wrongly and comes again, read rightly, is another input, which takes the earlier one's
    place.
    """
    reading_options = (layout.quoting, layout.shape, layout.decimal, layout.dates)
    is_unambiguous = reading_options == ("strict", "", "", "") and layout.encoding.startswith(
        ("utf", tabular.SPREADSHEET)
    )
    return (
        copy.short_hash
        if is_unambiguous
        else hashlib.sha256(f"{copy.short_hash} {layout.encoding} {reading_options}".encode()).hexdigest()[:16]
    )


@dataclass(frozen=True)
class _Copy:
    content: BinaryIO
    sha256: str
    size_bytes: int

    @property
    def short_hash(self) -> str:
        """A hash of the bytes, short."""
        return self.sha256[:16]


@contextmanager
def _open_local_copy(path_or_url: str, name: str) -> Iterator[_Copy]:
    """A temporary copy, so that what is checked is what is kept, even where the file changes meanwhile."""
    blocks = _download_blocks(path_or_url) if _is_url(path_or_url) else _read_blocks(_to_local_path(path_or_url), name)
    with _copy_to_temporary_file(blocks) as copy:
        yield copy


@contextmanager
def _copy_to_temporary_file(blocks: Iterator[bytes]) -> Iterator[_Copy]:
    digest, size = hashlib.sha256(), 0
    with tempfile.TemporaryFile() as content:
        for block in blocks:
            digest.update(block)
            size += content.write(block)
        content.seek(0)
        yield _Copy(content, digest.hexdigest(), size)


def _read_blocks(path: Path, name: str) -> Iterator[bytes]:
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


def _download_blocks(url: str) -> Iterator[bytes]:
    display_url = remove_secrets(url)
    try:
        with requests.get(url, stream=True, timeout=_CONNECT_AND_READ_SECONDS) as response:
            if response.status_code in _RETRYABLE_STATUSES or response.status_code >= 500:
                raise TryAgainError(f"{display_url} answered {response.status_code}: it may do better later.")
            if not response.ok:
                raise ActionNeededError(
                    f"{display_url} answered {response.status_code}: check the address and whether it needs a sign-in. "
                    "Files behind one are downloaded by hand and imported by their path."
                )
            yield from response.iter_content(_BLOCK_BYTES)
    except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError):
        # The library's own text would repeat the address with all that is secret in it.
        raise TryAgainError(f"{display_url} cannot be reached, or the download broke off.") from None
    except requests.RequestException as error:
        raise ActionNeededError(f"{display_url} cannot be downloaded ({type(error).__name__}).") from None


def _is_url(path_or_url: str) -> bool:
    return path_or_url.startswith(("http://", "https://"))


def _to_local_path(path: str) -> Path:
    if path.startswith("file://"):
        return Path(unquote(urlsplit(path).path))
    return Path(path).expanduser()


def _get_file_name(path_or_url: str) -> str:
    """The last part of a path or URL, fit for a folder of the lake and for messages."""
    if not _is_url(path_or_url):
        return _to_local_path(path_or_url).name.encode("utf-8", "replace").decode()
    url = urlsplit(path_or_url)
    last_segment = unquote(url.path.rstrip("/").rsplit("/", 1)[-1]).replace("/", "_")
    return last_segment or url.hostname or "download"
