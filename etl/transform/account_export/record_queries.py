"""Parts of queries on the text fields of records, with the rules that reject unreadable ones, which are NULL.

In: the columns of ``record_tables``, with blanks around texts removed and empty texts NULL.
"""

from datetime import UTC, datetime, timedelta

from etl.engines.datafusion import quote_literal
from etl.formats.kaggle.column_rules import MAX_TEXT_LENGTH
from etl.formats.time_limits import CLOCK_TOLERANCE, SPOTIFY_FOUNDED
from etl.transform.account_export.fields import MAX_PLAY_MS
from etl.transform.account_export.record_tables import TIME_COLUMN
from etl.transform.names import DIGEST_LENGTH, NAME_DERIVED_PREFIX, SEPARATOR
from etl.transform.validation import Rule

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def select_texts(fields: tuple[str, ...]) -> str:
    """Return the query that removes blanks around the texts of ``records``."""
    texts = ", ".join(f"nullif(btrim({name}, ' '), '') as {name}" for name in fields)
    return f"select number, user_id, timezone, file, body, {TIME_COLUMN}, {texts} from records"  # noqa: S608 (fields of ours)


def parse_integer(field: str) -> str:
    """Parse a whole number."""
    digits = rf"regexp_replace({field}, '\.0+$', '')"
    return rf"case when {field} ~ '^-?[0-9]{{1,18}}(\.0+)?$' then cast({digits} as bigint) end"


def parse_boolean(field: str) -> str:
    """Parse true, false, 1 or 0."""
    return (
        f"case when lower({field}) in ('true', '1', '1.0') then true"
        f" when lower({field}) in ('false', '0', '0.0') then false end"
    )


def name_derived_id(*values: str) -> str:
    """Return an id derived from names, as ``names.name_derived_id`` does."""
    *leading_values, last_value = values
    texts = ", ".join([*(f"coalesce({value}, '')" for value in leading_values), last_value])
    digest = f"encode(sha256(concat_ws({quote_literal(SEPARATOR)}, {texts})), 'hex')"
    return f"{quote_literal(NAME_DERIVED_PREFIX)} || substr({digest}, 1, {DIGEST_LENGTH})"


def build_record_rules() -> list[Rule[str]]:
    """Return the rules for every record."""
    return [
        Rule("not starts_with(body, '{')", "record is no object"),
        # The extract has emptied nested values. Within a text, a quotation mark has a backslash before it, so only the
        # end of a key matches.
        Rule(r"""body ~ '[A-Za-z_]":(\{\}|\[\])'""", "record holds a list or an object"),
    ]


def build_text_rules(fields: tuple[str, ...]) -> list[Rule[str]]:
    """Return the rules that reject texts longer than a name or title can be."""
    return [
        Rule(f"character_length({field}) > {MAX_TEXT_LENGTH}", f"{field} is longer than {MAX_TEXT_LENGTH} characters")
        for field in fields
    ]


def build_timestamp_rules(field: str, received_at: datetime) -> list[Rule[str]]:
    """Return the rules for the end of a play."""
    earliest, latest = to_microseconds(SPOTIFY_FOUNDED), to_microseconds(received_at + CLOCK_TOLERANCE)
    return [
        Rule(f"{field} is null", f"{field} is missing"),
        Rule(f"{TIME_COLUMN} is null", f"{field} is no date and time"),
        Rule(f"{TIME_COLUMN} < {earliest}", f"{field} lies before Spotify's beginning"),
        Rule(f"{TIME_COLUMN} > {latest}", f"{field} lies after the import"),
    ]


def build_duration_rules(field: str, value: str) -> list[Rule[str]]:
    """Return the rules for the length of a play."""
    return [
        Rule(f"{field} is null", f"{field} is missing"),
        Rule(f"{value} is null", f"{field} is no whole number"),
        Rule(f"{value} < 0", f"{field} is negative"),
        Rule(f"{value} > {MAX_PLAY_MS}", f"{field} is more than a day"),
    ]


def to_microseconds(time: datetime) -> int:
    """Return a time in microseconds since 1970."""
    return (time - _EPOCH) // timedelta(microseconds=1)
