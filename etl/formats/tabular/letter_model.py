"""The likelihood of a text as names of music, from the letter sequences in the words of each language.

The words of most languages come from the Unicode CLDR (through Babel): the names of languages, countries and
currencies, about 1,500 words each. Some words that are common in titles are added. A word's score combines all
languages of its script, so the language that fits best dominates. Letters of two scripts in one word, a sign in the
middle of a word and capitals after lower-case letters make a word unlikely.
"""

import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from functools import cache, lru_cache
from itertools import pairwise

_SCRIPTS = {
    "LATIN": (
        *("en", "fr", "es", "pt", "de", "it", "nl", "sv", "da", "nb", "fi", "is", "et", "lv", "lt", "pl", "cs", "sk"),
        *("hu", "ro", "hr", "sl", "sq", "tr", "az", "ca", "gl", "ga", "eu"),
    ),
    "CYRILLIC": ("ru", "uk", "bg", "sr", "mk", "be"),
    "GREEK": ("el",),
    "HEBREW": ("he",),
    "ARABIC": ("ar", "fa"),
    "THAI": ("th",),
}
_IDEOGRAPHIC = ("ja", "zh", "zh_Hant", "ko")
_RARITY_BY_LANGUAGE = {"it": -0.5, "sv": -0.7, "da": -1.0, "nb": -1.0, "tr": -0.7, "pl": -0.7, "nl": -0.7, "fi": -1.0}
_RARITY_BY_LANGUAGE |= {"cs": -1.0, "hu": -1.0, "ro": -1.5, "hr": -1.5} | dict.fromkeys(
    ("en", "fr", "es", "pt", "de"), 0.0
)
_DEFAULT_RARITY = -2.0
"""The log weight of titles in a language that ``_RARITY_BY_LANGUAGE`` does not contain."""

_TITLE_WORDS = {
    "en": "beyoncé café fiancé naïve déjà vu mötley crüe motörhead zoë chloë señorita rosé cliché façade touché mø mýa "
    "björk tiësto röyksopp måneskin sinéad róisín rosalía céline dvořák chopin "
    "janáček mœnia blöndal håkan bjørn søren jónsi mgła boøwy queensrÿche",
    "fr": "à où ça là été mère père frère première dernière lumière rivière chœur cœur sœur âme même fête être très "
    "après fièvre prière manière poussière jamais vérité beauté déjà né aimé île château tête rêve garçon français "
    "noël brûle bohème éternité hélène amélie œuvre œuvres nœud désenchantée édith mylène",
    "es": "corazón canción él tú más sé mí qué adiós amor niña niño señor señora mañana año sueño pequeño españa "
    "ñ también así aquí después nació música día río está quién cómo dónde único último pasión razón perdón jamás",
    "pt": "não é você já só à até três amanhã coração paixão solidão canção joão são irmão mão chão nós céu história "
    "saudade lá também avião verão violão batidão corações emoções ilusões multidões forró acústico português cadê "
    "vovó bênção fé pé maçã fã irmã romântico música único último",
    "de": "für über schön mädchen süß größe weiß straße könig königin glück träume träumer grüße nächte hört würde "
    "müde männer heißt frühling wünsche fröhliche gehört möwe vögel",
    "it": "è più perché così città felicità già libertà però là può sarà verrà tornerò caffè perchè cioè né sì virtù "
    "gioventù verità papà metà lunedì",
    "sv": "på så är för när då här också även två må gå år gården hjärta kärlek jag åt får svår måne själ",
    "da": "på så når æ ø å går også år kærlighed hjerte dø ærlig død sø søster",
    "nb": "på så når går også år kjærlighet hjerte død sø gærne øl ål å bø høst sjømann",
    "fi": "yö sä mä tyttö päivä hyvää joulu sydän älä äiti vielä tänään",
    "pl": "się jest życie życia miłość miłości nie że już jesteś śmierć święta ręce piękna młodzi złota złoty wróć "
    "lubię chodź anioł aniołem kolęda gdzieś mała mój żółty źle będę chcę ścieżka łódź słońce który dziś moją naszą "
    "następna następny pamiętam tęsknię księżniczka pięć męskie "
    "mogą świat światło księżyc piosenka dziewczyna królowa późno śpiewać słowa wyjście szczęście",
    "cs": "láska která života život píseň dvořák janáček antonín martinů ještě křídla měsíc že když přes příběh česká "
    "děti anděl falešný ráno víš řeka",
    "sk": "láska môj keď čo život nežná píseň dieťa",
    "hu": "szerelem szép nélkül kő ő idő élet szívem magyar műsor között tűz gyűlölet hűség erdő lány álom",
    "ro": "să niciodată nicicând toată lumea și în iubire dragoste fără după inima noapte că viață dimineața mă ţi şi",
    "hr": "ljubav što još više noć željo srce moje sreća đavo nešto žena čekaj petrović marić jović živi život",
    "tr": "aşk aşkım değil şey şeyler bir güneş gün gözlerin yalnız çok sen için seni sevmiş kalmışım gitmiş gelmiş "
    "kış geceler şarkı dünya kalbim içimde öyle böyle ateş herşey başka türkü yağmur deniz kadın ağla yıldız hiç "
    "sıcak ışık kırmızı aynı artık hayatım",
    "nl": "één zoë wêr ideeën vóór geïnspireerd",
    "is": "það ég þú sigur rós jóhann ólafur þór frá því",
    "et": "sõna öö sa õnn mõtlen",
    "lt": "meilė širdis naktis tu aš vėl būti",
    "lv": "mīlestība sirds kā viņa būs zvaigzne",
    "he": "שלום אהבה לב שיר ילדה ילד לילה אני אתה את של לא כל יום עולם חיים אמא בוא חלום שמש ים",
    "ru": "любовь ночь ты меня песня сердце зима осень друг и в я с у о к",
}
_TITLE_WORD_WEIGHT = 4
_TITLE_WORD_SCORE = -5.0
"""The lowest log likelihood of a word in ``_TITLE_WORDS``."""

_SMOOTHING = 8
_ALPHABET_SMOOTHING = 5
_UNSEEN_COUNT = 0.02

_WIDE_SIGNS = "・、。「」『』【】《》（）！？～〜：＆，\u3000"
_SIGN_SCORES = dict.fromkeys("’“”–", -5.0) | dict.fromkeys("‘…´•°€™®©¡¿«»·½²¼³º§£¥†—ª÷×", -6.5)
_SIGN_SCORES |= dict.fromkeys(_WIDE_SIGNS, -4.5)
_UNUSUAL_SIGN, _CONTROL_CHARACTER, _BETWEEN_THOUSANDS = -11.0, -40.0, -2.0
_SIGN_IN_WORD, _DASH_IN_WORD, _SIGN_AT_WORD = -10.0, -4.0, -6.0
_MIXED_SCRIPTS, _LONE_LETTER, _UNKNOWN_SCRIPT = -10.0, -3.0, -12.0
_INNER_CAPITAL, _CAPITAL_PREFIX, _LOWERCASE_INITIAL = -7.0, -4.0, -2.0
_IDEOGRAPH_BESIDE_LATIN, _LONE_IDEOGRAPH_IN_WORD = -4.0, -4.0
_BESIDE_WORDS = frozenset(f"’‘“”™®©°…´»!·–—•{_WIDE_SIGNS}")
_MIXED_CASE_NAME = re.compile("^(Mc|Mac|Di|De|Du|La|Le|Fitz|O)[A-Z]")
_AFTER_APOSTROPHE = frozenset(
    ["s", "t", "m", "d", "ll", "re", "ve", "n", "em", "til", "cause", "clock", "round", "bout"]
)
_BEFORE_APOSTROPHE = frozenset(["l", "d", "j", "m", "n", "s", "t", "c", "qu", "o", "y", "all", "rock"])
_KANA, _SYLLABLES, _FULL_WIDTH = 80, 2_350, 3_000
_COMMON_IDEOGRAPHS, _RARE_IDEOGRAPHS = 6_000, 1_000_000
"""The number of equally likely letters of each group in Chinese, Japanese and Korean."""
_COMMON_IDEOGRAPH_RANGES = (("cp932", 0x88, 0x97), ("gb2312", 0xB0, 0xD7), ("big5", 0xA4, 0xC6))


class _LetterModel:
    """A trigram model of the letters in the words of one language."""

    def __init__(self, language: str) -> None:
        titles = _TITLE_WORDS.get(language, "").split()
        self._titles = frozenset(titles)
        self._pairs: dict[str, Counter[str]] = defaultdict(Counter)
        self._triples: dict[str, Counter[str]] = defaultdict(Counter)
        self._single: Counter[str] = Counter()
        for words, weight in ((_read_cldr_words(language), 1), (titles, _TITLE_WORD_WEIGHT)):
            for word in words:
                second_previous, previous = "", "^"
                for letter in f"{word}$":
                    self._single[letter] += weight
                    self._pairs[previous][letter] += weight
                    self._triples[second_previous + previous][letter] += weight
                    second_previous, previous = previous, letter
        self._count = self._single.total()

    def score_word(self, word: str) -> float:
        """Return the log likelihood of a word in lower case."""
        result, second_previous, previous = 0.0, "", "^"
        for letter in f"{word}$":
            result += math.log(self._estimate_probability(second_previous, previous, letter))
            second_previous, previous = previous, letter
        return max(result, _TITLE_WORD_SCORE) if word in self._titles else result

    def _estimate_probability(self, second_previous: str, previous: str, letter: str) -> float:
        probability = (self._single[letter] + _UNSEEN_COUNT) / (self._count + _ALPHABET_SMOOTHING)
        for followers in (self._pairs.get(previous), self._triples.get(second_previous + previous)):
            if followers:
                probability = (followers[letter] + _SMOOTHING * probability) / (followers.total() + _SMOOTHING)
        return probability


def _read_cldr_words(language: str) -> set[str]:
    """Return the words of the CLDR in a language, in lower case."""
    from babel import Locale  # Slow to load, and needed only for files in legacy encodings.

    locale = Locale.parse(language)
    texts: Iterable[str] = (
        str(name)
        for names in (locale.languages, locale.territories, locale.scripts, locale.currencies, locale.variants)
        for name in names.values()
    )
    words = {word.lower() for text in texts for word in re.findall(r"[^\W\d_](?:[^\W\d_]|[’'])+", text)}
    return words


@cache
def _load_language_models(script: str) -> list[tuple[float, Callable[[str], float]]]:
    """Return the log weight and the scoring function of each language of a script."""
    is_latin = script == "LATIN"
    return [
        (_RARITY_BY_LANGUAGE.get(name, _DEFAULT_RARITY) if is_latin else 0.0, _get_scorer(_LetterModel(name)))
        for name in _SCRIPTS.get(script, ())
    ]


def _get_scorer(letters: _LetterModel) -> Callable[[str], float]:
    return letters.score_word


@cache
def _count_ideographs() -> tuple[Counter[str], int]:
    """Return the frequency in the CLDR of each letter of Chinese, Japanese and Korean, and the total."""
    counts = Counter(letter for language in _IDEOGRAPHIC for word in _read_cldr_words(language) for letter in word)
    return counts, counts.total()


@lru_cache(maxsize=1 << 14)
def _get_script(letter: str) -> str:
    """Return the script of a letter: the first word of its Unicode name, such as LATIN; "" for other characters."""
    if letter.isascii():
        return "LATIN" if letter.isalpha() else ""
    if unicodedata.category(letter)[0] not in "LM" or letter in "ªº":
        return ""
    first_word = unicodedata.name(letter, "").partition(" ")[0].partition("-")[0]
    return "IDEOGRAPH" if first_word in ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "FULLWIDTH") else first_word


@lru_cache(maxsize=1 << 14)
def _score_ideograph(letter: str) -> float:
    counts, total = _count_ideographs()
    return math.log(0.3 * counts[letter] / total + 0.7 / _get_alphabet_size(letter, unicodedata.name(letter, "")))


def _get_alphabet_size(letter: str, name: str) -> int:
    if name.startswith(("HIRAGANA", "KATAKANA")):
        return _KANA
    if name.startswith("FULLWIDTH"):
        return _FULL_WIDTH
    if name.startswith("HANGUL SYLLABLE"):
        return _SYLLABLES if _is_encodable("euc_kr", letter) else _RARE_IDEOGRAPHS
    return _COMMON_IDEOGRAPHS if name.startswith("CJK") and _is_common(letter) else _RARE_IDEOGRAPHS


def _is_common(letter: str) -> bool:
    return any(
        _is_encodable(encoding, letter) and low <= letter.encode(encoding)[0] <= high
        for encoding, low, high in _COMMON_IDEOGRAPH_RANGES
    )


def _is_encodable(encoding: str, letter: str) -> bool:
    """Return whether an encoding has a code for a letter; EUC-KR encodes other syllables as sequences of parts."""
    try:
        return len(letter.encode(encoding)) <= 2
    except UnicodeEncodeError:
        return False


@lru_cache(maxsize=1 << 16)
def _score_run(run: str, script: str) -> float:
    """Return the log likelihood of a run of letters of one script."""
    if script == "IDEOGRAPH":
        syllables = sum("\uac00" <= letter <= "\ud7a3" for letter in run)
        return sum(map(_score_ideograph, run)) + (_MIXED_SCRIPTS if 0 < syllables < len(run) else 0.0)
    languages = _load_language_models(script)
    if not languages:
        return _UNKNOWN_SCRIPT * len(run)
    small = run.lower()
    scores = [rarity + scorer(small) for rarity, scorer in languages]
    best = max(scores)
    return best + math.log(sum(math.exp(score - best) for score in scores)) + _score_case(run)


def _score_case(run: str) -> float:
    if run.islower() or run.isupper() or run.istitle():
        return 0.0
    inner_capitals = sum(letter.islower() and next_letter.isupper() for letter, next_letter in pairwise(run))
    result = 0.0 if inner_capitals == 1 and _MIXED_CASE_NAME.match(run) else _INNER_CAPITAL * inner_capitals
    result += _CAPITAL_PREFIX if len(run) > 2 and run[:2].isupper() else 0.0
    return result + (_LOWERCASE_INITIAL if not inner_capitals and run[:1].islower() else 0.0)


@lru_cache(maxsize=1 << 17)
def score_word(word: str) -> float:
    """Return the log likelihood of a word with the signs around and in it; 0 for plain ASCII."""
    if word.isascii():
        return 0.0
    runs: list[tuple[str, str]] = []
    for letter in word:
        script = _get_script(letter)
        if runs and script and runs[-1][0] == script:
            runs[-1] = (script, runs[-1][1] + letter)
        else:
            runs.append((script, letter))
    padded_runs = [("", ""), *runs, ("", "")]
    return sum(
        _score_segment(word, *neighbours) for neighbours in zip(padded_runs, runs, padded_runs[2:], strict=False)
    )


def _score_segment(word: str, before: tuple[str, str], run: tuple[str, str], after: tuple[str, str]) -> float:
    script, text = run
    if not script:
        return 0.0 if text.isascii() else _score_sign(text, before, after)
    result = _score_run(text, script)
    if script == "IDEOGRAPH" and len(text) == 1 and (before[1][-1:].islower() or after[1][:1].islower()):
        result += _LONE_IDEOGRAPH_IN_WORD
    if before[0]:
        result += _IDEOGRAPH_BESIDE_LATIN if "IDEOGRAPH" in (script, before[0]) else _MIXED_SCRIPTS
    is_lone = len(text) == 1 and len(word) > 1 and script != "LATIN"
    return result + (_LONE_LETTER if is_lone else 0.0)


def _score_sign(sign: str, before: tuple[str, str], after: tuple[str, str]) -> float:
    if unicodedata.category(sign) in ("Cc", "Co", "Cn", "Cs"):
        return _CONTROL_CHARACTER
    if sign == "\u00a0" and before[1][-1:].isdigit() and after[1][:1].isdigit():
        return _BETWEEN_THOUSANDS
    result = _SIGN_SCORES.get(sign, _UNUSUAL_SIGN)
    if sign in _WIDE_SIGNS and "IDEOGRAPH" in (before[0], after[0]):
        return result
    if before[0] and after[0]:
        is_short_form = before[1].lower() in _BEFORE_APOSTROPHE or after[1].lower() in _AFTER_APOSTROPHE
        if sign in "’´‘" and is_short_form:
            return result
        is_compound = sign in "·’´‘–—" and after[1][:1].isupper()
        return result + (_DASH_IN_WORD if is_compound else _SIGN_IN_WORD)
    is_fit = (sign in _BESIDE_WORDS and not (after[0] and sign in "”…»™®©°")) or (sign in "¡¿«" and not before[0])
    return result + (_SIGN_AT_WORD if (before[0] or after[0]) and not is_fit else 0.0)
