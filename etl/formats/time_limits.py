"""Time limits of events: the earliest and the latest possible time, and the precision of a source."""

from datetime import UTC, datetime, timedelta

SPOTIFY_FOUNDED = datetime(2006, 4, 23, tzinfo=UTC)
"""The day on which Spotify was founded. No play, saved track or playlist item is older.

The limit is not the public launch of October 2008: employees and testers of the closed beta have valid plays and
playlists from before it. The times that a reset clock or an empty field produces (1970, 1980, 2000, 2001) are all
earlier.
"""

EARLIEST_SCROBBLE = datetime(2002, 1, 1, tzinfo=UTC)
"""No play of another service is older: Audioscrobbler, from which Last.fm came, began in 2002. The times of a reset
clock are all earlier."""

CLOCK_TOLERANCE = timedelta(days=1)
"""How much later than its receipt a record may be dated, because clocks differ and some lack a timezone. Records with a
later time are rejected."""

MINUTE_TOLERANCE = timedelta(seconds=120)
"""The largest difference between two sources' end times of one play. The basic export has end times to the minute."""
