"""Column expressions for texts that are JSON."""

from pyspark.sql import Column
from pyspark.sql import functions as F


def replace_null_characters(json_text: Column) -> Column:
    """Replace the escape of U+0000, which PostgreSQL rejects, by that of U+FFFD."""
    return F.replace(json_text, F.lit("\\u0000"), F.lit("\\ufffd"))


def encode_json(value: Column) -> Column:
    """Return an object as received, and any other value, such as a text, as an array of it."""
    is_object = value.rlike(r"^\{[\s\S]*\}$") & F.try_parse_json(value).isNotNull()
    return F.when(value.isNull(), "null").when(is_object, value).otherwise(F.to_json(F.array(value)))
