"""A sample of an export's plays, validated at the import, so that a warning does not wait for the load.

The rules are those that reject whole exports: a missing or impossible time, a missing length, missing names. The load
validates every record by all of its rules.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from etl.errors import WrongFileError
from etl.formats.service_exports import APPLE_MUSIC, SERVICE_FORMATS
from etl.formats.time_limits import SPOTIFY_FOUNDED

_HEAD_SIZE, _SAMPLING_INTERVAL = 100, 16
"""The sample has the first records of a file, and one in so many of the others."""
_MIN_RECORDS_TO_REJECT = 20
_REJECT_FRACTION = 0.95
_WARN_FRACTION = 0.5
_TIME = re.compile(r"\s*([0-9]{4}-[0-9]{2}-[0-9]{2})[T ][0-9]{2}:[0-9]{2}")
_SERVICE_TIME = re.compile(r"\d{9,16}(\.\d+)?|(?=.*\d{4}).*\d{1,2}:\d{2}.*", re.DOTALL)
_WHOLE_NUMBER = re.compile(r"\s*[0-9]{1,18}(\.0+)?\s*")
_EARLIEST_DATE = f"{SPOTIFY_FOUNDED:%Y-%m-%d}"
_MAX_PLAY_MS = 24 * 60 * 60 * 1000
_TIME_AND_LENGTH_FIELDS = {"extended_export": ("ts", "ms_played"), "basic_export": ("endTime", "msPlayed")}
_MUSIC_FIELDS, _SPOKEN_FIELDS = (
    ("trackName", "artistName"),
    ("podcastName", "episodeName", "audiobookName", "chapterName"),
)


@dataclass
class PlaySample:
    """The sampled plays and the reasons to reject some of them."""

    imported_at: datetime
    sampled_count: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    example_file: str = ""

    def add_records(self, format_name: str, file: str, records: list[Any]) -> None:
        """Add some records of a file of plays."""
        if format_name not in _TIME_AND_LENGTH_FIELDS and format_name not in SERVICE_FORMATS:
            return
        for record in (*records[:_HEAD_SIZE], *records[_HEAD_SIZE::_SAMPLING_INTERVAL]):
            self.sampled_count += 1
            reason = self._find_rejection_reason(format_name, record)
            if reason:
                self.reasons[reason] += 1
                self.example_file = self.example_file or file

    def build_warning(self) -> str | None:
        """Return a warning if most plays would be rejected, else None.

        :raises WrongFileError: if nearly all of them would be.
        """
        rejected = self.reasons.total()
        if not rejected or rejected <= _WARN_FRACTION * self.sampled_count:
            return None
        reasons = ", ".join(f"{reason} ({count:,})" for reason, count in self.reasons.most_common(3))
        message = (
            f"Of {self.sampled_count:,} sampled plays, {rejected:,} would be rejected: {reasons}; the first is in "
            f"{self.example_file}. Take the files as the service sent them; if they are, it has changed its format."
        )
        if self.sampled_count >= _MIN_RECORDS_TO_REJECT and rejected >= _REJECT_FRACTION * self.sampled_count:
            raise WrongFileError(f"{message} Nothing was imported.")
        return message

    def _find_rejection_reason(self, format_name: str, record: Any) -> str | None:
        if not isinstance(record, dict):
            return "record is no object"
        if format_name in SERVICE_FORMATS:
            return _find_service_rejection_reason(format_name, record)
        time_field, length_field = _TIME_AND_LENGTH_FIELDS[format_name]
        length = str(record.get(length_field))
        if not _WHOLE_NUMBER.fullmatch(length) or float(length) > _MAX_PLAY_MS:
            return f"{length_field} is no possible length"
        match = _TIME.match(str(record.get(time_field)))
        latest_date = (self.imported_at.astimezone(UTC) + timedelta(days=1)).date().isoformat()
        if not match or not _EARLIEST_DATE <= match[1] <= latest_date:
            return f"{time_field} is no possible time"
        if format_name == "basic_export" and not record.keys() & set(_SPOKEN_FIELDS):
            missing = [name for name in _MUSIC_FIELDS if not record.get(name)]
            return f"{missing[0]} is missing" if missing else None
        return None


def _find_service_rejection_reason(format_name: str, record: dict[str, Any]) -> str | None:
    time = str(record.get("played_at") or record.get("ended_at") or "")
    if "problem" in record:
        return str(record["problem"])
    if not _SERVICE_TIME.fullmatch(time.strip()):
        return "time of the play is no date and time" if time else "time of the play is missing"
    is_known = "spotify_id" in record or "isrc" in record
    names = ("track",) if format_name == APPLE_MUSIC else ("track", "artist")
    missing = [name for name in names if not record.get(name) and not is_known]
    return f"{missing[0]} is missing" if missing else None
