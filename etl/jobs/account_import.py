"""The step that imports an account export, and the reader of the imported lines."""

import json
import logging
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import fsspec
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from etl import database
from etl.errors import EtlError
from etl.extract.account_export import ORIGIN, receive_export
from etl.formats.contracts.events import EXPORT_LINE
from etl.formats.service_exports import SPOTIFY_TRACK
from etl.settings import Settings
from etl.storage.full_disk import explain_full_disk
from etl.storage.inputs import ReceivedInput, extract_input_id
from etl.storage.lake import Lake

log = logging.getLogger(__name__)

_ID_FIELDS = ("spotify_id", "spotify_track_uri")
_HAS_FEED_EVENTS = """
    select exists (
        select 1
        from warehouse.fact_event as e
        inner join warehouse.dim_user as u on u.user_key = e.user_key
        where u.user_id = :user_id and e.source = 'feed'
    ) as has_feed_events
"""
_FEED_WARNING = (
    "The user has events of a feed, which are not matched with imported plays: a play that both report, such as one "
    "that bin/export-history wrote, counts twice. Import under another id if that is not wanted."
)
_KNOWN_ISRCS = """
    select distinct alias_value as isrc
    from warehouse.track_alias
    where alias_kind = 'isrc' and alias_value = any(:isrcs)
"""


def import_export(
    path: str, user_id: str, timezone: str, settings: Settings, received_at: datetime, run_id: str | None = None
) -> dict[str, Any]:
    """Bring the plays, saved tracks and playlists of one account export into the lake.

    :param run_id: the run under which the audit stores the message of a failure until a later try succeeds; None: the
        audit stores no message.
    :returns: name, format, row_count and input_id of each input; the names of skipped files and fields; the counts of
        skipped records, by reason, if there are any; a warning if a load will reject most of the
        plays, titles are doubtful, or the user has events of a feed.
    :raises EtlError: as ``extract.account_export.receive_export`` does.
    """
    try:
        with explain_full_disk(settings):
            export = receive_export(path, user_id, timezone, Lake(settings.lake_url), received_at)
    except EtlError as error:
        if run_id is not None:
            with database.connect(settings.warehouse_url) as connection:
                database.record_failure(connection, run_id, "account_import", received_at, str(error))
        raise
    warnings = [export.warning]
    if run_id is not None:
        with database.connect(settings.warehouse_url) as connection:
            database.delete_failure(connection, run_id)
        warnings.append(find_feed_warning(user_id, settings))
    warning = " ".join(text for text in warnings if text)
    for received_input in export.inputs:
        log.info(
            "%s: %d records, stored as input %s.",
            received_input.format,
            received_input.row_count,
            received_input.input_id,
        )
    return {
        "inputs": [
            {
                "name": received_input.name,
                "format": received_input.format,
                "row_count": received_input.row_count,
                "input_id": received_input.input_id,
            }
            for received_input in export.inputs
        ],
        "files_read": len(export.files_read),
        "files_left_out": export.skipped_files,
        "fields_left_out": export.skipped_fields,
        **({"records_left_out": export.skipped_records} if export.skipped_records else {}),
        **({"warning": warning} if warning else {}),
    }


def find_feed_warning(user_id: str, settings: Settings) -> str | None:
    """Return a warning if the user has events of a feed, which would count twice beside imported ones."""
    with database.connect(settings.warehouse_url) as connection:
        (row,) = database.fetch_rows(connection, _HAS_FEED_EVENTS, user_id=user_id.strip())
    return _FEED_WARNING if row["has_feed_events"] else None


def count_identifiers(input_ids: Collection[str], settings: Settings) -> dict[str, int]:
    """Return by what the records of plays in imported inputs find their tracks: id, ISRC or name.

    An ISRC counts if the catalogue has it; a record with an unknown one finds its track by name.
    """
    inputs = Lake(settings.lake_url).inputs.find_inputs([ORIGIN], lambda _origin, input_id: input_id in input_ids)
    counts, isrcs = Counter({"id": 0, "isrc": 0, "name": 0}), Counter[str]()
    for received_input in inputs:
        if received_input.format in ("library_export", "playlist_export"):
            continue
        with fsspec.open(received_input.url, "rt", compression="gzip", encoding="utf-8") as lines:
            for line in lines:
                record = json.loads(json.loads(line)["body"])
                if not isinstance(record, dict):
                    continue
                if any(SPOTIFY_TRACK.search(str(record.get(name))) for name in _ID_FIELDS):
                    counts["id"] += 1
                elif record.get("isrc"):
                    isrcs[record["isrc"].upper().replace("-", "").replace(" ", "")] += 1
                else:
                    counts["name"] += 1
    with database.connect(settings.warehouse_url) as connection:
        known_isrcs = {str(row["isrc"]) for row in database.fetch_rows(connection, _KNOWN_ISRCS, isrcs=list(isrcs))}
    for isrc, count in isrcs.items():
        counts["isrc" if isrc in known_isrcs else "name"] += count
    return dict(counts)


def read_export_lines(spark: SparkSession, inputs: Sequence[ReceivedInput]) -> DataFrame:
    """Return the lines of inputs of one format: the columns of ``EXPORT_LINE``, input_id and received_at.

    A line that is no JSON object of that schema raises: the import wrote the lines itself.
    """
    lines = (
        spark.read.schema(EXPORT_LINE)
        .option("mode", "FAILFAST")
        .json([received_input.url for received_input in inputs])
    )
    received_times = spark.createDataFrame(
        [(received_input.input_id, datetime.fromisoformat(received_input.received_at)) for received_input in inputs],
        "input_id string, received_at timestamp",
    )
    return lines.withColumn("input_id", extract_input_id()).join(
        F.broadcast(received_times), on="input_id", how="inner"
    )
