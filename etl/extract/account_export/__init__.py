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
from etl.extract.account_export.container import opened
from etl.extract.account_export.histories import BASIC, EXTENDED, History, body, history
from etl.extract.account_export.library import LIBRARY, PLAYLISTS
from etl.extract.account_export.listener import checked_timezone, checked_user
from etl.extract.account_export.sample import Sample
from etl.lake import Lake, Received
from etl.schemas.events import EXPORT_LINE

log = logging.getLogger(__name__)

ORIGIN = "account_export"
_VERSION = 2
"""Of how records are read. With another one, an export that is imported again is another input and is read anew: what
an earlier version rejected becomes events, all else is duplicates."""
FORMATS = (EXTENDED, BASIC, LIBRARY, PLAYLISTS)


@dataclass(frozen=True)
class ReceivedExport:
    """What came of an import: an input a format, the files and the fields of records that were left out; a warning if
    a load will reject most of its plays."""

    inputs: list[Received]
    files_read: list[str]
    files_left_out: list[str]
    fields_left_out: list[str]
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
    user, zone = checked_user(user_id), checked_timezone(timezone)
    sample = Sample(received_at)
    with ExitStack() as stack:
        drafts = {name: stack.enter_context(_Draft(name, user, zone, sample)) for name in FORMATS}
        read, left_out, other_fields = _sort(path, drafts)
        filled = [draft for draft in drafts.values() if draft.row_count]
        if not filled:
            raise WrongFileError(_nothing_found(read, left_out))
        warning = sample.warning()
        inputs = [draft.receive(lake, received_at) for draft in filled]
    log.info("%d files read, %d left out: %s", len(read), len(left_out), ", ".join(left_out) or "none")
    log.info("Fields left out of the records: %s", ", ".join(other_fields) or "none")
    if warning:
        log.warning("%s", warning)
    return ReceivedExport(inputs, read, left_out, other_fields, warning)


def _sort(path: str, drafts: dict[str, "_Draft"]) -> tuple[list[str], list[str], list[str]]:
    """Write the records of all files into the drafts; the files read, those left out, the fields left out."""
    read: list[str] = []
    left_out: list[str] = []
    other_fields: set[str] = set()
    with opened(path) as members:
        for member in members:
            found = history(member, is_alone=len(members) == 1)
            if found is None:
                left_out.append(member.name)
                continue
            drafts[found.format].add(member.name, found)
            other_fields |= found.fields_left_out
            read.append(member.name)
    return read, left_out, sorted(other_fields)[:100]


def _nothing_found(read: list[str], left_out: list[str]) -> str:
    if read:
        return f"The export holds no plays: nothing is in {', '.join(read[:5])}. Ask Spotify for it again."
    names = ", ".join(left_out[:5]) or "no files at all"
    return (
        f"There is no streaming history here (there is: {names}). Ask Spotify for the extended streaming history or "
        "for the account data, and import the zip file that it sends."
    )


class _Draft:
    """The lines of one format, on disk until the whole export has proved good."""

    def __init__(self, format_name: str, user_id: str, timezone: str, sample: Sample) -> None:
        self._format, self._user_id, self._timezone, self._sample = format_name, user_id, timezone, sample
        self._content: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 closed by __exit__
        # Neither name nor time in gzip's header: equal plays are equal bytes.
        self._packed = gzip.GzipFile(filename="", mode="wb", compresslevel=3, fileobj=self._content, mtime=0)
        self._digest = hashlib.sha256(json.dumps([_VERSION, format_name, user_id, timezone]).encode())
        self.row_count = 0

    def __enter__(self) -> "_Draft":
        return self

    def __exit__(self, *_: object) -> None:
        self._packed.close()
        self._content.close()

    def add(self, file: str, found: History) -> None:
        """Write the records of a file."""
        fields, records = found.fields, found.known_records()
        self._sample.add(self._format, file, records)
        for record in records:
            self.row_count += 1
            kept = body(record, fields)
            # Names may hold halves of surrogate pairs, which UTF-8 has no bytes for.
            self._digest.update(b"\n" + kept.encode("utf-8", "surrogatepass"))
            self._packed.write(self._line(file, kept))

    def receive(self, lake: Lake, received_at: datetime) -> Received:
        """Bring the lines into the lake; the same records of the same listener are the same input."""
        self._packed.close()
        size = self._content.tell()
        self._content.seek(0)
        name, input_id = f"{self._format}.jsonl.gz", self._digest.hexdigest()[:16]
        received = Received(
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
            url=lake.input_url(ORIGIN, input_id, name),
        )
        return lake.receive(self._content, received)

    def _line(self, file: str, kept: str) -> bytes:
        line: dict[str, Any] = {
            "number": self.row_count,
            "user_id": self._user_id,
            "timezone": self._timezone,
            "file": file,
            "body": kept,
        }
        return json.dumps(line).encode() + b"\n"
