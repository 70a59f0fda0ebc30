"""The year as one picture to save and to share."""

import re
from collections.abc import Mapping
from html import escape

_WIDTH, _HEIGHT = 540, 760
_MAX_NAME_LENGTH = 30
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Characters that XML cannot contain, control characters, and characters that change the direction of text."""


def render_year_picture(
    year: str, display_name: str, wrapped_row: Mapping[str, object], names: Mapping[str, list[str]]
) -> str:
    """Return an SVG of a user's year.

    :param wrapped_row: a row of mart.wrapped.
    :param names: the first artists, tracks and genres by ``artist``, ``track`` and ``genre``.
    """
    elements = [_render_text(40, 70, 26, _truncate_name(display_name), 400), _render_text(40, 150, 76, year, 800)]
    figures = (("minutes_played", "minutes"), ("plays", "plays"), ("artists", "artists"))
    for index, (column, label) in enumerate(figures):
        x = 40 + index * 165
        elements += [
            _render_text(x, 225, 38, f"{int(str(wrapped_row[column])):,}", 700),
            _render_text(x, 252, 18, label, 400),
        ]
    elements += _render_list(40, 320, "Artists", names["artist"]) + _render_list(40, 530, "Songs", names["track"])
    if names["genre"]:
        elements += [_render_text(40, 732, 20, "Genre  " + _truncate_name(names["genre"][0]), 700)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}">'
        '<defs><linearGradient id="g" x1="0" y1="0" x2="1" y2="1"><stop offset="0" stop-color="#0b3d2e"/>'
        '<stop offset="0.55" stop-color="#12805c"/><stop offset="1" stop-color="#e0a458"/></linearGradient></defs>'
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" rx="28" fill="url(#g)"/>'
        '<g fill="#ffffff" opacity="0.10"><circle cx="470" cy="90" r="120"/><circle cx="500" cy="560" r="170"/></g>'
        f"{''.join(elements)}</svg>"
    )


def _render_list(x: int, y: int, title: str, names: list[str]) -> list[str]:
    lines = [
        _render_text(x, y + 34 + 30 * index, 22, f"{index + 1}  {_truncate_name(name)}", 600)
        for index, name in enumerate(names)
    ]
    return [_render_text(x, y, 18, title, 400), *lines]


def _truncate_name(name: str) -> str:
    name = " ".join(_NOT_XML.sub("", name).split())
    return name if len(name) <= _MAX_NAME_LENGTH else name[: _MAX_NAME_LENGTH - 1] + "…"


def _render_text(x: int, y: int, size: int, text: str, weight: int) -> str:
    style = f'font-family="sans-serif" font-size="{size}" font-weight="{weight}" fill="#ffffff"'
    return f'<text x="{x}" y="{y}" {style}>{escape(text)}</text>'
