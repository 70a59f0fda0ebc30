"""The step that imports an account export, and the reader of the imported lines."""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from etl import database
from etl.errors import EtlError
from etl.extract.account_export import receive_export
from etl.formats.contracts.events import EXPORT_LINE
from etl.settings import Settings
from etl.storage.full_disk import explain_full_disk
from etl.storage.inputs import ReceivedInput, extract_input_id
from etl.storage.lake import Lake

log = logging.getLogger(__name__)


def import_export(
    path: str, user_id: str, timezone: str, settings: Settings, received_at: datetime, run_id: str | None = None
) -> dict[str, Any]:
    """Bring the plays, saved tracks and playlists of one account export into the lake.

    :param run_id: the run under which the audit stores the message of a failure until a later try succeeds; None: the
        audit stores no message.
    :returns: name, format, row_count and input_id of each input; the names of skipped files and fields; a warning if a
        load will reject most of the plays.
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
    if run_id is not None:
        with database.connect(settings.warehouse_url) as connection:
            database.delete_failure(connection, run_id)
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
        **({"warning": export.warning} if export.warning else {}),
    }


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
