"""The step of an account import, and the reading of what it brought."""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from etl import warehouse
from etl.config import Settings
from etl.errors import EtlError
from etl.extract.account_export import receive_export
from etl.full_disk import explained_full_disk
from etl.lake import Lake, Received, input_id_of_line
from etl.schemas.events import EXPORT_LINE

log = logging.getLogger(__name__)


def import_export(
    path: str, user_id: str, timezone: str, settings: Settings, received_at: datetime, run_id: str | None = None
) -> dict[str, Any]:
    """Bring the plays, saved tracks and playlists of one account export into the lake.

    :param run_id: the run in whose name the audit keeps the sentence of a failure, until a later try succeeds; None
        keeps none.
    :returns: name, format, row_count and input_id of each input; the names of files and fields left out; a warning if a
        load will reject most of the plays.
    :raises EtlError: as ``extract.account_export.receive_export`` does.
    """
    try:
        with explained_full_disk(settings):
            export = receive_export(path, user_id, timezone, Lake(settings.lake_url), received_at)
    except EtlError as error:
        if run_id is not None:
            with warehouse.connect(settings.warehouse_url) as connection:
                warehouse.record_failure(connection, run_id, "account_import", received_at, str(error))
        raise
    if run_id is not None:
        with warehouse.connect(settings.warehouse_url) as connection:
            warehouse.take_back_failure(connection, run_id)
    for one in export.inputs:
        log.info("%s: %d records, kept as input %s.", one.format, one.row_count, one.input_id)
    return {
        "inputs": [
            {"name": one.name, "format": one.format, "row_count": one.row_count, "input_id": one.input_id}
            for one in export.inputs
        ],
        "files_read": len(export.files_read),
        "files_left_out": export.files_left_out,
        "fields_left_out": export.fields_left_out,
        **({"warning": export.warning} if export.warning else {}),
    }


def read_lines(spark: SparkSession, inputs: Sequence[Received]) -> DataFrame:
    """The lines of inputs of one format: ``EXPORT_LINE``, input_id and received_at."""
    lines = spark.read.schema(EXPORT_LINE).option("mode", "FAILFAST").json([one.url for one in inputs])
    received = spark.createDataFrame(
        [(one.input_id, datetime.fromisoformat(one.received_at)) for one in inputs],
        "input_id string, received_at timestamp",
    )
    return lines.withColumn("input_id", input_id_of_line()).join(F.broadcast(received), on="input_id", how="inner")
