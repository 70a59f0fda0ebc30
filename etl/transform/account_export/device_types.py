"""The kind of device of a play, derived from the export's text for the platform.

Older exports have many hundreds of texts ("Android OS 12 API 32 (Google, Pixel 5)", "web_player windows 10;chrome
95;desktop", "Partner google cast_voice Google_Home;…"). Newer exports have a word or two ("android", "ios", "windows",
"mac", "web player", "cast", "not_applicable").
"""

import re
from functools import reduce

from pyspark.sql import Column
from pyspark.sql import functions as F

_EXACT_WORDS = {
    "MOBILE": ("android", "ios"),
    "DESKTOP": ("windows", "mac", "osx", "linux", "web player", "web_player"),
}
"""The texts of newer exports. The patterns give the same result at a higher cost."""

_PATTERN_RULES: tuple[tuple[str, str | None], ...] = (
    (r"tablet|ipad|\(amazon, kf", "TABLET"),
    (
        r"(^|[^a-z])tv([^a-z]|$)|bravia|webos|tizen|roku|chromecast(?!.audio)|playstation|(^|[^a-z])ps[345]([^0-9]|$)"
        r"|scei|xbox|tesla|car.?thing|android.?auto|carplay|garmin|wear.?os|watch",
        None,
    ),
    (
        r"google.?home|home.?mini|nest|cast_voice|chromecast.audio|(^|[^a-z])echo([^a-z]|$)|alexa|amazon_"
        r"|sonos|homepod|bose|libratone|denon|heos|marantz|yamaha|onkyo|marshall|harman|jbl|bang.?.?olufsen|bluesound"
        r"|sound.?bar|speaker",
        "SMART_SPEAKER",
    ),
    (
        r"smartphone|iphone|ipod|(^|[^a-z])ios([^a-z]|$)|android|windows phone|symbian|blackberry|^(mobile|phone)",
        "MOBILE",
    ),
    (
        r"^(windows|win(32|64|10|11)?([^a-z]|$)|os.?x|mac|darwin|linux|ubuntu|chrome.?(os|book))"
        r"|^(desktop|computer|pc([^a-z]|$))|web.?player|^(web|browser)$|;desktop",
        "DESKTOP",
    ),
)
"""The first pattern that matches decides. Televisions, consoles, cars and watches have none of the four kinds. A text
that no pattern matches has no kind either ("cast" does not name the device that played)."""


def classify_device(platform: Column) -> Column:
    """Return MOBILE, DESKTOP, TABLET or SMART_SPEAKER; NULL for any other device or if unknown."""
    text = F.lower(platform)
    expression = F.when(text.isNull(), F.lit(None).cast("string"))
    for kind, exact_words in _EXACT_WORDS.items():
        expression = expression.when(text.isin(*exact_words), F.lit(kind))
    return reduce(lambda rules, rule: rules.when(text.rlike(rule[0]), F.lit(rule[1])), _PATTERN_RULES, expression)


def classify_device_text(platform: str) -> str | None:
    """Return what ``classify_device`` does, for a single text."""
    text = platform.lower()
    for kind, exact_words in _EXACT_WORDS.items():
        if text in exact_words:
            return kind
    return next((kind for pattern, kind in _PATTERN_RULES if re.search(pattern, text)), None)
