"""Rows and records made malformed: by odd values written down here, by Hypothesis's, and by breaking what is there.

Everything follows from a seed.
"""

import json
import math
import random
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

LONG, VERY_LONG = 10_001, 1 << 20
_VERY_LONG_ONCE_IN = 20_000
"""A row in so many has a field of a mebibyte."""
_UNTOUCHED, _BROKEN = 0.04, 0.18
"""Shares of rows that stay as they are, and of those whose build is broken, not a value."""

TEXTS = (
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
    *("x" * 255, "x" * 256, "x" * 1_000, "x" * 1_001, "x" * LONG, "é" * 600),
)
"""Nothing that Hypothesis finds by itself, but what has broken loaders before."""

OTHER_VALUES: tuple[Any, ...] = (
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
"""What JSON can hold beside texts."""

Json = dict[str, Any]


def hypothesis_values(number: int, count: int) -> list[Any]:
    """Values that Hypothesis makes up: texts, numbers, times, nested JSON.

    :param number: the seed.
    """
    found: list[Any] = []
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
    def collect(values: list[Any]) -> None:
        found.extend(values)

    collect()
    return found


class Spoiler:
    """Breaks rows."""

    def __init__(self, number: int, others: int = 4_000) -> None:
        """
        :param number: the seed.
        :param others: about how many values Hypothesis is asked for.
        """
        self.chance = random.Random(number)
        made_up = hypothesis_values(number, others)
        self._values = [*OTHER_VALUES, *made_up]
        self._texts = [*TEXTS, *(str(value) for value in self._values)]

    def text(self, value: str) -> str:
        """What may stand in place of a field's text."""
        if self.chance.random() < 1 / _VERY_LONG_ONCE_IN:
            return "y" * VERY_LONG
        chosen = self.chance.choice(self._texts)
        return self.chance.choice(
            [chosen, chosen, chosen, value + chosen, chosen + value, value[::-1], value * 2, value[:-1]]
        )

    def value(self, value: Any) -> Any:
        """What may stand in place of a value in JSON."""
        if self.chance.random() < 0.6:
            return self.text(value if isinstance(value, str) else json.dumps(value))
        return self.chance.choice(self._values)

    def fields(self, row: list[str]) -> list[str]:
        """A malformed row of a table; none is empty, for a line without anything is no row."""
        row, luck = list(row), self.chance.random()
        if luck < _UNTOUCHED:
            return row
        if luck < _UNTOUCHED + _BROKEN:
            row = self._misbuilt(row)
        else:
            for _ in range(self.chance.choice((1, 1, 1, 2, 5))):
                place = self.chance.randrange(len(row))
                row[place] = self.text(row[place])
        return row if any(row) else [*row, "x"]

    def _misbuilt(self, row: list[str]) -> list[str]:
        first, second = self.chance.randrange(len(row)), self.chance.randrange(len(row))
        match self.chance.randrange(6):
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

    def record(self, record: Json) -> str:
        """A malformed record, as a text of JSON (or near it: NaN and keys that stand twice are among it)."""
        luck = self.chance.random()
        if luck < _UNTOUCHED:
            return json.dumps(record)
        if luck < _UNTOUCHED + _BROKEN:
            return self._misbuilt_record(record)
        return json.dumps(self.spoilt(record), ensure_ascii=True)

    def spoilt(self, record: Json) -> Json:
        """A record of which some values, however deep, are other ones, or gone."""
        record = json.loads(json.dumps(record))
        for _ in range(self.chance.choice((1, 1, 1, 2, 5))):
            self._spoil_place(record)
        return record

    def _spoil_place(self, inside: Any) -> None:
        places = list(inside) if isinstance(inside, dict) else list(range(len(inside)))
        if not places:
            return
        place = self.chance.choice(places)
        if isinstance(inside[place], dict | list) and inside[place] and self.chance.random() < 0.8:
            self._spoil_place(inside[place])
        elif self.chance.random() < 0.1:
            del inside[place]
        else:
            inside[place] = self.value(inside[place])

    def _misbuilt_record(self, record: Json) -> str:
        key = self.chance.choice(list(record))
        match self.chance.randrange(6):
            case 0:
                return json.dumps(self.chance.choice(self._values))
            case 1:  # a key that stands twice
                return f"{json.dumps(record)[:-1]}, {json.dumps(key)}: {json.dumps(self.value(record[key]))}}}"
            case 2:
                return json.dumps({name.upper(): value for name, value in record.items()})
            case 3:
                return json.dumps({"record": record})
            case 4:
                return json.dumps({name: value for name, value in record.items() if name == key})
            case _:
                return f"{json.dumps(record)[:-1]}, {json.dumps(key)}: 1e999, {json.dumps(key + '2')}: {'7' * 5_000}}}"

    def typed(self, record: Json, schema: Json) -> Json:
        """A record that an Avro schema allows, with odd values."""
        record = dict(record)
        if self.chance.random() < _UNTOUCHED:
            return record
        for _ in range(self.chance.choice((1, 1, 1, 2, 5))):
            field = self.chance.choice(schema["fields"])
            record[field["name"]] = self._of_type(field["type"], record.get(field["name"]))
        return record

    def _of_type(self, kind: Any, value: Any) -> Any:
        if isinstance(kind, list):
            kind = self.chance.choice(kind)
        name = kind["type"] if isinstance(kind, dict) else kind
        bounds = {"int": 31, "long": 63}
        simple: dict[str, Callable[[], Any]] = {
            "null": lambda: None,
            "string": lambda: self.text(str(value)).encode("utf-8", "replace").decode(),
            "boolean": lambda: self.chance.random() < 0.5,
            "float": lambda: self.chance.choice((math.nan, math.inf, -math.inf, -1.0, 3.4e38, 0.0, 1e9)),
            "enum": lambda: self.chance.choice(kind["symbols"]),
        }
        if name in bounds:
            return self._whole(2 ** bounds[name])
        if name == "record":
            return {one["name"]: self._of_type(one["type"], None) for one in kind["fields"]}
        return simple[name]()

    def _whole(self, above: int) -> int:
        """A whole number from -above to above - 1: the ends, round ones, anything."""
        ends = (
            0,
            1,
            -1,
            above - 1,
            -above,
            above // 1000,
            -above // 1000,
            253402300800000,
            -62135596800001,
            946684800000,
        )
        chosen = self.chance.choice((*ends, self.chance.randrange(-above, above), self.chance.randrange(-5000, 5000)))
        return max(-above, min(above - 1, chosen))
