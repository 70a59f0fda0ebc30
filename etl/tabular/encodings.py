"""The older encoding of a text without a byte order mark that is no UTF-8: the likeliest one, and how sure that is.

Single bytes cannot prove what they are: é of Windows-1252 is й of Windows-1251. So each encoding is tried on the words
that have such bytes, and the one wins in which they are the likeliest names of music. Where several give the same
text, the first of ``ENCODINGS`` stands for all.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from etl.tabular.letters import likelihood

ENCODINGS: dict[str, float] = {
    **{"cp1252": 0.0, "iso-8859-15": -3.0, "cp1250": -4.0, "cp1254": -0.5, "iso-8859-2": -5.0, "cp1257": -9.0},
    **{"mac_roman": -7.0, "cp850": -8.0, "cp852": -10.0},
    **{"cp1251": -2.0, "koi8-r": -9.0, "iso-8859-5": -8.0, "cp866": -8.0, "mac_cyrillic": -8.0},
    **{"cp1253": -9.0, "iso-8859-7": -11.0, "cp1255": -4.0, "cp1256": -4.0, "cp874": -4.0},
    **{"cp932": -5.0, "gb18030": -5.0, "big5": -5.0, "cp949": -7.0, "euc_jp": -6.0},
}
"""The older encodings that are told, by Python's names, and how rare each is among such files, as a logarithm."""

CHOICES = (*ENCODINGS, "iso-8859-1", "iso-8859-9", "iso-8859-13", "cp437", "koi8-u", "shift_jis", "euc_kr")
"""The encodings that somebody may choose."""

_OF_SEVERAL_BYTES = ("cp932", "gb18030", "big5", "cp949", "euc_jp", "shift_jis", "euc_kr")

_NAMES = {
    "cp1252": "Windows-1252",
    "cp1250": "Windows-1250",
    "cp1251": "Windows-1251",
    "cp1253": "Windows-1253",
    "cp1254": "Windows-1254",
    "cp1255": "Windows-1255",
    "cp1256": "Windows-1256",
    "cp1257": "Windows-1257",
    "cp874": "Windows-874",
    "mac_roman": "Mac OS Roman",
    "mac_cyrillic": "Mac OS Cyrillic",
    "cp932": "Shift JIS",
    "cp949": "Windows-949",
}

_WORD = re.compile(rb'[^ \t\r\n,;"]*[\x80-\xff][^ \t\r\n,;"]*')
_ASCII = bytes(range(0x80))
_WORDS_A_BYTE = 40
_LONGEST_WORD = 400
_MOST_WORDS = 1_500
_UNDECODABLE = -34.0
_WITH_FOREIGN_KANA, _FOREIGN_KANA = ("gb18030", "big5", "cp949"), -2.0
_MOST_UNDECODABLE = 0.02
_NO_LETTER = "\ufffd"
_SURE = 6.0
_EXAMPLES = 3


@dataclass(frozen=True)
class Guess:
    """An encoding that a text may be of.

    ``examples`` are words as it reads them; ``rival`` is the next likely encoding that reads them otherwise and is
    nearly as likely, with its examples.
    """

    encoding: str
    examples: tuple[str, ...]
    rival: tuple[str, tuple[str, ...]] | None = None

    def __str__(self) -> str:
        said = f"The encoding is a guess: {display_name(self.encoding)}, which reads {_listed(self.examples)}"
        if self.rival:
            encoding, examples = self.rival
            return (
                f"{said}; {display_name(encoding)} would read {_listed(examples)}. Bytes cannot tell for sure: where "
                "names are wrong, choose the encoding in the form of kaggle_import, or save the file as UTF-8."
            )
        return f"{said}. Where names are wrong, choose it in the form of kaggle_import, or save the file as UTF-8."


def is_single_byte(encoding: str) -> bool:
    """Whether each byte of an encoding is a letter of its own."""
    return not encoding.startswith("utf") and encoding not in _OF_SEVERAL_BYTES


def display_name(encoding: str) -> str:
    """The usual name of one of Python's encodings."""
    return _NAMES.get(encoding, encoding.upper())


class Words:
    """The words of a text that are not plain ASCII: some for each byte, so that a rare letter is among them."""

    def __init__(self) -> None:
        self._words: dict[bytes, None] = {}
        self._seen: Counter[int] = Counter()

    def add(self, lines: bytes) -> None:
        """Look at further lines, whole ones."""
        for word in _WORD.findall(lines):
            if word in self._words or len(self._words) >= _MOST_WORDS or len(word) > _LONGEST_WORD:
                continue
            letters = set(word.translate(None, _ASCII))
            if any(self._seen[letter] < _WORDS_A_BYTE for letter in letters):
                self._seen.update(letters)
                self._words[word] = None

    def guesses(self) -> list[Guess]:
        """The encodings that they may be of, likeliest first."""
        scored: dict[tuple[str, ...], tuple[float, str]] = {}
        for encoding, rarity in ENCODINGS.items():
            texts = tuple(_decoded(word, encoding) for word in self._words)
            failures = sum(_NO_LETTER in text for text in texts)
            some = max(1, _MOST_UNDECODABLE * len(texts)) if len(texts) > 1 else 0
            if failures > (some if is_single_byte(encoding) else 0):
                continue
            if texts not in scored:
                score = _score(texts) + failures * _UNDECODABLE + _FOREIGN_KANA * _foreign_kana(texts, encoding)
                scored[texts] = (rarity + score, encoding)
        ranked = sorted(((score, encoding, texts) for texts, (score, encoding) in scored.items()), reverse=True)
        return [_guess(ranked[place:]) for place in range(len(ranked))]


def _decoded(word: bytes, encoding: str) -> str:
    try:
        return word.decode(encoding)
    except UnicodeDecodeError:
        return word.decode(encoding, "replace")


def _score(texts: Iterable[str]) -> float:
    return math.fsum(likelihood(word) for text in texts for word in text.replace(_NO_LETTER, "").split("|"))


def _foreign_kana(texts: Iterable[str], encoding: str) -> int:
    """How many Japanese letters a Chinese or Korean encoding reads, where their bytes are common letters of another."""
    if encoding not in _WITH_FOREIGN_KANA:
        return 0
    return sum("\u3041" <= letter <= "\u30fa" for text in texts for letter in text)


def _guess(ranked: list[tuple[float, str, tuple[str, ...]]]) -> Guess:
    """The first of some ranked encodings; the second is a rival where it is near."""
    score, encoding, texts = ranked[0]
    if len(ranked) > 1 and score - ranked[1][0] < _SURE:
        _, other, others = ranked[1]
        differing = [pair for pair in zip(texts, others, strict=True) if pair[0] != pair[1]][:_EXAMPLES]
        own, rivals = zip(*differing, strict=True)
        return Guess(encoding, own, (other, rivals))
    return Guess(encoding, texts[:_EXAMPLES])


def _listed(examples: Iterable[str]) -> str:
    return ", ".join(repr(text[:40]) for text in examples)
