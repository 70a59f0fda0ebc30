"""Users that feeds describe: each version once, and the counts of the records that describe them."""

import pyarrow as pa

from etl.engines.datafusion import TableSession
from etl.formats.contracts import EVENTS

# A version of a user is one (user_id, valid_from): further records of it are counted as repeated.
_COUNT_QUERY = """
    select r.input_id, r.row_count as rows_accepted, r.row_count - u.row_count as rows_repeated
    from (select input_id, count(*) as row_count from rows group by input_id) as r
    inner join (
        select input_id, count(*) as row_count
        from (select distinct input_id, user_id, valid_from from rows) as distinct_versions
        group by input_id
    ) as u on u.input_id = r.input_id
"""


def merge_user_records(rows: pa.Table) -> dict[str, pa.Table]:
    """Return the frames ``user_record`` and ``event_count`` of ``EVENTS``.

    :param rows: rows of ``USER_ROW`` of all files of a load.
    """
    tables = TableSession(rows=rows)
    columns = ", ".join(EVENTS["user_record"].names)
    return {
        "user_record": tables.collect_table(f"select distinct {columns} from rows"),  # noqa: S608 (columns of a schema)
        "event_count": tables.collect_table(_COUNT_QUERY),
    }
