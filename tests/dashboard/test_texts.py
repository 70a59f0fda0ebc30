"""Names in all scripts in the picture, on the pages and in the sign-in form."""

from xml.etree import ElementTree

import pytest

from dashboard.page import escape_markdown
from dashboard.warehouse_reader import InvalidCredentialsError, sign_in
from dashboard.year_picture import render_year_picture

EVERY_CONTROL = "".join(map(chr, [*range(32), *range(127, 160), 0xFFFE, 0xFFFF, 0x202E]))
NAMES = [
    "Ada",
    f"A{EVERY_CONTROL}da",
    "\0",
    "]]>",
    "<script>alert(1)</script>",
    "&#0;",
    "a" * 10_000,
    "\ud83d",
    "😀 é ḋ",
]


@pytest.mark.parametrize("name", NAMES)
def test_the_picture_is_xml_whatever_the_names(name: str) -> None:
    figures = {"minutes_played": 1, "plays": 1, "artists": 1}
    picture = render_year_picture("2026", name, figures, {kind: [name] for kind in ("artist", "track", "genre")})
    texts = [element.text or "" for element in ElementTree.fromstring(picture).iter() if element.tag.endswith("text")]
    assert len(texts) == 13
    assert max(map(len, texts)) < 50
    assert not set("".join(texts)) & set(EVERY_CONTROL)
    if name == NAMES[1]:
        assert texts[0] == "A da"


def test_words_of_others_stay_on_one_line() -> None:
    assert escape_markdown("a\n# b\0\r\nc\u2028d") == "a \\# b c d"


@pytest.mark.parametrize(("name", "password"), [("ada\0", "x"), ("a\x1bda", "x"), ("ada", "x\0"), ("\udcff", "x")])
def test_a_sign_in_with_control_characters_is_refused(name: str, password: str) -> None:
    with pytest.raises(InvalidCredentialsError, match="control character"):
        sign_in("postgresql://127.0.0.1:1/warehouse", name, password)
