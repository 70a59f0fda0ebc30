"""Limits that several parts share: when something can have happened at all, and how exactly a source knows it."""

from datetime import UTC, datetime, timedelta

SPOTIFY_FOUNDED = datetime(2006, 4, 23, tzinfo=UTC)
"""The day on which Spotify was founded. No play, saved track or playlist item is older.

Not the public launch of October 2008: employees and testers of the closed beta have plays and playlists from before
it, and those are true. The times that a reset clock or an empty field leaves (1970, 1980, 2000, 2001) are all earlier.
"""

CLOCK_TOLERANCE = timedelta(days=1)
"""How much later than its receipt a record may be dated: clocks differ, and some lack a timezone. What is dated later
has not happened."""

MINUTE_TOLERANCE = timedelta(seconds=120)
"""How far apart two sources date the end of one play of which one, the basic export, knows the minute alone."""
