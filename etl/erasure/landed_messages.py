"""Rejected messages of a topic without a data subject: the rows of the audit, and the dead letters to be sent.

A rejected message may be undecodable. So it belongs to a data subject if its key is their id, or if their id is
anywhere among the bytes of its value.
"""

import base64
import io
import json
from collections.abc import Collection, Iterable

import pyarrow as pa
import pyarrow.parquet

from etl.erasure.data_subject import DataSubject
from etl.storage.lake import Lake
from etl.storage.landed_files import REJECTED_SUFFIX, list_landed_topics


def erase_from_landed_topics(lake: Lake, data_subject: DataSubject) -> None:
    """Remove the data subject's rejected messages that are in no input yet, and their dead letters that are not sent.

    Call it within ``lock_landed_files``. Accepted messages must be in inputs already; the landing process filters later
    ones.
    """
    for landed in list_landed_topics(lake.url):
        for path in landed.find_files(REJECTED_SUFFIX):
            erase_from_rejected_file(lake, path, data_subject.user_ids)
        for partition in landed.list_partitions():
            for offsets in landed.list_dead_letters(partition):
                try:
                    letters = landed.read_dead_letters(offsets)
                except FileNotFoundError:  # The landing process has sent them meanwhile.
                    continue
                pairs = zip(letters["key"].to_pylist(), letters["value"].to_pylist(), strict=True)
                remaining = _filter_table(letters, pairs, data_subject.user_ids)
                if len(remaining) < len(letters):
                    landed.replace_dead_letters(offsets, remaining)


def erase_from_rejected_file(lake: Lake, path: str, user_ids: Collection[str]) -> bool:
    """Remove users' rows from a file of rejected messages; return whether there were any.

    :param path: of the file, without protocol.
    """
    rows = lake.inputs.read_parquet(path)
    documents = [json.loads(row) for row in rows["row"].to_pylist()]
    pairs = (
        ((document["key"] or "").encode(), base64.b64decode(document["value_base64"] or "")) for document in documents
    )
    remaining = _filter_table(rows, pairs, user_ids)
    if len(remaining) == len(rows):
        return False
    target = io.BytesIO()
    pyarrow.parquet.write_table(remaining, target)
    lake.inputs.replace_file(path, [target.getvalue()])
    return True


def _filter_table(
    table: pa.Table, pairs: Iterable[tuple[bytes | None, bytes | None]], user_ids: Collection[str]
) -> pa.Table:
    """Return the rows of other users.

    :param pairs: the key and the value of each row's message.
    """
    encoded_ids = [user_id.encode() for user_id in user_ids]
    is_remaining = [
        key not in encoded_ids and not any(encoded_id in (value or b"") for encoded_id in encoded_ids)
        for key, value in pairs
    ]
    return table.filter(pa.array(is_remaining, pa.bool_()))
