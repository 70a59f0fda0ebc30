"""What all synthetic inputs share."""

from datetime import UTC, datetime

RECEIVED_AT = datetime(2026, 11, 21, tzinfo=UTC)


def make_id(number: int) -> str:
    """Return an id of the form of a Spotify id."""
    return f"{number:022d}"
