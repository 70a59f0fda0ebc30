"""The frames of the survey, built from its accepted rows."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from etl.formats.contracts import STAGED


def build_survey_frames(survey_rows: DataFrame) -> dict[str, DataFrame]:
    """Return the frames of ``STAGED`` by name: survey_response (one row a response_id), and input_key of the responses.

    :param survey_rows: accepted rows of ``SURVEY_ROW`` of all current inputs.
    """
    columns = STAGED["survey_response"].fieldNames()
    keys = survey_rows.select("input_id", F.lit("survey_response").alias("key_kind"), F.col("response_id").alias("key"))
    return {
        # Equal ids are equal responses, so any of the rows will do.
        "survey_response": survey_rows.select(*columns).dropDuplicates(["response_id"]),
        "input_key": keys.groupBy("input_id", "key_kind", "key").agg(F.count(F.lit(1)).alias("row_count")),
    }
