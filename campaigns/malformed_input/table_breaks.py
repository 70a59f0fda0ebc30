"""Ways to break a delimited table."""

import json
from collections.abc import Callable
from random import Random

from campaigns.malformed_input.general_breaks import FileBreak
from campaigns.malformed_input.zip_breaks import ZIP_BREAKS


def _make_line_break(change: Callable[[list[bytes], Random], list[bytes]]) -> FileBreak:
    return lambda content, rng: b"\n".join(change(content.split(b"\n"), rng))


def _change_header(lines: list[bytes], rng: Random) -> list[bytes]:
    names = lines[0].split(b",")
    for _ in range(rng.choice((1, 1, 5))):
        names[rng.randrange(len(names))] = rng.choice((b"", b"x", names[0], b'"a\nb"', b"\x00", b"=1+1", b"id"))
    return [b",".join(names), *lines[1:]]


def _insert_quote(lines: list[bytes], rng: Random) -> list[bytes]:
    line_index = rng.randrange(len(lines))
    line = lines[line_index]
    position = rng.randrange(len(line) + 1)
    return [*lines[:line_index], line[:position] + b'"' + line[position:], *lines[line_index + 1 :]]


TABLE_BREAKS: dict[str, FileBreak] = {
    "header alone": _make_line_break(lambda lines, chance: lines[:1]),
    "no header": _make_line_break(lambda lines, chance: lines[1:]),
    "header twice": _make_line_break(lambda lines, chance: [lines[0], *lines]),
    "header wrong": _make_line_break(_change_header),
    "header wrong, again": _make_line_break(_change_header),
    "header cut": _make_line_break(lambda lines, chance: [lines[0][: len(lines[0]) // 2], *lines[1:]]),
    "header of 5,000 columns": _make_line_break(lambda lines, chance: [lines[0] + b",more" * 5_000, *lines[1:]]),
    "a quotation mark": _make_line_break(_insert_quote),
    "a quotation mark, again": _make_line_break(_insert_quote),
    "other delimiters below": _make_line_break(
        lambda lines, chance: [lines[0], *(line.replace(b",", b";") for line in lines[1:])]
    ),
    "one long line": lambda content, chance: content.replace(b"\n", b" "),
    "a field of 20 MB": lambda content, chance: content + b"x" * (20 << 20) + b"\n",
    "lines of commas": lambda content, chance: content + b",,,,,\n" * 100,
    "JSON": lambda content, chance: json.dumps([{"id": 1, "name": "x"}] * 10).encode(),
    "SQL": lambda content, chance: b"insert into tracks values (1, 'a');\n" * 20,
    **ZIP_BREAKS,
}
