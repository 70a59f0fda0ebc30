"""Receive account exports: "Extended streaming history" and "Account data" of Spotify, and those of other services.

In: the zip file that a service sends, a folder of its files, or one of them. Out: one input of the lake a format, JSON
lines of ``contracts.events.EXPORT_LINE``, if the whole export is valid. All other files (profile, searches, payments,
…) are listed and never copied.

container       the zip file, folder or single file, opened without trusting it
export_fields   the stored fields of records, and their names in other versions
export_records  the files that are read, and their records
library         saved tracks, followed artists and playlists as flat records
services        the plays of other services' files
play_sample     whether a load could use the plays
listener        the listener whose plays they are
"""

import hashlib
import json
import logging
import tempfile
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import IO

from etl.errors import WrongFileError
from etl.extract.account_export.container import open_export
from etl.extract.account_export.export_fields import BASIC, EXTENDED
from etl.extract.account_export.export_records import ExportRecords, encode_record, read_records
from etl.extract.account_export.library import LIBRARY, PLAYLISTS
from etl.extract.account_export.listener import validate_timezone, validate_user_id
from etl.extract.account_export.play_sample import PlaySample
from etl.extract.account_export.services import read_service_records
from etl.formats.compression import open_deterministic_gzip
from etl.formats.contracts.events import EXPORT_LINE
from etl.formats.service_exports import SERVICE_FORMATS
from etl.storage.inputs import ReceivedInput
from etl.storage.lake import Lake

log = logging.getLogger(__name__)

ORIGIN = "account_export"
_RECORDS_PER_WRITE = 1000
_FORMAT_VERSION = 2
"""Part of the input id. After an increase, an export that is imported again is another input and is read again: records
that an earlier version rejected become events, all others are duplicates."""
FORMATS = (EXTENDED, BASIC, LIBRARY, PLAYLISTS, *SERVICE_FORMATS)


@dataclass(frozen=True)
class ReceivedExport:
    """The outcome of an import: an input a format, the files read and skipped, the fields of records that were skipped,
    the counts of records that are no plays of music, and a warning if a load will reject most of its plays or
    their titles are doubtful."""

    inputs: list[ReceivedInput]
    files_read: list[str]
    skipped_files: list[str]
    skipped_fields: list[str]
    warning: str | None = None
    skipped_records: dict[str, int] = field(default_factory=dict)


def receive_export(path: str, user_id: str, timezone: str, lake: Lake, received_at: datetime) -> ReceivedExport:
    """Validate an export and store its plays, saved tracks and playlists in the lake.

    :param path: the zip file that the service sent, a folder of its files, or one of the files.
    :param user_id: of the listener, as in dim_user.
    :param timezone: of the listener; an IANA name.
    :param received_at: with a timezone.
    :returns: the manifests in the lake: the earlier ones if the same plays of the same listener are there already.
    :raises WrongFileError: if a file is corrupt, there are no plays, or a load would reject nearly all of them;
        nothing is stored.
    :raises ActionNeededError: if the user or the timezone is not valid, or a file cannot be read.
    """
    user, zone = validate_user_id(user_id), validate_timezone(timezone)
    sample = PlaySample(received_at)
    with ExitStack() as stack:
        drafts = {name: stack.enter_context(_InputDraft(name, user, zone, sample)) for name in FORMATS}
        files_read, skipped_files, skipped_fields, skipped_records, warnings = _sort_files(path, drafts)
        non_empty_drafts = [draft for draft in drafts.values() if draft.row_count]
        if not non_empty_drafts:
            raise WrongFileError(_describe_missing_plays(files_read, skipped_files))
        warning = " ".join(text for text in (sample.build_warning(), *warnings) if text) or None
        inputs = [draft.store_input(lake, received_at) for draft in non_empty_drafts]
    log.info("%d files read, %d skipped: %s", len(files_read), len(skipped_files), ", ".join(skipped_files) or "none")
    log.info("Fields skipped in the records: %s", ", ".join(skipped_fields) or "none")
    if warning:
        log.warning("%s", warning)
    return ReceivedExport(inputs, files_read, skipped_files, skipped_fields, warning, skipped_records)


def _sort_files(
    path: str, drafts: dict[str, "_InputDraft"]
) -> tuple[list[str], list[str], list[str], dict[str, int], list[str]]:
    """Write the records of all files into the drafts.

    :returns: the files read, the files skipped, the fields skipped, the counts of records skipped by reason, warnings.
    """
    files_read: list[str] = []
    skipped_files: list[str] = []
    skipped_fields: set[str] = set()
    skipped_records: Counter[str] = Counter()
    warnings: list[str] = []
    with open_export(path) as export_files:
        for export_file in export_files:
            is_alone = len(export_files) == 1
            service_records = read_service_records(export_file, export_files, is_alone)
            if service_records:
                drafts[service_records.format].add_records(
                    export_file.name, ExportRecords(service_records.format, service_records.records)
                )
                skipped_records += service_records.left_out
                warnings += [service_records.warning] if service_records.warning else []
                files_read.append(export_file.name)
                continue
            export_records = read_records(export_file, is_alone)
            if export_records is None:
                skipped_files.append(export_file.name)
                continue
            drafts[export_records.format].add_records(export_file.name, export_records)
            skipped_fields |= export_records.skipped_fields
            files_read.append(export_file.name)
    return files_read, skipped_files, sorted(skipped_fields)[:100], dict(skipped_records.most_common()), warnings


def _describe_missing_plays(files_read: list[str], skipped_files: list[str]) -> str:
    if files_read:
        return f"The export holds no plays: nothing is in {', '.join(files_read[:5])}. Ask the service for it again."
    names = ", ".join(skipped_files[:5]) or "no files at all"
    return (
        f"There is no streaming history here (there is: {names}). Ask Spotify for the extended streaming history or "
        "for the account data, and import the zip file that it sends; of other services see docs/exports.md."
    )


class _InputDraft:
    """The lines of one format, on disk until the whole export is validated."""

    def __init__(self, format_name: str, user_id: str, timezone: str, sample: PlaySample) -> None:
        self._format, self._user_id, self._timezone, self._sample = format_name, user_id, timezone, sample
        self._content: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 closed by __exit__
        self._gzip = open_deterministic_gzip(self._content, level=3)
        self._digest = hashlib.sha256(json.dumps([_FORMAT_VERSION, format_name, user_id, timezone]).encode())
        self.row_count = 0

    def __enter__(self) -> "_InputDraft":
        return self

    def __exit__(self, *_: object) -> None:
        self._gzip.close()
        self._content.close()

    def add_records(self, file: str, export_records: ExportRecords) -> None:
        """Write the records of a file."""
        fields, records = export_records.stored_fields, export_records.rename_fields()
        self._sample.add_records(self._format, file, records)
        remaining_records = iter(records)
        while chunk := list(islice(remaining_records, _RECORDS_PER_WRITE)):
            bodies = [encode_record(record, fields) for record in chunk]
            # Names may contain halves of surrogate pairs, which UTF-8 cannot encode.
            self._digest.update("".join(f"\n{body}" for body in bodies).encode("utf-8", "surrogatepass"))
            self._gzip.write(self._encode_lines(file, bodies))
            self.row_count += len(chunk)

    def store_input(self, lake: Lake, received_at: datetime) -> ReceivedInput:
        """Store the lines in the lake; the same records of the same listener are the same input."""
        self._gzip.close()
        size = self._content.tell()
        self._content.seek(0)
        received = ReceivedInput(
            input_id=self._digest.hexdigest()[:16],
            origin=ORIGIN,
            name=f"{self._format}.jsonl.gz",
            format=self._format,
            encoding="utf-8",
            delimiter="",
            columns=tuple(EXPORT_LINE.fieldNames()),
            row_count=self.row_count,
            size_bytes=size,
            received_at=received_at.isoformat(),
        )
        return lake.inputs.store_input(self._content, received)

    def _encode_lines(self, file: str, bodies: list[str]) -> bytes:
        """Return lines of ``EXPORT_LINE`` as JSON, put together from pieces: all but two fields are constant."""
        constant_fields = {"user_id": self._user_id, "timezone": self._timezone, "file": file}
        middle = "".join(f', "{name}": {json.dumps(value)}' for name, value in constant_fields.items())
        return "".join(
            f'{{"number": {number}{middle}, "body": {json.dumps(body)}}}\n'
            for number, body in enumerate(bodies, self.row_count + 1)
        ).encode()
