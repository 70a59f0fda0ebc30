r"""The keys of ``names`` for single texts, in Python: for a few thousand distinct names, for which no JVM has to start.

The patterns are those of ``names``, which are Java's. Python has no classes such as ``\p{L}``, and its ``\b``, ``\d``
and ``\s`` differ. So patterns are matched with the *shape* of a text, in which one character stands for all others of
its Unicode category, and the classes list ASCII and these characters. tests/transform/test_names.py compares both.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from etl.transform import names

_JAVA_CLASS = re.compile(r"\\p\{(L|N|M|Z|Cc)\}|\\[bds]")
_LIVE_SUFFIX = r"(?<=\S) (version|ver)$"
_SHAPES = {"L": "\u0101", "Nd": "\u0661", "N": "\u00bd", "Mn": "\u0301", "M": "\u0903", "Z": "\u2002", "Cc": "\u0085"}
"""The character that stands for a category; the first category that a character's begins with counts."""

_OTHER_SHAPE = "\u2022"
_LITERALS = "–—―【】「」『』"
"""The characters beyond ASCII that patterns name; their shape is themselves."""


@dataclass(frozen=True)
class TitleParts:
    """The parts of a title, as ``names.split_title`` returns them."""

    title: str
    version: str
    edition: str
    credit: str


def fold_text(text: str) -> str:
    """Return what ``names.fold_text`` does."""
    return _extract_words_or_signs(_fold_letters(text))


def artist_key(name: str) -> str:
    """Return what ``names.artist_key`` does."""
    return fold_text(name)


def split_title(name: str) -> TitleParts:
    """Return what ``names.split_title`` does."""
    letters = _fold_letters(name)
    segments = []
    if _matches(names.SEGMENT_BORDER, letters):
        pieces = _substitute(names.SEGMENT_BORDER, names.SEPARATOR, letters).split(names.SEPARATOR)
        segments = [_extract_words_or_signs(piece) for piece in pieces if piece.strip(" ")]
    base, *further = segments or [_extract_words_or_signs(letters)]
    by_kind: dict[str, list[str]] = {"title": [], "version": [], "edition": [], "credit": []}
    for segment in further:
        by_kind[_classify_segment(segment)].append(segment)
    return TitleParts(
        _extract_words_or_signs(" ".join([base, *by_kind["title"]])),
        _join_segments(map(_normalize_version, by_kind["version"])),
        _join_segments(by_kind["edition"]),
        _join_segments(by_kind["credit"]),
    )


def name_derived_id(*values: str | None) -> str:
    """Return what ``names.name_derived_id`` does."""
    *leading_values, last_value = values
    texts = [value or "" for value in leading_values] + ([] if last_value is None else [last_value])
    digest = hashlib.sha256(names.SEPARATOR.join(texts).encode()).hexdigest()
    return names.NAME_DERIVED_PREFIX + digest[: names.DIGEST_LENGTH]


def name_derived_track_id(track_name: str | None, artist_name: str | None) -> str | None:
    """Return the name-derived id of a track with a title and an artist; None without one of them."""
    if track_name is None or artist_name is None:
        return None
    parts = split_title(track_name)
    return name_derived_id(parts.title, parts.version, artist_key(artist_name))


def _fold_letters(text: str) -> str:
    folded = text.lower().translate(_build_translation())
    spaced = _substitute(names.BLANKS, " ", folded).strip(" ")
    for ligature, letters in names.LIGATURES.items():
        spaced = spaced.replace(ligature, letters)
    return spaced


def _extract_words(letters: str) -> str:
    with_and = re.sub(r"&| \+ ", " and ", letters)
    return _substitute(rf"{names.NOT_ALNUM}+", " ", with_and).strip(" ")


def _extract_words_or_signs(letters: str) -> str:
    return _extract_words(letters) or letters.strip(" ")


def _classify_segment(segment: str) -> str:
    for kind, pattern in (
        ("credit", names.CREDIT),
        ("version", names.VERSION),
        ("edition", names.EDITION),
        ("version", names.OTHER_VERSION),
    ):
        if _matches(pattern, segment):
            return kind
    return "title"


def _normalize_version(version: str) -> str:
    return _substitute(_LIVE_SUFFIX, "", _substitute(names.EDITION_OF_LIVE, "live", version))


def _join_segments(segments: Iterable[str]) -> str:
    # Spark orders texts by their bytes in UTF-8, which is the order of code points.
    return " / ".join(sorted(set(segments)))


@cache
def _build_translation() -> dict[int, str | None]:
    letters, replacements = names.build_folding_table()
    return {
        ord(letter): replacements[index] if index < len(replacements) else None for index, letter in enumerate(letters)
    }


@cache
def _compile(pattern: str) -> re.Pattern[str]:
    """Compile a pattern of Java."""
    return re.compile(_translate_pattern(pattern))


def _translate_pattern(pattern: str) -> str:
    """Return a pattern of Java as Python reads it: the classes that Python lacks are written out."""
    pieces, position, is_in_class = [], 0, False
    for match in _JAVA_CLASS.finditer(pattern):
        before = pattern[position : match.start()]
        is_in_class = _ends_in_class(before, is_in_class)
        pieces.append(before + _translate_escape(match[0], is_in_class))
        position = match.end()
    return "".join(pieces) + pattern[position:]


def _ends_in_class(text: str, is_in_class: bool) -> bool:
    """Return whether a position in a pattern lies in a class, from the text since the last known position."""
    index = 0
    while index < len(text):
        if text[index] == "\\":
            index += 1
        elif text[index] == "[":
            is_in_class = True
        elif text[index] == "]":
            is_in_class = False
        index += 1
    return is_in_class


def _translate_escape(escape: str, is_in_class: bool) -> str:
    if escape == r"\b":
        word = f"[a-zA-Z0-9_{_SHAPES['L']}{_SHAPES['Nd']}{_SHAPES['Mn']}]"
        return f"(?:(?<!{word})(?={word})|(?<={word})(?!{word}))"
    members = _CLASS_MEMBERS[escape]
    return members if is_in_class else f"[{members}]"


_CLASS_MEMBERS = {
    r"\d": "0-9",
    r"\s": r" \t\n\x0b\f\r",
    r"\p{L}": f"a-zA-Z{_SHAPES['L']}",
    r"\p{N}": f"0-9{_SHAPES['Nd']}{_SHAPES['N']}",
    r"\p{M}": f"{_SHAPES['Mn']}{_SHAPES['M']}",
    r"\p{Z}": f" {_SHAPES['Z']}",
    r"\p{Cc}": rf"\x00-\x1f\x7f{_SHAPES['Cc']}",
}
"""The characters of a shape that a class of Java has."""


class _Shapes(dict[int, str]):
    """The shape of each character, for ``str.translate``."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        if character.isascii() or character in _LITERALS:
            shape = character
        else:
            category = unicodedata.category(character)
            shape = next((shape for begin, shape in _SHAPES.items() if category.startswith(begin)), _OTHER_SHAPE)
        self[code] = shape
        return shape


_SHAPE_TABLE = _Shapes()


def _matches(pattern: str, text: str) -> bool:
    return _compile(pattern).search(text if text.isascii() else text.translate(_SHAPE_TABLE)) is not None


def _substitute(pattern: str, replacement: str, text: str) -> str:
    """Replace what a pattern finds in the shape of a text; the rest of the text stays."""
    compiled = _compile(pattern)
    if text.isascii():
        return compiled.sub(replacement, text)
    pieces, position = [], 0
    for match in compiled.finditer(text.translate(_SHAPE_TABLE)):
        pieces += [text[position : match.start()], replacement]
        position = match.end()
    return "".join(pieces) + text[position:]
