"""Numbers, names and lists in English."""

import zlib
from collections.abc import Sequence

_SMALL_NUMBERS = (
    "no",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
)
MAX_NAME_LENGTH = 80


def format_count(count: int, noun: str, plural: str | None = None) -> str:
    """Return a number with its noun: ``one song``, ``twelve songs``, ``1,234 songs``."""
    number = _SMALL_NUMBERS[count] if count < len(_SMALL_NUMBERS) else f"{count:,}"
    return f"{number} {noun if count == 1 else plural or noun + 's'}"


def format_part(count: int, total: int) -> str:
    """Return a number of a greater one: ``three of your ten``, ``12 of your 45``."""
    if total < len(_SMALL_NUMBERS):
        return f"{_SMALL_NUMBERS[count]} of your {_SMALL_NUMBERS[total]}"
    return f"{'one' if count == 1 else f'{count:,}'} of your {total:,}"


def format_duration(minutes: int) -> str:
    """Return minutes in words, from ten hours on as hours."""
    return format_count(minutes, "minute") if minutes < 600 else f"some {minutes / 60:,.0f} hours"


def format_percentage(fraction: float) -> str:
    """Return a fraction as a whole percentage; what is not quite nothing or everything says so."""
    if 0 < fraction < 0.01:
        return "less than 1 %"
    if 0.99 < fraction < 1:
        return "more than 99 %"
    return f"{fraction * 100:.0f} %"


def format_name(name: str) -> str:
    """Return a name on one line and no longer than a name."""
    line = " ".join(name.split())
    return line if len(line) <= MAX_NAME_LENGTH else line[: MAX_NAME_LENGTH - 1].rstrip() + "…"


def join_words(words: Sequence[str]) -> str:
    """Return ``a``, ``a and b`` or ``a, b and c``."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def join_clauses(clauses: Sequence[str]) -> str:
    """Return clauses as a sentence without its full stop."""
    return clauses[0] if len(clauses) == 1 else f"{', '.join(clauses[:-1])}, and {clauses[-1]}"


def capitalise(text: str) -> str:
    """Return a sentence with a capital letter; the rest is unchanged."""
    return text[:1].upper() + text[1:]


def choose_phrase(phrases: Sequence[str], seed: str) -> str:
    """Return one of several phrases, the same for the same seed."""
    return phrases[zlib.crc32(seed.encode()) % len(phrases)]
