"""The id of an event, computed alike for all sources."""

import numpy as np
import pyarrow as pa

from etl.engines.datafusion import TableSession

_ID_BYTES = 16
_TIME_BYTES = 6
_HASH_QUERY = """
    select digest(
        concat_ws('\u0001', source, user_id, cast(arrow_cast(event_time, 'Int64') as string), identity), 'md5'
    ) as hash
    from rows
"""


def add_event_ids(rows: pa.Table) -> pa.Table:
    """Return rows of ``EVENT_ROW`` with an ``event_id`` in place of ``identity``.

    The id has 128 bits, in 16 bytes: the milliseconds of event_time (48), the version digit of a custom UUID (4), and a
    hash of source, user, time and identity (76). So the same event gets the same id in every load.
    """
    hashes = TableSession(rows=rows).collect_table(_HASH_QUERY)["hash"].combine_chunks()
    ids = np.frombuffer(hashes.buffers()[2], np.uint8, len(rows) * _ID_BYTES).reshape(-1, _ID_BYTES).copy()
    milliseconds = rows["event_time"].cast(pa.int64()).to_numpy() // 1000
    ids[:, :_TIME_BYTES] = milliseconds.astype(">i8").view(np.uint8).reshape(-1, 8)[:, 2:]
    ids[:, _TIME_BYTES] = 0x80 | (ids[:, _TIME_BYTES] & 0x0F)
    event_ids = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(_ID_BYTES), len(rows), [None, pa.py_buffer(ids.tobytes())]
    )
    return rows.drop_columns("identity").append_column("event_id", event_ids.cast(pa.binary()))
