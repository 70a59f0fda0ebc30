"""Actual plays of listeners, from which tests derive the reports of each source."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class ActualPlay:
    """A play of one of the ids of a song, with its listening time and its pause."""

    song: int
    variant: int
    started_at: datetime
    heard: timedelta
    paused: timedelta

    @property
    def ended_at(self) -> datetime:
        """Return when the play ended, pauses included."""
        return self.started_at + self.heard + self.paused

    @property
    def track_id(self) -> str:
        """Return the id by which the song was played."""
        return f"{1000 + 10 * self.song + self.variant:022}"

    @property
    def title(self) -> str:
        """Return the title that all ids of the song share."""
        return f"Song {self.song}"
