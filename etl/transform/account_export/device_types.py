"""What kind of device a play came from, by the text that the export has for its platform.

The texts are many hundreds ("Android OS 12 API 32 (Google, Pixel 5)", "web_player windows 10;chrome 95;desktop",
"Partner google cast_voice Google_Home;…"), and newer exports have but a word ("android", "ios", "windows", "mac",
"web player", "cast", "not_applicable").
"""

from functools import reduce

from pyspark.sql import Column
from pyspark.sql import functions as F

_EXACT_WORDS = {
    "MOBILE": ("android", "ios"),
    "DESKTOP": ("windows", "mac", "osx", "linux", "web player", "web_player"),
}
"""What newer exports have; the rules say the same, and cost more."""

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
"""The first rule that fits decides. Televisions, consoles, cars and watches are none of the four kinds, nor is what no
rule knows ("cast": nobody can tell what stood at its end)."""


def classify_device(platform: Column) -> Column:
    """MOBILE, DESKTOP, TABLET or SMART_SPEAKER; NULL where it is something else or not told."""
    text = F.lower(platform)
    expression = F.when(text.isNull(), F.lit(None).cast("string"))
    for kind, exact_words in _EXACT_WORDS.items():
        expression = expression.when(text.isin(*exact_words), F.lit(kind))
    return reduce(lambda rules, rule: rules.when(text.rlike(rule[0]), F.lit(rule[1])), _PATTERN_RULES, expression)
