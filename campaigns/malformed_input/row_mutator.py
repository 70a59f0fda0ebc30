"""Malformed rows and records: with odd values listed here, with Hypothesis's values, and with damaged originals.

A seed determines all of them.
"""

import json
import math
import random
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

LONG_LENGTH, VERY_LONG_LENGTH = 10_001, 1 << 20
_VERY_LONG_INTERVAL = 20_000
"""One row in so many has a field of a mebibyte."""
_UNCHANGED_FRACTION, _MISBUILT_FRACTION = 0.04, 0.18
"""Fractions of rows that stay unchanged, and of those with a broken structure instead of a broken value."""

ODD_TEXTS = (
    *("", " ", "\t", "\u00a0", "NA", "NaN", "nan", "null", "None", "Infinity", "-Infinity", "inf", "true", "yes"),
    *("-1", "0", "-0", "0.5", "1e3", "1e400", "-1e-400", "1.7976931348623157e309", "0x10", "1,000,000", "1.000,5", "٣"),
    *("99999999999999999999", "9223372036854775808", "-9223372036854775809", "2147483648", "1" * 400, "5e", "--5"),
    *("0000-00-00", "0000", "0001-01-01", "9999-12-31", "10000-01-01", "-0044-03-15", "2023-02-29", "2024-13-01"),
    *("2024-02-30T25:61:61Z", "1900-01-01T00:00:00Z", "2999-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z"),
    *("2024-01-01T00:00:00+99:99", "0001-01-01T00:00:00+23:59", "+292278994-08-17T07:12:55Z", "1709294400000"),
    *("a\u0000b", "\u0000", "\\u0000", "\\", "\\N", "\\.", "\\\\u0000", "\ufeff", "\ufffe\uffff", "\ufdd0 end of file"),
    *(
        '"',
        '""',
        '"a',
        'a"b',
        "'",
        "''",
        "a,b;c\td|e",
        "line\nbreak",
        "line\r\nbreak",
        "line\rbreak",
        "\x1a",
        "\x1b[31m",
    ),
    *(
        "'; DROP TABLE warehouse.dim_track; --",
        "1 OR 1=1",
        "$$",
        "%s %(x)s {0} {x}",
        ":name",
        "${jndi:ldap://127.0.0.1/}",
    ),
    *("<script>alert(1)</script>", "{{7*7}}", "=1+1", "../../etc/passwd", "file:///etc/passwd", "C:\\x"),
    *("\u202eright to left", "שלום עולם", "e" + "\u0301" * 60, "👩‍👩‍👧‍👦" * 20, "ﬁ", "\U0010ffff", "İ", "ẞ"),
    *(
        "[",
        "]" * 50,
        "[" * 200,
        "['a', 'b",
        "['a', \"b's\", 'c\\xa0d']",
        "[None]",
        "[[1], {}]",
        "['\\ud800']",
        "['a\\x00b']",
    ),
    *(
        '{"a": {"b": [1]}}',
        '{"a": 1, "a": 2}',
        "{}",
        "spotify:track:",
        "spotify:track:" + "x" * 22,
        "spotify:local:a:b",
    ),
    *("x" * 255, "x" * 256, "x" * 1_000, "x" * 1_001, "x" * LONG_LENGTH, "é" * 600),
)
"""Texts that Hypothesis does not find by itself, but that have broken loaders before."""

ODD_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2**31, -(2**31) - 1, 2**63, -(2**63) - 1, 10**30, 10**400, 0.5, -0.0, 1e308, 1e-320),
    *(
        math.nan,
        math.inf,
        -math.inf,
        [],
        {},
        [None],
        [[[]]],
        {"a": {"b": [{}]}},
        {"": None},
        [1, "x"],
        "\ud800",
        "\udfff x",
    ),
)
"""Values that JSON can represent besides texts."""

Json = dict[str, Any]


def make_hypothesis_values(number: int, count: int) -> list[Any]:
    """Return values that Hypothesis generates: texts, numbers, times, nested JSON.

    :param number: the seed.
    """
    collected: list[Any] = []
    scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
    nested = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=6)
    times = st.datetimes().map(str) | st.dates().map(str) | st.times().map(str)

    @seed(number)
    @settings(
        max_examples=max(1, count // 20),
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(nested | times | st.text(min_size=1), min_size=10, max_size=30))
    def collect_values(values: list[Any]) -> None:
        collected.extend(values)

    collect_values()
    return collected


class RowMutator:
    """Mutator of rows and records."""

    def __init__(self, number: int, hypothesis_count: int = 4_000) -> None:
        """Generate the values of a seed.

        :param number: the seed.
        :param hypothesis_count: the approximate number of values from Hypothesis.
        """
        self.rng = random.Random(number)
        generated_values = make_hypothesis_values(number, hypothesis_count)
        self._values = [*ODD_VALUES, *generated_values]
        self._texts = [*ODD_TEXTS, *(str(value) for value in self._values)]

    def mutate_text(self, value: str) -> str:
        """Return a replacement for a field's text."""
        if self.rng.random() < 1 / _VERY_LONG_INTERVAL:
            return "y" * VERY_LONG_LENGTH
        odd_text = self.rng.choice(self._texts)
        return self.rng.choice(
            [odd_text, odd_text, odd_text, value + odd_text, odd_text + value, value[::-1], value * 2, value[:-1]]
        )

    def mutate_value(self, value: Any) -> Any:
        """Return a replacement for a value in JSON."""
        if self.rng.random() < 0.6:
            return self.mutate_text(value if isinstance(value, str) else json.dumps(value))
        return self.rng.choice(self._values)

    def mutate_row(self, row: list[str]) -> list[str]:
        """Return a malformed row of a table, never an empty one: an empty line is no row."""
        row, draw = list(row), self.rng.random()
        if draw < _UNCHANGED_FRACTION:
            return row
        if draw < _UNCHANGED_FRACTION + _MISBUILT_FRACTION:
            row = self._misbuild_row(row)
        else:
            for _ in range(self.rng.choice((1, 1, 1, 2, 5))):
                index = self.rng.randrange(len(row))
                row[index] = self.mutate_text(row[index])
        return row if any(row) else [*row, "x"]

    def _misbuild_row(self, row: list[str]) -> list[str]:
        first, second = self.rng.randrange(len(row)), self.rng.randrange(len(row))
        match self.rng.randrange(6):
            case 0:
                return row[:first] or ["cut"]
            case 1:
                return [*row, *row]
            case 2:
                return [*row[:first], row[first], *row[first:]]
            case 3:
                row[first], row[second] = row[second], row[first]
            case 4:
                return [""] * len(row)
            case _:
                return row[1:] + row[:1]
        return row

    def mutate_record(self, record: Json) -> str:
        """Return a malformed record as JSON text, or nearly JSON: it may contain NaN and duplicate keys."""
        draw = self.rng.random()
        if draw < _UNCHANGED_FRACTION:
            return json.dumps(record)
        if draw < _UNCHANGED_FRACTION + _MISBUILT_FRACTION:
            return self._misbuild_record(record)
        return json.dumps(self.mutate_record_values(record), ensure_ascii=True)

    def mutate_record_values(self, record: Json) -> Json:
        """Return a record with some values, at any depth, replaced or removed."""
        record = json.loads(json.dumps(record))
        for _ in range(self.rng.choice((1, 1, 1, 2, 5))):
            self._mutate_somewhere(record)
        return record

    def _mutate_somewhere(self, container: Any) -> None:
        keys = list(container) if isinstance(container, dict) else list(range(len(container)))
        if not keys:
            return
        key = self.rng.choice(keys)
        if isinstance(container[key], dict | list) and container[key] and self.rng.random() < 0.8:
            self._mutate_somewhere(container[key])
        elif self.rng.random() < 0.1:
            del container[key]
        else:
            container[key] = self.mutate_value(container[key])

    def _misbuild_record(self, record: Json) -> str:
        key = self.rng.choice(list(record))
        match self.rng.randrange(6):
            case 0:
                return json.dumps(self.rng.choice(self._values))
            case 1:  # a duplicate key
                return f"{json.dumps(record)[:-1]}, {json.dumps(key)}: {json.dumps(self.mutate_value(record[key]))}}}"
            case 2:
                return json.dumps({name.upper(): value for name, value in record.items()})
            case 3:
                return json.dumps({"record": record})
            case 4:
                return json.dumps({name: value for name, value in record.items() if name == key})
            case _:
                return f"{json.dumps(record)[:-1]}, {json.dumps(key)}: 1e999, {json.dumps(key + '2')}: {'7' * 5_000}}}"

    def mutate_typed_record(self, record: Json, schema: Json) -> Json:
        """Return a record that an Avro schema allows, with odd values."""
        record = dict(record)
        if self.rng.random() < _UNCHANGED_FRACTION:
            return record
        for _ in range(self.rng.choice((1, 1, 1, 2, 5))):
            field = self.rng.choice(schema["fields"])
            record[field["name"]] = self._make_typed_value(field["type"], record.get(field["name"]))
        return record

    def _make_typed_value(self, kind: Any, value: Any) -> Any:
        if isinstance(kind, list):
            kind = self.rng.choice(kind)
        name = kind["type"] if isinstance(kind, dict) else kind
        bounds = {"int": 31, "long": 63}
        simple: dict[str, Callable[[], Any]] = {
            "null": lambda: None,
            "string": lambda: self.mutate_text(str(value)).encode("utf-8", "replace").decode(),
            "boolean": lambda: self.rng.random() < 0.5,
            "float": lambda: self.rng.choice((math.nan, math.inf, -math.inf, -1.0, 3.4e38, 0.0, 1e9)),
            "enum": lambda: self.rng.choice(kind["symbols"]),
        }
        if name in bounds:
            return self._make_integer(2 ** bounds[name])
        if name == "record":
            return {field["name"]: self._make_typed_value(field["type"], None) for field in kind["fields"]}
        return simple[name]()

    def _make_integer(self, limit: int) -> int:
        """Return an integer from -limit to limit - 1: a bound, a round number, or any other."""
        edge_values = (
            0,
            1,
            -1,
            limit - 1,
            -limit,
            limit // 1000,
            -limit // 1000,
            253402300800000,
            -62135596800001,
            946684800000,
        )
        integer = self.rng.choice((*edge_values, self.rng.randrange(-limit, limit), self.rng.randrange(-5000, 5000)))
        return max(-limit, min(limit - 1, integer))
