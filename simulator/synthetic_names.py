"""Names and ids that are plainly invented."""

import hashlib
from random import Random

_SYLLABLES = (
    "ba",
    "dri",
    "fen",
    "gol",
    "hux",
    "jim",
    "kra",
    "lu",
    "mor",
    "nib",
    "pon",
    "quo",
    "ras",
    "sni",
    "tov",
    "wub",
)
_NOUNS = ("Teapots", "Umbrellas", "Postmen", "Lighthouses", "Moths", "Ladders", "Puddles", "Trams", "Kites", "Spoons")
_ADJECTIVES = (
    "Sleepy",
    "Borrowed",
    "Paper",
    "Sideways",
    "Second-hand",
    "Invisible",
    "Wooden",
    "Polite",
    "Frozen",
    "Loud",
)
_CONCERT_HALLS = ("Nowhere Hall", "the Cardboard Arena", "Castle Imaginary", "the Pretend Festival")
_BASE_62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def make_synthetic_id(kind: str, seed: int, number: int) -> str:
    """Return 22 letters and digits, as Spotify's ids have, that begin with ``madeup`` and a letter for the kind."""
    value = int.from_bytes(hashlib.sha256(f"{kind}/{seed}/{number}".encode()).digest(), "big")
    digits = []
    for _ in range(15):
        value, digit = divmod(value, 62)
        digits.append(_BASE_62[digit])
    return f"madeup{kind}{''.join(digits)}"


def make_synthetic_isrc(number: int, year: int) -> str:
    """Return 12 characters in the form of an ISRC; ZZ is assigned to no country."""
    return f"ZZMUP{year % 100:02d}{number:05d}"


def make_word(random: Random) -> str:
    """Return an invented word of two or three syllables."""
    return "".join(random.choice(_SYLLABLES) for _ in range(random.choice((2, 2, 3)))).capitalize()


def make_artist_name(random: Random) -> str:
    """Return a name for an artist; some have a comma, an accent or an ampersand, as real ones do."""
    name = make_word(random)
    return random.choice(
        (
            name,
            f"{name} {make_word(random)}",
            f"The {random.choice(_ADJECTIVES)} {random.choice(_NOUNS)} of {name}",
            f"{name} & the {random.choice(_NOUNS)}",
            f"{name}, the {random.choice(_ADJECTIVES)}",
            f"DJ {name}é",
        )
    )


def make_title(random: Random) -> str:
    """Return a name for a recording, an album or a playlist."""
    return random.choice(
        (
            f"{random.choice(_ADJECTIVES)} {random.choice(_NOUNS)}",
            f"{make_word(random)} in {make_word(random)}",
            f"My {random.choice(_ADJECTIVES)} {make_word(random)}",
            f'Don\'t "{make_word(random)}" Me',
            f"{make_word(random)}",
        )
    ) + random.choice(("", "", f" {make_word(random)}"))


def choose_concert_hall(random: Random) -> str:
    """Return the concert hall of a live version."""
    return random.choice(_CONCERT_HALLS)
