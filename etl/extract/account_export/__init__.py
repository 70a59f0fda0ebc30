"""Account exports ("Extended streaming history", "Account data") on their way into the lake.

container   the zip file, folder or single file, opened without trusting it
histories   which of its files are read, and what is kept of their records
library     saved tracks, followed artists and playlists as flat records
sample      whether its plays look as if a load could use them
listener    whose plays they are

The lake gets one input a format, JSON lines of ``schemas.events.EXPORT_LINE``, and only where the whole export is good.
All other files (profile, searches, payments, …) are named and never copied.
"""

import gzip
import hashlib
import json
import logging
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any

from etl.errors import WrongFileError
from etl.extract.account_export.container import open_export
from etl.extract.account_export.export_records import BASIC, EXTENDED, ExportRecords, encode_record, read_records
from etl.extract.account_export.library import LIBRARY, PLAYLISTS
from etl.extract.account_export.listener import validate_timezone, validate_user_id
from etl.extract.account_export.play_sample import PlaySample
from etl.formats.contracts.events import EXPORT_LINE
from etl.storage.inputs import Lake, ReceivedInput

log = logging.getLogger(__name__)

ORIGIN = "account_export"
_FORMAT_VERSION = 2
"""Of how records are read. With another one, an export that is imported again is another input and is read anew: what
an earlier version rejected becomes events, all else is duplicates."""
FORMATS = (EXTENDED, BASIC, LIBRARY, PLAYLISTS)


@dataclass(frozen=True)
class ReceivedExport:
    """What came of an import: an input a format, the files and the fields of records that were left out; a warning if
    a load will reject most of its plays."""

    inputs: list[ReceivedInput]
    files_read: list[str]
    skipped_files: list[str]
    skipped_fields: list[str]
    warning: str | None = None


def receive_export(path: str, user_id: str, timezone: str, lake: Lake, received_at: datetime) -> ReceivedExport:
    """Check an export and keep its plays, saved tracks and playlists in the lake.

    :param path: the zip file that Spotify sent, a folder of what it holds, or one of the files.
    :param user_id: whose plays they are, as dim_user has it.
    :param timezone: an IANA name: the place by whose clock this listener lives.
    :param received_at: with a timezone; noted with the inputs.
    :returns: the lake's notes; where the same plays of the same listener are there already, the earlier ones.
    :raises WrongFileError: where a file is broken, there are no plays, or a load would reject nearly all of them;
        nothing is kept.
    :raises ActionNeededError: where user or timezone is none, or a file cannot be read.
    """
    user, zone = validate_user_id(user_id), validate_timezone(timezone)
    sample = PlaySample(received_at)
    with ExitStack() as stack:
        drafts = {name: stack.enter_context(_InputDraft(name, user, zone, sample)) for name in FORMATS}
        files_read, skipped_files, skipped_fields = _sort_files(path, drafts)
        non_empty_drafts = [draft for draft in drafts.values() if draft.row_count]
        if not non_empty_drafts:
            raise WrongFileError(_describe_missing_plays(files_read, skipped_files))
        warning = sample.build_warning()
        inputs = [draft.store_input(lake, received_at) for draft in non_empty_drafts]
    log.info("%d files read, %d left out: %s", len(files_read), len(skipped_files), ", ".join(skipped_files) or "none")
    log.info("Fields left out of the records: %s", ", ".join(skipped_fields) or "none")
    if warning:
        log.warning("%s", warning)
    return ReceivedExport(inputs, files_read, skipped_files, skipped_fields, warning)


def _sort_files(path: str, drafts: dict[str, "_InputDraft"]) -> tuple[list[str], list[str], list[str]]:
    """Write the records of all files into the drafts; the files read, those left out, the fields left out."""
    files_read: list[str] = []
    skipped_files: list[str] = []
    skipped_fields: set[str] = set()
    with open_export(path) as export_files:
        for export_file in export_files:
            export_records = read_records(export_file, is_alone=len(export_files) == 1)
            if export_records is None:
                skipped_files.append(export_file.name)
                continue
            drafts[export_records.format].add_records(export_file.name, export_records)
            skipped_fields |= export_records.skipped_fields
            files_read.append(export_file.name)
    return files_read, skipped_files, sorted(skipped_fields)[:100]


def _describe_missing_plays(files_read: list[str], skipped_files: list[str]) -> str:
    if files_read:
        return f"The export holds no plays: nothing is in {', '.join(files_read[:5])}. Ask Spotify for it again."
    names = ", ".join(skipped_files[:5]) or "no files at all"
    return (
        f"There is no streaming history here (there is: {names}). Ask Spotify for the extended streaming history or "
        "for the account data, and import the zip file that it sends."
    )


class _InputDraft:
    """The lines of one format, on disk until the whole export has proved good."""

    def __init__(self, format_name: str, user_id: str, timezone: str, sample: PlaySample) -> None:
        self._format, self._user_id, self._timezone, self._sample = format_name, user_id, timezone, sample
        self._content: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 closed by __exit__
        # Neither name nor time in gzip's header: equal plays are equal bytes.
        self._gzip = gzip.GzipFile(filename="", mode="wb", compresslevel=3, fileobj=self._content, mtime=0)
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
        for record in records:
            self.row_count += 1
            body = encode_record(record, fields)
            # Names may hold halves of surrogate pairs, which UTF-8 has no bytes for.
            self._digest.update(b"\n" + body.encode("utf-8", "surrogatepass"))
            self._gzip.write(self._encode_line(file, body))

    def store_input(self, lake: Lake, received_at: datetime) -> ReceivedInput:
        """Bring the lines into the lake; the same records of the same listener are the same input."""
        self._gzip.close()
        size = self._content.tell()
        self._content.seek(0)
        name, input_id = f"{self._format}.jsonl.gz", self._digest.hexdigest()[:16]
        received = ReceivedInput(
            input_id=input_id,
            origin=ORIGIN,
            name=name,
            format=self._format,
            encoding="utf-8",
            delimiter="",
            columns=tuple(EXPORT_LINE.fieldNames()),
            row_count=self.row_count,
            size_bytes=size,
            received_at=received_at.isoformat(),
            url=lake.build_input_url(ORIGIN, input_id, name),
        )
        return lake.store_input(self._content, received)

    def _encode_line(self, file: str, body: str) -> bytes:
        line: dict[str, Any] = {
            "number": self.row_count,
            "user_id": self._user_id,
            "timezone": self._timezone,
            "file": file,
            "body": body,
        }
        return json.dumps(line).encode() + b"\n"
