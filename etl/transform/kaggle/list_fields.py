"""Lists out of text: joined by a character, or written as a Python list literal."""

from pyspark.sql import Column
from pyspark.sql import functions as F

from etl.formats.kaggle.column_rules import MAX_TEXT_LENGTH
from etl.transform.kaggle.fields import Field, define_column, present_text, trim_blanks, trimmed_text

_TOO_LONG_MESSAGE = f"holds a text longer than {MAX_TEXT_LENGTH} characters"
_JSON_STRINGS = "array<string>"
_STRING_TOKEN = "'[^']*'|\"[^\"]*\""
# Noncharacters stand in for escaped signs while the literal is cut into strings; no text has them.
_ESCAPED_BACKSLASH, _ESCAPED_APOSTROPHE, _ESCAPED_QUOTE = "\ufdd1", "\ufdd2", "\ufdd3"


def split_text(column: str, delimiter: str = ";") -> Column:
    """The parts of a text, without blanks around them and without empty ones; NULL where there is none."""
    return _split_items(present_text(column), delimiter)


def split_answers(column: str) -> Column:
    """What was ticked in a question of a survey, where "None" is an answer."""
    return _split_items(trimmed_text(column), ",")


def single_item_list(column: str) -> Field:
    """A list of the one text that a field holds; NULL where it is missing."""
    value = present_text(column)
    is_long = F.length(value) > MAX_TEXT_LENGTH
    return Field(column, F.when(value.isNotNull(), F.array_compact(F.array(value))), ((is_long, _TOO_LONG_MESSAGE),))


def parse_list_literal(column: str) -> Column:
    """The strings of a Python list literal such as ``['a', "b's", 'c\\xa0d']``; NULL where it is no such list.

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
    """The names of a track's artists: one at least, none empty."""
    value, reads = define_column(f"list {column}", items)
    rules = (
        (present_text(column).isNull(), "is missing"),
        (value.isNull(), "is not a list"),
        (F.size(value) < 1, "names nobody"),
        (F.exists(value, lambda name: name == ""), "holds an empty name"),
        (_has_long_item(value), _TOO_LONG_MESSAGE),
    )
    return Field(column, value, rules, reads)


def genre_names(column: str, items: Column) -> Field:
    """Genres, which may be none."""
    value, reads = define_column(f"list {column}", items)
    not_a_list = present_text(column).isNotNull() & value.isNull()
    rules = ((not_a_list, "is not a list"), (_has_long_item(value), _TOO_LONG_MESSAGE))
    return Field(column, F.when(F.size(value) > 0, F.array_distinct(value)), rules, reads)


def _split_items(text: Column, delimiter: str) -> Column:
    return F.filter(F.transform(F.split(text, delimiter), lambda item: trim_blanks(item)), lambda item: item != "")


def _has_long_item(value: Column) -> Column:
    return F.exists(value, lambda item: F.length(item) > MAX_TEXT_LENGTH)


def _encode_string_body(string: Column) -> Column:
    """What stands between a literal's quotation marks, as JSON writes it."""
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
