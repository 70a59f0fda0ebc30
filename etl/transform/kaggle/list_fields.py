"""Lists parsed from a field's text: joined by a delimiter, or written as a Python list literal."""

from pyspark.sql import Column
from pyspark.sql import functions as F

from etl.formats.kaggle.column_rules import MAX_TEXT_LENGTH
from etl.transform.kaggle.fields import Field, define_column, present_text, trim_blanks, trimmed_text
from etl.transform.validation import Rule

_TOO_LONG_MESSAGE = f"holds a text longer than {MAX_TEXT_LENGTH} characters"
_JSON_STRINGS = "array<string>"
_STRING_TOKEN = "'[^']*'|\"[^\"]*\""
# Noncharacters replace escaped characters while the literal is cut into strings; no text has them.
_ESCAPED_BACKSLASH, _ESCAPED_APOSTROPHE, _ESCAPED_QUOTE = "\ufdd1", "\ufdd2", "\ufdd3"


def split_text(column: str, delimiter: str = ";") -> Column:
    """Split a text, trim the items and drop empty ones; return NULL if the text is missing."""
    return _split_items(present_text(column), delimiter)


def split_answers(column: str) -> Column:
    """Split the responses to a question of the survey, where "None" is a valid response."""
    return _split_items(trimmed_text(column), ",")


def single_item_list(column: str) -> Field:
    """Return a list of the field's one text; NULL if it is missing."""
    value = present_text(column)
    is_long = Rule(F.length(value) > MAX_TEXT_LENGTH, _TOO_LONG_MESSAGE)
    return Field(column, F.when(value.isNotNull(), F.array_compact(F.array(value))), (is_long,))


def parse_list_literal(column: str) -> Column:
    """Parse the strings of a Python list literal such as ``['a', "b's", 'c\\xa0d']``; return NULL for any other text.

    The literal is rewritten as JSON, which Spark reads natively.
    """
    masked = _replace_all(
        present_text(column), ("\\\\", _ESCAPED_BACKSLASH), ("\\'", _ESCAPED_APOSTROPHE), ('\\"', _ESCAPED_QUOTE)
    )
    strings = F.regexp_extract_all(masked, F.lit(_STRING_TOKEN), F.lit(0))
    text_between_strings = F.regexp_replace(masked, _STRING_TOKEN + r"|[,\s]", "")
    json_text = F.concat(
        F.lit("["),
        F.array_join(
            F.transform(strings, lambda string: F.concat(F.lit('"'), _encode_string_body(string), F.lit('"'))), ","
        ),
        F.lit("]"),
    )
    decoded_strings = F.from_json(json_text, _JSON_STRINGS, {"allowUnquotedControlChars": "true"})
    return F.when(
        text_between_strings == "[]", F.array_compact(F.transform(decoded_strings, lambda string: trim_blanks(string)))
    )


def artist_names(column: str, items: Column) -> Field:
    """Validate the names of a track's artists: at least one, none empty."""
    value, derived_columns = define_column(f"list {column}", items)
    rules = (
        Rule(present_text(column).isNull(), "is missing"),
        Rule(value.isNull(), "is not a list"),
        Rule(F.size(value) < 1, "names nobody"),
        Rule(F.exists(value, lambda name: name == ""), "holds an empty name"),
        Rule(_has_long_item(value), _TOO_LONG_MESSAGE),
    )
    return Field(column, value, rules, derived_columns)


def genre_names(column: str, items: Column) -> Field:
    """Validate genres; a track may have none."""
    value, derived_columns = define_column(f"list {column}", items)
    not_a_list = present_text(column).isNotNull() & value.isNull()
    rules = (Rule(not_a_list, "is not a list"), Rule(_has_long_item(value), _TOO_LONG_MESSAGE))
    return Field(column, F.when(F.size(value) > 0, F.array_distinct(value)), rules, derived_columns)


def _split_items(text: Column, delimiter: str) -> Column:
    return F.filter(F.transform(F.split(text, delimiter), lambda item: trim_blanks(item)), lambda item: item != "")


def _has_long_item(value: Column) -> Column:
    return F.exists(value, lambda item: F.length(item) > MAX_TEXT_LENGTH)


def _encode_string_body(string: Column) -> Column:
    """Return the text between a literal's quotation marks in the escapes of JSON."""
    unquoted_text = F.substring(string, F.lit(2), F.length(string) - 2)
    return _replace_all(
        unquoted_text,
        ('"', '\\"'),
        ("\\x", "\\u00"),
        ("\\u0000", "\\ufffd"),  # PostgreSQL takes no U+0000
        ("\\U", "\\\\U"),
        (_ESCAPED_BACKSLASH, "\\\\"),
        (_ESCAPED_APOSTROPHE, "'"),
        (_ESCAPED_QUOTE, '\\"'),
    )


def _replace_all(text: Column, *replacements: tuple[str, str]) -> Column:
    for old, new in replacements:
        text = F.replace(text, F.lit(old), F.lit(new))
    return text
