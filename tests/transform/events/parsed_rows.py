"""Rows of events for tests, with defaults for all fields that a test does not set."""

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
from pyspark.sql.pandas.types import to_arrow_schema

from etl.formats.contracts.events import EVENT_ROW

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
_DEFAULT = {
    "input_id": "in",
    "source": "feed",
    "identity": "id e1",
    "user_id": "u1",
    "event_time": NOON,
    "activity_type": "PLAY",
    "track_id": "t1",
    "artist_id": "a1",
}


def make_event_rows(*rows: dict[str, Any], **same: Any) -> pa.Table:
    """Return a table of ``EVENT_ROW``: by default plays of t1 by u1 at NOON; ``same`` sets fields of all rows."""
    return pa.Table.from_pylist([{**_DEFAULT, **same, **row} for row in rows], to_arrow_schema(EVENT_ROW))
