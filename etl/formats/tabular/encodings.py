"""Detection of legacy encodings, for text that is not UTF-8 and has no byte order mark.

Single bytes are ambiguous: é of Windows-1252 is й of Windows-1251. Each encoding therefore decodes the words that are
not plain ASCII, and the encoding wins in which they are the likeliest names of music. If several encodings give the
same text, the first of ``ENCODINGS`` represents them.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from etl.formats.tabular.letter_model import score_word

ENCODINGS: dict[str, float] = {
    **{"cp1252": 0.0, "iso-8859-15": -3.0, "cp1250": -4.0, "cp1254": -0.5, "iso-8859-2": -5.0, "cp1257": -9.0},
    **{"mac_roman": -7.0, "cp850": -8.0, "cp852": -10.0},
    **{"cp1251": -2.0, "koi8-r": -9.0, "iso-8859-5": -8.0, "cp866": -8.0, "mac_cyrillic": -8.0},
    **{"cp1253": -9.0, "iso-8859-7": -11.0, "cp1255": -4.0, "cp1256": -4.0, "cp874": -4.0},
    **{"cp932": -5.0, "gb18030": -5.0, "big5": -5.0, "cp949": -7.0, "euc_jp": -6.0},
}
"""The legacy encodings that are detected, by Python's names, with the log weight of their frequency in such files."""

CHOICES = (*ENCODINGS, "iso-8859-1", "iso-8859-9", "iso-8859-13", "cp437", "koi8-u", "shift_jis", "euc_kr")
"""The encodings that the operator may choose."""

_MULTI_BYTE_ENCODINGS = ("cp932", "gb18030", "big5", "cp949", "euc_jp", "shift_jis", "euc_kr")

_DISPLAY_NAMES = {
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
_WORDS_PER_BYTE = 40
_MAX_WORD_LENGTH = 400
_MAX_WORDS = 1_500
_UNDECODABLE_PENALTY = -34.0
_ENCODINGS_WITH_FOREIGN_KANA, _FOREIGN_KANA_PENALTY = ("gb18030", "big5", "cp949"), -2.0
_MAX_UNDECODABLE_FRACTION = 0.02
_REPLACEMENT_CHARACTER = "\ufffd"
_CERTAIN_SCORE_LEAD = 6.0
_EXAMPLE_COUNT = 3


@dataclass(frozen=True)
class EncodingGuess:
    """A possible encoding of a text.

    ``examples`` are words decoded by it. ``rival`` is the next encoding, if it is nearly as likely and decodes words
    differently, with the same words decoded by it.
    """

    encoding: str
    examples: tuple[str, ...]
    rival: tuple[str, tuple[str, ...]] | None = None

    def __str__(self) -> str:
        message = (
            f"The encoding is a guess: {get_display_name(self.encoding)}, which reads {_format_examples(self.examples)}"
        )
        if self.rival:
            encoding, examples = self.rival
            return (
                f"{message}; {get_display_name(encoding)} would read {_format_examples(examples)}. If names are wrong, "
                "choose the encoding in the form of kaggle_import, or save the file as UTF-8."
            )
        return f"{message}. If names are wrong, choose it in the form of kaggle_import, or save the file as UTF-8."


def is_single_byte(encoding: str) -> bool:
    """Return whether each byte of an encoding is one character."""
    return not encoding.startswith("utf") and encoding not in _MULTI_BYTE_ENCODINGS


def get_display_name(encoding: str) -> str:
    """Return the usual name of one of Python's encodings."""
    return _DISPLAY_NAMES.get(encoding, encoding.upper())


class NonAsciiWords:
    """A sample of the words of a text that are not plain ASCII: some for each byte, so that it has rare letters."""

    def __init__(self) -> None:
        self._words: dict[bytes, None] = {}
        self._byte_counts: Counter[int] = Counter()

    def add_lines(self, lines: bytes) -> None:
        """Add words of further complete lines."""
        for word in _WORD.findall(lines):
            if word in self._words or len(self._words) >= _MAX_WORDS or len(word) > _MAX_WORD_LENGTH:
                continue
            letters = set(word.translate(None, _ASCII))
            if any(self._byte_counts[letter] < _WORDS_PER_BYTE for letter in letters):
                self._byte_counts.update(letters)
                self._words[word] = None

    def rank_encodings(self) -> list[EncodingGuess]:
        """Return the possible encodings of the words, likeliest first."""
        scored: dict[tuple[str, ...], tuple[float, str]] = {}
        for encoding, rarity in ENCODINGS.items():
            texts = tuple(_decode_word(word, encoding) for word in self._words)
            failures = sum(_REPLACEMENT_CHARACTER in text for text in texts)
            max_failures = max(1, _MAX_UNDECODABLE_FRACTION * len(texts)) if len(texts) > 1 else 0
            if failures > (max_failures if is_single_byte(encoding) else 0):
                continue
            if texts not in scored:
                score = (
                    _score_words(texts)
                    + failures * _UNDECODABLE_PENALTY
                    + _FOREIGN_KANA_PENALTY * _count_foreign_kana(texts, encoding)
                )
                scored[texts] = (rarity + score, encoding)
        ranked = sorted(((score, encoding, texts) for texts, (score, encoding) in scored.items()), reverse=True)
        return [_build_guess(ranked[rank:]) for rank in range(len(ranked))]


def _decode_word(word: bytes, encoding: str) -> str:
    try:
        return word.decode(encoding)
    except UnicodeDecodeError:
        return word.decode(encoding, "replace")


def _score_words(texts: Iterable[str]) -> float:
    return math.fsum(score_word(word) for text in texts for word in text.replace(_REPLACEMENT_CHARACTER, "").split("|"))


def _count_foreign_kana(texts: Iterable[str], encoding: str) -> int:
    """Return the number of kana that a Chinese or Korean encoding decodes.

    Their bytes are common letters in other encodings.
    """
    if encoding not in _ENCODINGS_WITH_FOREIGN_KANA:
        return 0
    return sum("\u3041" <= letter <= "\u30fa" for text in texts for letter in text)


def _build_guess(ranked: list[tuple[float, str, tuple[str, ...]]]) -> EncodingGuess:
    """Return the first of some ranked encodings, with the second as its rival if their scores are close."""
    score, encoding, texts = ranked[0]
    if len(ranked) > 1 and score - ranked[1][0] < _CERTAIN_SCORE_LEAD:
        _, rival_encoding, rival_texts = ranked[1]
        differing = [pair for pair in zip(texts, rival_texts, strict=True) if pair[0] != pair[1]][:_EXAMPLE_COUNT]
        examples, rival_examples = zip(*differing, strict=True)
        return EncodingGuess(encoding, examples, (rival_encoding, rival_examples))
    return EncodingGuess(encoding, texts[:_EXAMPLE_COUNT])


def _format_examples(examples: Iterable[str]) -> str:
    return ", ".join(repr(text[:40]) for text in examples)
