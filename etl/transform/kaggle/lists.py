"""Lists out of text: joined by a character, or written as a Python list literal."""

from pyspark.sql import Column
from pyspark.sql import functions as F

from etl.column_rules import LONGEST_TEXT
from etl.transform.kaggle.values import Field, known, read, trim, trimmed

_TOO_LONG = f"holds a text longer than {LONGEST_TEXT} characters"
_JSON_STRINGS = "array<string>"
_STRING_TOKEN = "'[^']*'|\"[^\"]*\""
# Noncharacters stand in for escaped signs while the literal is cut into strings; no text has them.
_ESCAPED_BACKSLASH, _ESCAPED_APOSTROPHE, _ESCAPED_QUOTE = "\ufdd1", "\ufdd2", "\ufdd3"


def joined(column: str, delimiter: str = ";") -> Column:
    """The parts of a text, without blanks around them and without empty ones; NULL where there is none."""
    return _parts(known(column), delimiter)


def joined_answers(column: str) -> Column:
    """What was ticked in a question of a survey, where "None" is an answer."""
    return _parts(trimmed(column), ",")


def single(column: str) -> Field:
    """A list of the one text that a field holds; NULL where it is missing."""
    value = known(column)
    is_long = F.length(value) > LONGEST_TEXT
    return Field(column, F.when(value.isNotNull(), F.array_compact(F.array(value))), ((is_long, _TOO_LONG),))


def literal(column: str) -> Column:
    """The strings of a Python list literal such as ``['a', "b's", 'c\\xa0d']``; NULL where it is no such list.

    The literal is rewritten as JSON, which Spark reads natively.
    """
    masked = _replaced(
        known(column), ("\\\\", _ESCAPED_BACKSLASH), ("\\'", _ESCAPED_APOSTROPHE), ('\\"', _ESCAPED_QUOTE)
    )
    strings = F.regexp_extract_all(masked, F.lit(_STRING_TOKEN), F.lit(0))
    between = F.regexp_replace(masked, _STRING_TOKEN + r"|[,\s]", "")
    as_json = F.concat(
        F.lit("["),
        F.array_join(F.transform(strings, lambda one: F.concat(F.lit('"'), _body(one), F.lit('"'))), ","),
        F.lit("]"),
    )
    read = F.from_json(as_json, _JSON_STRINGS, {"allowUnquotedControlChars": "true"})
    return F.when(between == "[]", F.array_compact(F.transform(read, lambda one: trim(one))))


def names(column: str, parts: Column) -> Field:
    """The names of a track's artists: one at least, none empty."""
    value, reads = read(f"list {column}", parts)
    faults = (
        (known(column).isNull(), "is missing"),
        (value.isNull(), "is not a list"),
        (F.size(value) < 1, "names nobody"),
        (F.exists(value, lambda one: one == ""), "holds an empty name"),
        (_has_long(value), _TOO_LONG),
    )
    return Field(column, value, faults, reads)


def genres(column: str, parts: Column) -> Field:
    """Genres, which may be none."""
    value, reads = read(f"list {column}", parts)
    not_a_list = known(column).isNotNull() & value.isNull()
    faults = ((not_a_list, "is not a list"), (_has_long(value), _TOO_LONG))
    return Field(column, F.when(F.size(value) > 0, F.array_distinct(value)), faults, reads)


def _parts(text: Column, delimiter: str) -> Column:
    return F.filter(F.transform(F.split(text, delimiter), lambda part: trim(part)), lambda part: part != "")


def _has_long(value: Column) -> Column:
    return F.exists(value, lambda one: F.length(one) > LONGEST_TEXT)


def _body(string: Column) -> Column:
    """What stands between a literal's quotation marks, as JSON writes it."""
    inner = F.substring(string, F.lit(2), F.length(string) - 2)
    return _replaced(
        inner,
        ('"', '\\"'),
        ("\\x", "\\u00"),
        ("\\u0000", "\\ufffd"),  # PostgreSQL takes no U+0000
        ("\\U", "\\\\U"),
        (_ESCAPED_BACKSLASH, "\\\\"),
        (_ESCAPED_APOSTROPHE, "'"),
        (_ESCAPED_QUOTE, '\\"'),
    )


def _replaced(text: Column, *pairs: tuple[str, str]) -> Column:
    for old, new in pairs:
        text = F.replace(text, F.lit(old), F.lit(new))
    return text
