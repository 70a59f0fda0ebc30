"""Texts for few plays, ties and missing figures, and the words of numbers."""

import re
from dataclasses import replace

import pytest

from etl.taste_text.figures import TasteFigures, parse_figures
from etl.taste_text.profile import write_profile
from etl.taste_text.statements import DEGREES, find_degree
from etl.taste_text.wording import (
    format_count,
    format_duration,
    format_name,
    format_part,
    format_percentage,
    join_clauses,
    join_words,
)

EVENING = (0,) * 18 + (6, 5, 4, 3, 2, 0)
FULL = TasteFigures(
    **{"year": 2026, "plays": 1234, "minutes_played": 4321, "tracks": 321, "artists": 45, "new_artists": 12},
    **{"earlier_plays": 900, "top_artist": "Ada & the Engines", "top_artist_plays": 120, "artists_at_top": 1},
    **{"top_genre": "indie pop", "top_genre_share": 0.41, "genres_at_top": 1, "earlier_top_genre_share": 0.1},
    **{"top_cluster": "acoustic, calm", "top_cluster_share": 0.4, "clusters_at_top": 1},
    catalogue_cluster_share=0.12,
    plays_by_hour=EVENING,
    distances={"energy": -0.8, "acousticness": 0.4, "tempo": 0.1},
    earlier_distances={"energy": -0.2, "acousticness": 0.5, "tempo": 0.1},
)  # type: ignore[arg-type]
ONE_PLAY = replace(
    FULL,
    **{"plays": 1, "minutes_played": 1, "tracks": 1, "artists": 1, "new_artists": 1, "earlier_plays": 0},
    **{"top_artist_plays": 1, "top_genre": None, "top_genre_share": None, "genres_at_top": 0},
    **{"earlier_top_genre_share": None, "top_cluster": None, "top_cluster_share": None, "clusters_at_top": 0},
    plays_by_hour=(0,) * 23 + (1,),
    distances={},
    earlier_distances={},
)  # type: ignore[arg-type]


def write_all(figures: TasteFigures) -> set[str]:
    """Return the texts of many users."""
    return {write_profile(figures, f"user {number}").text for number in range(60)}


def test_three_sentences_of_varied_phrases() -> None:
    texts = write_all(FULL)
    assert len(texts) > 20
    for text in texts:
        first, _, last = re.split(r"(?<=\.) (?=[A-Z“])", text)
        assert first.startswith("In 2026 you played 321 songs by 45 artists") and "some 72 hours" in first
        assert "Ada & the Engines" in first and "120 plays" in first
        assert re.match("(Compared with|Next to) 2025, indie pop grew from 10 % to 41 %, your", last)
        assert "calmer, and 12 of your 45 artists were new to you" in last


def test_the_same_for_the_same_user_and_year() -> None:
    assert write_profile(FULL, "ada") == write_profile(FULL, "ada")
    years = {write_profile(replace(FULL, year=year), "ada").text[8:60] for year in range(2000, 2030)}
    assert len(years) > 1


def test_one_play() -> None:
    assert write_all(ONE_PLAY) == {
        f"In 2026 you played one song by Ada & the Engines alone {word} one minute." for word in ("over", "in")
    }


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"tracks": 0, "artists": 0, "top_artist": None}, "you had one play of an unknown song"),
        ({"tracks": 0, "artists": 0, "top_artist": None, "plays": 20}, "you had 20 plays of unknown songs"),
        ({"minutes_played": 0}, "In 2026 you played one song by Ada & the Engines alone."),
        ({"tracks": 2, "artists": 2, "artists_at_top": 2}, "two artists share the first place (one play each)"),
        ({"tracks": 13, "artists": 2, "top_artist_plays": 7}, "(seven plays)"),
        ({"earlier_plays": 1}, "your only artist was new to you."),
        ({"earlier_plays": 1, "new_artists": 0}, "you discovered no new artist."),
        ({"earlier_plays": 1, "artists": 2, "new_artists": 2}, "all two artists were new to you."),
        ({"earlier_plays": 1, "artists": 2}, "one of your two artists was new to you."),
        ({"earlier_plays": 1, "artists": 20}, "one of your 20 artists was new to you."),
    ],
)
def test_grammar_of_small_numbers(changes: dict[str, object], words: str) -> None:
    for text in write_all(replace(ONE_PLAY, **changes)):  # type: ignore[arg-type]
        assert words in text


@pytest.mark.parametrize(
    ("changes", "unsaid"),
    [
        ({"genres_at_top": 2}, "indie pop"),
        ({"clusters_at_top": 2}, "acoustic, calm"),
        ({"catalogue_cluster_share": 0.39}, "acoustic, calm"),
        ({"plays_by_hour": (1,) * 24}, "of your plays)"),
        ({"plays_by_hour": (0,) * 23 + (9,)}, "of your plays)"),
        ({"distances": {}}, "calmer"),
        ({"earlier_top_genre_share": None}, "grew"),
        ({"earlier_top_genre_share": 0.4}, "grew"),
        ({"earlier_plays": 0}, "new to you"),
    ],
)
def test_what_the_figures_do_not_show_is_not_said(changes: dict[str, object], unsaid: str) -> None:
    assert any(unsaid in text for text in write_all(FULL))
    for text in write_all(replace(FULL, **changes)):  # type: ignore[arg-type]
        assert unsaid not in text


def test_a_degree_is_said_once_for_equal_ones() -> None:
    words = next(iter(write_all(replace(FULL, distances={"energy": -0.8, "tempo": 0.7}))))
    assert "clearly calmer and faster" in words or "acoustic, calm" in words
    assert [find_degree(distance) for distance in (-2, 1, 0.99, -0.6, 0.3)] == [
        "much",
        "much",
        "clearly",
        "clearly",
        "a little",
    ]
    assert [word for _, word in DEGREES] == ["much", "clearly", "a little"]


def test_words_of_numbers() -> None:
    assert [format_count(n, "play") for n in (0, 1, 2, 12, 13, 1234)] == [
        "no plays",
        "one play",
        "two plays",
        "twelve plays",
        "13 plays",
        "1,234 plays",
    ]
    fractions = (0, 0.004, 0.005, 0.01, 0.5, 0.99, 0.994, 1)
    assert [format_percentage(fraction) for fraction in fractions] == [
        "0 %",
        "less than 1 %",
        "less than 1 %",
        "1 %",
        "50 %",
        "99 %",
        "more than 99 %",
        "100 %",
    ]
    assert [format_duration(n) for n in (1, 599, 600, 90_000)] == [
        "one minute",
        "599 minutes",
        "some 10 hours",
        "some 1,500 hours",
    ]
    assert [format_part(1, 3), format_part(2, 40), format_part(1, 40)] == [
        "one of your three",
        "2 of your 40",
        "one of your 40",
    ]
    assert [join_words(["a"]), join_words(["a", "b"]), join_words(["a", "b", "c"])] == ["a", "a and b", "a, b and c"]
    assert join_clauses(["a", "b", "c"]) == "a, b, and c"
    assert format_name(" a\n b ") == "a b" and len(format_name("x" * 300)) == 80


def test_distances_of_few_plays_are_left_out() -> None:
    row = dict.fromkeys(TasteFigures.__dataclass_fields__) | {
        **{"plays_by_hour": [0] * 24, "featured_plays": 9, "earlier_featured_plays": 10},
        **{"distances": [1.0] * 9, "earlier_distances": [None, *[1.0] * 8], "top_genre_share": float("nan")},
    }
    figures = parse_figures(row, 2026)
    assert figures.distances == {} and len(figures.earlier_distances) == 8
    assert (figures.top_genre_share, figures.plays, figures.top_artist) == (None, 0, None)
