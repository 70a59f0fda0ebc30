"""Comparable keys of titles and artists, by native column functions: two spellings of one name get one key.

A title is split into segments at dashes, brackets, slashes and "feat.". The first segment is the base and is never
classified ("Live and Let Die" is no live version). Each further segment is one of

    credit     feat. X, with X                           ignored
    edition    remastered, mono, 2011, radio edit, …     the same recording in another edition
    version    live, acoustic, X remix, karaoke, …       another recording; its text is part of the key
    (else)     "Part 2", "From the Vault"                a part of the title

docs/rules.md shows the classes by example. ``name_texts`` gives the same keys of single texts, by the same patterns.
"""

import unicodedata
from collections.abc import Callable
from functools import cache, reduce

from pyspark.sql import Column
from pyspark.sql import functions as F

NAME_DERIVED_PREFIX = "name:"
"""The prefix of a name-derived id: no id of Spotify has a colon."""

DIGEST_LENGTH = 20
SEPARATOR = "\u0001"
_APOSTROPHES = "'’‘‛ʼʹ`´′"
_COMBINING_MARKS = "".join(map(chr, range(0x0300, 0x0370)))
_FOLDED_RANGES = (
    range(0x00A0, 0x0530),  # Latin, Greek, Cyrillic
    range(0x1E00, 0x2000),  # their accented letters
    range(0x2070, 0x2190),  # superscripts, letterlike and number forms
    range(0xFF01, 0xFFDD),  # full and half width
    range(0x1D400, 0x1D800),  # letters in mathematical styles
)
_LETTER_REPLACEMENTS = {
    "ı": "i",
    "ł": "l",
    "ø": "o",
    "đ": "d",
    "ð": "d",
    "ħ": "h",
    "ŧ": "t",
    "ς": "σ",
    "”": '"',
    "“": '"',
}
LIGATURES = {"ß": "ss", "æ": "ae", "œ": "oe", "þ": "th"}

BLANKS = r"[\s\p{Z}\p{Cc}]+"
NOT_ALNUM = r"[^\p{L}\p{N}\p{M}]"
SEGMENT_BORDER = (
    r"\s*[\(\)\[\]\{\}【】「」『』]\s*|\s*[-–—―]+\s+|\s+[-–—―]+\s*|\s+[/|~]+\s*|;\s*"
    rf"|{NOT_ALNUM}+(?=(feat\.|ft\.|featuring{NOT_ALNUM})\s*\S)"
)

CREDIT = r"^(feat|ft|featuring|with|prod|prod by|produced by)\b"

_YEAR = r"(19|20)\d\d"
_NEUTRAL = (
    r"(original|main|album|single|studio|radio|lp|ep|cd|video|7|7 inch|explicit|clean|dirty|uncensored|edited|short"
    r"|standard|full length|soundtrack)"
)
_REMASTER = r"(digital )?re ?master(ed|izado|izada|ise|ised|ize|ized|ing)?"
_SOUND_OR_EXTRA = r"(mono|stereo|deluxe|bonus( track)?)"
EDITION = "|".join(
    (
        rf"\b{_REMASTER}\b",
        rf"\b{_SOUND_OR_EXTRA}\b",
        rf"^({_YEAR} )?(digital )?(edition|reissue)$|\bedition$",
        rf"^{_YEAR}( digital)?$",
        rf"^((the )?{_NEUTRAL} )*{_NEUTRAL}( (version|ver|edit|mix))?$",
        r"^(version|edit)$",
    )
)

_EDITION_WORD = rf"(({_YEAR} )?{_REMASTER}( {_YEAR})?|{_SOUND_OR_EXTRA}|edition|version|ver)"
EDITION_OF_LIVE = rf"^({_EDITION_WORD} )*live( {_EDITION_WORD})*$"
VERSION = "|".join(
    (
        EDITION_OF_LIVE,
        r"^live (at|in|from|on|version|ver|session|sessions|recording|acoustic|aus|bei|auf|au|en)\b",
        r"\blive$|\blive (at|in|from|on|version|ver|session|sessions|recording)\b|^live \d|^(19|20)\d\d live\b",
        r"\b(ao|en|al|dal|el) vivo\b|^vivo\b|\b(en|en el) (directo|concierto)\b|\bin concert\b|\bmtv unplugged\b",
        r"\b(unplugged|acoustic|acustico|acustica|acoustique|akustik|akustisch|stripped|a ?cappella|acapella)\b",
        r"\b(instrumental|karaoke|backing track|sing ?along|orchestral|symphonic|philharmonic)\b",
        r"\b(demo|demos|outtake|rehearsal|rough mix|early take|alternate|alternative (version|take|mix)|take \d+)\b",
        r"\b(remix|remixed|remixes|rmx|rework|reworked|bootleg|mashup|mash up|re ?edit|refix|vip|dub|flip|remake)\b",
        r"\b(sped up|speed up|spedup|slowed|reverb|nightcore|daycore|8d( audio)?|lo ?fi|chopped|screwed)\b",
        r"\b(cover|tribute|re ?record(ed|ing)|rerecorded|re ?imagined|revisited|taylors version)\b",
        r"\b(session|sessions)$|^recorded (at|live|in)\b|\bextended( (mix|version|edit))?$",
        r"\b12( inch)? (mix|version|edit|remix)$",
        r"\bmixed$|\bmix cut$|\bcontinuous mix\b|\b(piano|string|strings|guitar|solo|choir)( (version|ver))$",
    )
)
OTHER_VERSION = r"\b(version|versao|versione|ver|mix|edit)$|^(version|versao)\b"


def fold_text(text: Column) -> Column:
    """Return a text for comparison: case, accents, width, punctuation and spacing unified, ``&`` read as "and".

    Letters of different scripts stay different. The function is idempotent. A text of signs only ("???") keeps them.
    """
    return F.coalesce(_evaluate_once(_fold_letters(text), _extract_words_or_signs), F.lit(""))


def artist_key(name: Column) -> Column:
    """Return the key of an artist without an id: the folded name, with a leading "the".

    The-Dream and Dream, The Change and Change are different artists.
    """
    return fold_text(name)


def loose_artist_key(key: Column) -> Column:
    """Return an ``artist_key`` without a leading "the", to find candidates for two spellings of one artist."""
    return F.regexp_replace(key, r"^the (?=\S)", "")


def alternate_artist_key(key: Column) -> Column:
    """Return the ``artist_key`` with a leading "the" added, or removed if it has one."""
    loose_key = loose_artist_key(key)
    return F.when(loose_key == key, F.concat(F.lit("the "), key)).otherwise(loose_key)


def split_title(name: Column) -> Column:
    """Split a title into a struct of the strings ``title``, ``version``, ``edition``, ``credit``.

    Recordings are compared by ``title`` and ``version``. A part that the title lacks is empty.
    """
    return _evaluate_once(_fold_letters(name), _split_segments)


def name_derived_id(*values: Column) -> Column:
    """Return an id derived from names: ``name:`` and 20 hexadecimal digits of the hash of the values.

    A NULL counts as an empty value, so that the values after it keep their positions; a NULL at the end is omitted.
    """
    *leading_values, last_value = values
    digest = F.sha2(
        F.concat_ws(SEPARATOR, *(F.coalesce(value, F.lit("")) for value in leading_values), last_value), 256
    )
    return F.concat(F.lit(NAME_DERIVED_PREFIX), F.substring(digest, 1, DIGEST_LENGTH))


def name_derived_track_id(title: Column, version: Column, first_artist_key: Column) -> Column:
    """Return the name-derived id of a track, from its ``split_title`` and its first artist's ``artist_key``.

    It does not depend on the duration, so that a play known by artist and title only gets the same id.
    """
    return name_derived_id(title, version, first_artist_key)


def _split_segments(letters: Column) -> Column:
    pieces = F.filter(F.split(F.regexp_replace(letters, SEGMENT_BORDER, SEPARATOR), SEPARATOR), _is_not_blank)
    segments = F.when(letters.rlike(SEGMENT_BORDER), F.transform(pieces, _extract_words_or_signs))
    # Without a border, or with nothing but borders, the whole title is the base.
    return _evaluate_once(
        F.when(F.size(segments) > 0, segments).otherwise(F.array(_extract_words_or_signs(letters))), _classify_segments
    )


def _classify_segments(segment_texts: Column) -> Column:
    base_text = segment_texts[0]
    further_segments = F.transform(
        F.slice(segment_texts, 2, F.size(segment_texts)),
        lambda text: F.struct(_segment_kind(text).alias("kind"), text.alias("text")),
    )
    return _evaluate_once(
        further_segments,
        lambda segments: _title_struct(
            _extract_words_or_signs(F.concat_ws(" ", F.array(base_text), _filter_by_kind(segments, "title"))),
            _join_segments(F.transform(_filter_by_kind(segments, "version"), _normalize_version)),
            _join_segments(_filter_by_kind(segments, "edition")),
            _join_segments(_filter_by_kind(segments, "credit")),
        ),
    )


def _segment_kind(segment: Column) -> Column:
    return (
        F.when(segment.rlike(CREDIT), "credit")
        .when(segment.rlike(VERSION), "version")
        .when(segment.rlike(EDITION), "edition")
        .when(segment.rlike(OTHER_VERSION), "version")
        .otherwise("title")
    )


def _filter_by_kind(segments: Column, kind: str) -> Column:
    return F.transform(F.filter(segments, lambda segment: segment["kind"] == kind), lambda segment: segment["text"])


def _normalize_version(version: Column) -> Column:
    # "live", "live version" and "live remastered" are one version.
    return F.regexp_replace(F.regexp_replace(version, EDITION_OF_LIVE, "live"), r"(?<=\S) (version|ver)$", "")


def _title_struct(title: Column, version: Column, edition: Column, credit: Column) -> Column:
    return F.struct(title.alias("title"), version.alias("version"), edition.alias("edition"), credit.alias("credit"))


def _evaluate_once(value: Column, body: Callable[[Column], Column]) -> Column:
    # Spark evaluates a column once for each reference in an expression, but the argument of a lambda only once.
    return F.transform(F.array(value), body)[0]


def _join_segments(segments: Column) -> Column:
    return F.array_join(F.array_sort(F.array_distinct(segments)), " / ")


def _fold_letters(text: Column) -> Column:
    spaced_text = F.trim(F.regexp_replace(F.translate(F.lower(text), *build_folding_table()), BLANKS, " "))
    return _evaluate_once(spaced_text, _expand_ligatures)


def _expand_ligatures(letters: Column) -> Column:
    expanded = reduce(
        lambda column, ligature: F.replace(column, F.lit(ligature[0]), F.lit(ligature[1])), LIGATURES.items(), letters
    )
    return F.when(letters.rlike(f"[{''.join(LIGATURES)}]"), expanded).otherwise(letters)


def _extract_words(letters: Column) -> Column:
    with_and = F.regexp_replace(letters, r"&| \+ ", " and ")
    return F.trim(F.regexp_replace(with_and, rf"{NOT_ALNUM}+", " "))


def _extract_words_or_signs(letters: Column) -> Column:
    return _evaluate_once(_extract_words(letters), lambda words: F.when(words != "", words).otherwise(F.trim(letters)))


def _is_not_blank(text: Column) -> Column:
    return F.trim(text) != ""


@cache
def build_folding_table() -> tuple[str, str]:
    """Return both strings for ``translate``: letters, and their replacements; letters without one are removed."""
    table, removed_letters = dict(_LETTER_REPLACEMENTS), _COMBINING_MARKS + _APOSTROPHES
    for letter in (chr(code) for codes in _FOLDED_RANGES for code in codes):
        plain_letter = _strip_marks(_strip_marks(letter).lower())
        if letter in _APOSTROPHES or plain_letter in _APOSTROPHES:
            removed_letters += letter
        elif len(plain_letter) == 1 and plain_letter != letter and letter.lower() == letter:
            table[letter] = table.get(plain_letter, plain_letter)
    return "".join(table) + removed_letters, "".join(table.values())


def _strip_marks(text: str) -> str:
    return "".join(character for character in unicodedata.normalize("NFKD", text) if character not in _COMBINING_MARKS)
