"""The year as one picture to keep and to show."""

import re
from collections.abc import Mapping
from html import escape

_WIDTH, _HEIGHT = 540, 760
_LONGEST = 30
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What XML cannot hold, control characters, and characters that turn the direction of all that follows."""


def year_picture(year: str, person: str, told: Mapping[str, object], names: Mapping[str, list[str]]) -> str:
    """An SVG of a user's year.

    :param told: a row of mart.wrapped.
    :param names: the first artists, tracks and genres by ``artist``, ``track`` and ``genre``.
    """
    parts = [_text(40, 70, 26, _cut(person), 400), _text(40, 150, 76, year, 800)]
    figures = (("minutes_played", "minutes"), ("plays", "plays"), ("artists", "artists"))
    for place, (column, label) in enumerate(figures):
        x = 40 + place * 165
        parts += [_text(x, 225, 38, f"{int(str(told[column])):,}", 700), _text(x, 252, 18, label, 400)]
    parts += _list(40, 320, "Artists", names["artist"]) + _list(40, 530, "Songs", names["track"])
    if names["genre"]:
        parts += [_text(40, 732, 20, "Genre  " + _cut(names["genre"][0]), 700)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}">'
        '<defs><linearGradient id="g" x1="0" y1="0" x2="1" y2="1"><stop offset="0" stop-color="#0b3d2e"/>'
        '<stop offset="0.55" stop-color="#12805c"/><stop offset="1" stop-color="#e0a458"/></linearGradient></defs>'
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" rx="28" fill="url(#g)"/>'
        '<g fill="#ffffff" opacity="0.10"><circle cx="470" cy="90" r="120"/><circle cx="500" cy="560" r="170"/></g>'
        f"{''.join(parts)}</svg>"
    )


def _list(x: int, y: int, title: str, names: list[str]) -> list[str]:
    lines = [_text(x, y + 34 + 30 * place, 22, f"{place + 1}  {_cut(name)}", 600) for place, name in enumerate(names)]
    return [_text(x, y, 18, title, 400), *lines]


def _cut(name: str) -> str:
    name = " ".join(_NOT_XML.sub("", name).split())
    return name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…"


def _text(x: int, y: int, size: int, words: str, weight: int) -> str:
    style = f'font-family="sans-serif" font-size="{size}" font-weight="{weight}" fill="#ffffff"'
    return f'<text x="{x}" y="{y}" {style}>{escape(words)}</text>'
