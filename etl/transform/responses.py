"""Survey rows, made the frames that the load takes."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from etl.formats.contracts import STAGED


def build_survey_frames(survey_rows: DataFrame) -> dict[str, DataFrame]:
    """The responses of all current inputs.

    :param survey_rows: accepted rows of ``SURVEY_ROW``.
    :returns: frames of ``STAGED`` by name: survey_response, one row a response_id, and the input_key of responses.
    """
    columns = STAGED["survey_response"].fieldNames()
    keys = survey_rows.select("input_id", F.lit("survey_response").alias("key_kind"), F.col("response_id").alias("key"))
    return {
        # Equal ids are equal answers, so it does not matter which row is kept.
        "survey_response": survey_rows.select(*columns).dropDuplicates(["response_id"]),
        "input_key": keys.groupBy("input_id", "key_kind", "key").agg(F.count(F.lit(1)).alias("row_count")),
    }
