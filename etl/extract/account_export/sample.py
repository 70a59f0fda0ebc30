"""Whether plays look as if a load could use them, by some of them: a warning at the import, not in the load.

The rules are those of the load that reject whole exports: no time or an impossible one, no length, no names. Of each
record a load judges all of its rules.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from etl.errors import WrongFileError
from etl.limits import SPOTIFY_FOUNDED

_FIRST_RECORDS, _EVERY = 100, 16
"""All of the first records of a file are looked at, and one in so many of the others."""
_FEWEST = 20
_NEARLY_ALL = 0.95
_MOST = 0.5
_TIME = re.compile(r"\s*([0-9]{4}-[0-9]{2}-[0-9]{2})[T ][0-9]{2}:[0-9]{2}")
_WHOLE = re.compile(r"\s*[0-9]{1,18}(\.0+)?\s*")
_FIRST_DAY = f"{SPOTIFY_FOUNDED:%Y-%m-%d}"
_LONGEST_PLAY_MS = 24 * 60 * 60 * 1000
_FIELDS = {"extended_export": ("ts", "ms_played"), "basic_export": ("endTime", "msPlayed")}
_MUSIC, _SPOKEN = ("trackName", "artistName"), ("podcastName", "episodeName", "audiobookName", "chapterName")


@dataclass
class Sample:
    """The records of plays that were looked at."""

    imported_at: datetime
    looked_at: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    example: str = ""

    def add(self, format_name: str, file: str, records: list[Any]) -> None:
        """Look at some records of a file of plays."""
        if format_name not in _FIELDS:
            return
        for record in (*records[:_FIRST_RECORDS], *records[_FIRST_RECORDS::_EVERY]):
            self.looked_at += 1
            reason = self._reason(format_name, record)
            if reason:
                self.reasons[reason] += 1
                self.example = self.example or file

    def warning(self) -> str | None:
        """Return what to say of plays of which most would be rejected.

        :raises WrongFileError: if nearly all of them would be.
        """
        rejected = self.reasons.total()
        if not rejected or rejected <= _MOST * self.looked_at:
            return None
        reasons = ", ".join(f"{reason} ({count:,})" for reason, count in self.reasons.most_common(3))
        message = (
            f"Of {self.looked_at:,} plays looked at, {rejected:,} would be rejected: {reasons}; the first stands in "
            f"{self.example}. Take the files as Spotify sent them; if they are, Spotify has changed its format."
        )
        if self.looked_at >= _FEWEST and rejected >= _NEARLY_ALL * self.looked_at:
            raise WrongFileError(f"{message} Nothing was imported.")
        return message

    def _reason(self, format_name: str, record: Any) -> str | None:
        if not isinstance(record, dict):
            return "record is no object"
        time_field, length_field = _FIELDS[format_name]
        length = str(record.get(length_field))
        if not _WHOLE.fullmatch(length) or float(length) > _LONGEST_PLAY_MS:
            return f"{length_field} is no possible length"
        found = _TIME.match(str(record.get(time_field)))
        last_day = (self.imported_at.astimezone(UTC) + timedelta(days=1)).date().isoformat()
        if not found or not _FIRST_DAY <= found[1] <= last_day:
            return f"{time_field} is no possible time"
        if format_name == "basic_export" and not record.keys() & set(_SPOKEN):
            missing = [name for name in _MUSIC if not record.get(name)]
            return f"{missing[0]} is missing" if missing else None
        return None
