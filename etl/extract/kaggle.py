"""Receive Kaggle files, and synthetic files of the same formats.

In: a file, or a zip archive of several. Out: an input of the lake for each table, with its format and layout.
"""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from etl.errors import WrongFileError
from etl.extract import archives, source_files
from etl.extract.source_files import LocalCopy
from etl.formats import tabular
from etl.formats.kaggle.file_formats import FileFormat, detect_format
from etl.storage.inputs import ReceivedInput
from etl.storage.lake import Lake

log = logging.getLogger(__name__)

_MAX_MESSAGES = 10


@dataclass(frozen=True)
class ReceivedFiles:
    """The inputs of a path; the last remark of the first one names the files of an archive that were skipped."""

    inputs: tuple[ReceivedInput, ...]


def receive_file(
    path_or_url: str, format_name: str | None, lake: Lake, received_at: datetime, encoding: str | None = None
) -> ReceivedInput:
    """Validate a file with one table and store it in the lake; see ``receive_files``."""
    (received,) = receive_files(path_or_url, format_name, lake, received_at, encoding).inputs
    return received


def receive_files(
    path_or_url: str, format_name: str | None, lake: Lake, received_at: datetime, encoding: str | None = None
) -> ReceivedFiles:
    """Validate one file, or each file of a zip archive, and store it in the lake.

    :param format_name: a name from ``file_formats.FORMATS``, or None to detect it by the columns.
    :param received_at: with a timezone.
    :param encoding: one of ``tabular.CHOICES`` for text that is not Unicode, or None to detect it.
    :returns: the manifests in the lake: the earlier ones for bytes that were received already and are read alike.
    :raises WrongFileError: if it is not a complete file of a known (or of the chosen) format; nothing of it is stored.
        The valid files of an archive are stored nevertheless.
    :raises TryAgainError: if the network fails.
    :raises ActionNeededError: if a server denies the file, or the file cannot be read or stored.
    """
    name = source_files.get_file_name(path_or_url)
    if encoding and encoding not in tabular.CHOICES:
        raise WrongFileError(f"{name}: there is no encoding {encoding!r}. Known ones: {', '.join(tabular.CHOICES)}.")
    receiver = _TableReceiver(format_name, lake, received_at, encoding)
    with source_files.open_local_copy(path_or_url, name) as copy:
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
            with source_files.copy_to_temporary_file(archive_file.read_blocks()) as copy:
                received.append(receiver.receive_table(copy, archive_file.name))
        except UnknownFormatError as error:
            unknown_messages.append(str(error))
        except WrongFileError as error:
            error_messages.append(str(error))
    remark_prefix = f"{archive_name} holds further files, which are skipped: "
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
    ]  # The remark of an earlier archive does not apply.
    remarks = (*own_remarks, skipped_remark) if skipped_remark else tuple(own_remarks)
    if remarks != received[0].remarks:
        received[0] = replace(received[0], remarks=remarks)
        receiver.lake.inputs.write_manifest(received[0])
    return ReceivedFiles(tuple(received))


def _join_messages(messages: Sequence[str]) -> str:
    shown = " ".join(messages[:_MAX_MESSAGES])
    omitted_count = len(messages) - _MAX_MESSAGES
    return f"{shown} And {omitted_count} more." if omitted_count > 0 else shown


class UnknownFormatError(WrongFileError):
    """A file is not a table, or not of a known format."""


@dataclass(frozen=True)
class _TableReceiver:
    """The receiver of an import's tables, with the options of the import."""

    format_name: str | None
    lake: Lake
    received_at: datetime
    encoding: str | None

    def receive_table(self, copy: LocalCopy, name: str) -> ReceivedInput:
        """Validate one table and store it in the lake."""
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
        log.info(
            "%s: %s, %d rows, stored as input %s", name, file_format.title, inspection.row_count, received.input_id
        )
        for remark in received.remarks:
            log.warning("%s: %s", name, remark)
        return received

    def _detect_layout(self, copy: LocalCopy, name: str) -> tuple[tabular.Layout, bool]:
        """Return the layout, and whether the operator chose its encoding: now, or earlier for the same bytes."""
        layout = tabular.detect_layout(copy.content, self.encoding)
        if not layout.remarks:
            return layout, layout.encoding == self.encoding
        # An earlier choice stays valid; otherwise a restart that imports the same files again would undo it.
        inputs = self.lake.inputs.find_inputs(["kaggle"])
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
        self, copy: LocalCopy, name: str, file_format: FileFormat, inspection: tabular.Inspection, is_chosen: bool
    ) -> ReceivedInput:
        layout = inspection.layout
        input_id = _compute_input_id(copy, layout)
        copy.content.seek(0)
        received = self.lake.inputs.store_input(
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
        self.lake.inputs.write_manifest(with_choice)
        return with_choice


def _compute_input_id(copy: LocalCopy, layout: tabular.Layout) -> str:
    """Return a hash of the bytes, and of how they are read if they can be read in several ways.

    A file that was read wrongly and is received again with the right options is then another input, which replaces the
    earlier one.
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
