"""Extended histories in a lake, parsed as a load parses them."""

from collections.abc import Sequence

import pyarrow as pa
from pyspark.sql import SparkSession
from pyspark.sql.pandas.types import to_arrow_schema

from etl.formats.contracts import REJECTED_ROW
from etl.formats.contracts.events import EVENT_ROW
from etl.jobs.event_files import parse_extended_histories
from etl.storage.inputs import ReceivedInput
from etl.transform.validation import ValidationResult


def parse_extended_inputs(spark: SparkSession, inputs: Sequence[ReceivedInput]) -> ValidationResult:
    """Return the rows of inputs as frames."""
    accepted, rejected = [to_arrow_schema(EVENT_ROW).empty_table()], [to_arrow_schema(REJECTED_ROW).empty_table()]
    for rows, rejected_rows in parse_extended_histories(inputs):
        accepted += [rows] if rows is not None else []
        rejected += [rejected_rows] if rejected_rows is not None else []
    return ValidationResult(
        spark.createDataFrame(pa.concat_tables(accepted), EVENT_ROW),
        spark.createDataFrame(pa.concat_tables(rejected), REJECTED_ROW),
    )
