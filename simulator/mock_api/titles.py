"""Normalised titles and names, as making alternative ids needs them."""

import re
import unicodedata
from functools import lru_cache

_SUFFIX = re.compile(r"\s+-\s+|\s*[(\[{]")
_NOT_WORD = re.compile(r"[\W_]+")


@lru_cache(maxsize=1 << 16)
def normalise_text(text: str) -> str:
    """Return a text without case, accents, punctuation and "the"; ``&`` becomes "and"."""
    letters = text.replace("&", " and ").casefold()
    if not letters.isascii():
        letters = unicodedata.normalize("NFKD", letters)
        letters = "".join(letter for letter in letters if not unicodedata.combining(letter))
    normalised = _NOT_WORD.sub(" ", letters.replace("'", "").replace("’", "")).strip()
    return normalised.removeprefix("the ") or text


@lru_cache(maxsize=1 << 16)
def normalise_title(name: str) -> str:
    """Return a whole title, normalised."""
    return normalise_text(name)


def get_base_title(name: str) -> str:
    """Return a title up to its first dash or bracket, normalised."""
    return normalise_text(_SUFFIX.split(name, maxsplit=1)[0] or name)


def has_suffix(name: str) -> bool:
    """Return whether a title has more than its base: a version, an edition, a credit."""
    return _SUFFIX.search(name) is not None
