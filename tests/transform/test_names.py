"""Titles and artists are normalized for comparison."""

import unicodedata
from dataclasses import astuple

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from etl.transform import name_texts
from etl.transform.names import (
    alternate_artist_key,
    artist_key,
    fold_text,
    loose_artist_key,
    name_derived_track_id,
    split_title,
)

# The parts of a title: title, version, edition, credit.
TITLES = {
    # Only the words after the base title are classified.
    "Live and Let Die": ("live and let die", "", "", ""),
    "With or Without You": ("with or without you", "", "", ""),
    "1999": ("1999", "", "", ""),
    "Acoustic": ("acoustic", "", "", ""),
    "(I Can't Get No) Satisfaction": ("i cant get no satisfaction", "", "", ""),
    "(I Can't Get No) Satisfaction - Mono Version": ("i cant get no satisfaction", "", "mono version", ""),
    "Medley (Live and Let Die)": ("medley live and let die", "", "", ""),
    # Credits are split off.
    "Work ft. Drake": ("work", "", "", "ft drake"),
    "Work (feat. Drake)": ("work", "", "", "feat drake"),
    "Sunflower [with Swae Lee]": ("sunflower", "", "", "with swae lee"),
    "Work (feat. Drake) - R3hab Remix": ("work", "r3hab remix", "", "feat drake"),
    # Editions are the same recording.
    "Song - Remastered 2011": ("song", "", "remastered 2011", ""),
    "Song - 2011 Remaster": ("song", "", "2011 remaster", ""),
    "Song - Remasterized": ("song", "", "remasterized", ""),
    "Song - Remasterizado": ("song", "", "remasterizado", ""),
    "1999 - 2019 Remaster": ("1999", "", "2019 remaster", ""),
    "Song - 2007": ("song", "", "2007", ""),
    "Song - Radio Edit": ("song", "", "radio edit", ""),
    "Song - Single Version": ("song", "", "single version", ""),
    "Song - Original Mix": ("song", "", "original mix", ""),
    "Song (Explicit Album Version)": ("song", "", "explicit album version", ""),
    'Song - 7" Version': ("song", "", "7 version", ""),
    "Song [Bonus Track]": ("song", "", "bonus track", ""),
    "Song (Deluxe Edition)": ("song", "", "deluxe edition", ""),
    # Versions are separate recordings.
    "Song - Live": ("song", "live", "", ""),
    "Song - Live Version": ("song", "live", "", ""),
    "Song -Live-": ("song", "live", "", ""),
    "Song - Live at Wembley": ("song", "live at wembley", "", ""),
    "Song - Ao Vivo": ("song", "ao vivo", "", ""),
    "Song - Live / Remastered 2009": ("song", "live", "remastered 2009", ""),
    # A title with "live" is a live version, regardless of its edition.
    **{
        f"Song - {said}": ("song", "live", "", "")
        for said in (
            *("Live Remastered", "Live, Remastered", "Live Remastered 2011", "2011 Remastered Live Version"),
            *("Live 2011 Remaster", "Live Bonus Track", "Live Mono", "Stereo Live", "Live Deluxe Edition"),
            *("Live Edition", "Live Bonus"),
        )
    },
    "Song - Live 2011": ("song", "live 2011", "", ""),
    "Song - Live in Stereo": ("song", "live in stereo", "", ""),
    "Song (Acústico)": ("song", "acustico", "", ""),
    "Song - Acoustic Version": ("song", "acoustic", "", ""),
    "Song (Tiësto Remix) [Radio Edit]": ("song", "tiesto remix", "radio edit", ""),
    "Song - Extended Mix": ("song", "extended mix", "", ""),
    "Song - Instrumental": ("song", "instrumental", "", ""),
    "Song (Karaoke Version)": ("song", "karaoke", "", ""),
    "Song - Sped Up": ("song", "sped up", "", ""),
    "Song - slowed + reverb": ("song", "slowed and reverb", "", ""),
    "Song (Re-Recorded)": ("song", "re recorded", "", ""),
    "Song (Taylor's Version)": ("song", "taylors", "", ""),
    "Song - Demo": ("song", "demo", "", ""),
    "Song - MTV Unplugged": ("song", "mtv unplugged", "", ""),
    "Song (A Cappella)": ("song", "a cappella", "", ""),
    "Song (Metallica Cover)": ("song", "metallica cover", "", ""),
    # Words of no class belong to the title.
    "Song (Part 2)": ("song part 2", "", "", ""),
    "Song (Chapter 12)": ("song chapter 12", "", "", ""),
    "Song - From the Vault": ("song from the vault", "", "", ""),
    # Only punctuation: it folds to an empty text, so it stays.
    "???": ("???", "", "", ""),
    "... (Live)": ("...", "live", "", ""),
    "()": ("()", "", "", ""),
}

FOLDED = {
    "  Beyoncé  ": "beyonce",
    "İstanbul": "istanbul",
    "Straße": "strasse",
    "Sigur Rós & Björk": "sigur ros and bjork",
    "Florence + The Machine": "florence and the machine",
    "Don’t Stop": "dont stop",
    "Don´t Stop": "dont stop",
    "a\t+\u3000b": "a and b",
    "Rock 'n' Roll": "rock n roll",
    "ＡＢＣ １２３": "abc 123",
    "𝓛𝓸𝓿𝓮": "love",
    "Ёлка": "елка",
    "Μάγια ς": "μαγια σ",
    "クリスマス・ラブ": "クリスマス ラブ",
    "ガ": "ガ",
    "カ": "カ",
    "愛": "愛",
    "!!!": "!!!",
}


def test_titles_fall_into_their_parts(spark: SparkSession) -> None:
    frame = spark.createDataFrame([(title,) for title in TITLES], "name string")
    actual = frame.select("name", split_title(F.col("name")).alias("parts")).collect()
    assert {row.name: tuple(row.parts) for row in actual} == TITLES


def test_titles_and_names_have_the_same_parts_without_spark() -> None:
    assert {title: astuple(name_texts.split_title(title)) for title in TITLES} == TITLES
    assert {name: name_texts.fold_text(name) for name in FOLDED} == FOLDED


_TITLE_PIECES = st.sampled_from(
    [
        *(
            "live",
            "Live at",
            "remaster",
            "2011",
            "feat. X",
            "(",
            ")",
            "[",
            " - ",
            " – ",
            "/",
            ";",
            "mix",
            "Ver",
            "&",
            " + ",
        ),
        *(
            "version",
            "cover",
            '12"',
            "ao vivo",
            "étude",
            "Ёлка",
            "愛",
            "ガ",
            "ि",
            "क",
            "½",
            "٣",
            "\u0301",
            "\u2003",
            "\x85",
        ),
        *("İ", "ß", "Σ", "・", "【", "𝓛", "😀", "_", "'", "’", " "),
    ]
)
_NAMES = st.lists(_TITLE_PIECES, min_size=1, max_size=8).map("".join) | st.text(min_size=1, max_size=20)


# No shrinking, as below.
@settings(max_examples=8, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(st.lists(_NAMES.filter(lambda text: "\0" not in text), min_size=40, max_size=120))
def test_spark_and_python_give_the_same_keys(spark: SparkSession, texts: list[str]) -> None:
    frame = spark.createDataFrame([(text,) for text in texts], "name string")
    parts, artist = split_title(F.col("name")), artist_key(F.col("name"))
    track_id = name_derived_track_id(F.col("parts.title"), F.col("parts.version"), F.col("artist"))
    # Java and Python know different versions of Unicode: a character that one of them does not know is no letter there.
    java_unassigned = F.length(F.regexp_replace("name", r"\P{Cn}", "")).alias("java_unassigned")
    names = frame.select("name", parts.alias("parts"), artist.alias("artist"), java_unassigned)
    for row in names.withColumn("track_id", track_id).collect():
        if row.java_unassigned != sum(unicodedata.category(character) == "Cn" for character in row.name):
            continue
        assert astuple(name_texts.split_title(row.name)) == tuple(row.parts), ascii(row.name)
        assert name_texts.artist_key(row.name) == row.artist, ascii(row.name)
        assert name_texts.name_derived_track_id(row.name, row.name) == row.track_id, ascii(row.name)


def test_names_are_folded(spark: SparkSession) -> None:
    assert _apply_to_each(spark, fold_text, list(FOLDED)) == list(FOLDED.values())


@pytest.mark.parametrize(
    ("first", "second"), [("The Beatles", "the  beatles"), ("JAY-Z", "Jay Z"), ("Beyoncé", "Beyonce\u0301")]
)
def test_artists_spelt_differently_are_one(spark: SparkSession, first: str, second: str) -> None:
    assert len(set(_apply_to_each(spark, artist_key, [first, second]))) == 1


def test_a_leading_the_tells_artists_apart_but_not_what_finds_them(spark: SparkSession) -> None:
    names = ["The-Dream", "Dream", "THE CHANGE", "Change", "The", "The The", "Theory"]
    keys = ["the dream", "dream", "the change", "change", "the", "the the", "theory"]
    assert _apply_to_each(spark, artist_key, names) == keys
    loose = ["dream", "dream", "change", "change", "the", "the", "theory"]
    assert _apply_to_each(spark, loose_artist_key, keys) == loose
    others = ["dream", "the dream", "change", "the change", "the the", "the", "the theory"]
    assert _apply_to_each(spark, alternate_artist_key, keys) == others


# No shrinking: each try is a Spark job, and a list of texts shrinks slowly.
@settings(max_examples=8, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(st.lists(st.text(min_size=1, max_size=30).filter(lambda text: "\0" not in text), min_size=20, max_size=60))
def test_folding_again_changes_nothing(spark: SparkSession, texts: list[str]) -> None:
    once = _apply_to_each(spark, fold_text, texts)
    assert _apply_to_each(spark, fold_text, [str(text) for text in once]) == once
    assert _apply_to_each(spark, fold_text, [f" {text.upper().lower()}\t" for text in texts]) == _apply_to_each(
        spark, fold_text, [text.upper().lower() for text in texts]
    )


def test_a_made_id_is_the_same_for_all_spellings_of_one_recording(spark: SparkSession) -> None:
    spellings = [("Song", "Nova"), ("SONG (feat. X)", "nova"), ("Söng - Remastered 2009", "NOVA")]
    others = [("Song - Live", "Nova"), ("Song", "Novas"), ("Songs", "Nova"), ("Song", "The Nova")]
    frame = spark.createDataFrame(spellings + others, "name string, artist string")
    parts = frame.select(split_title(F.col("name")).alias("p"), artist_key(F.col("artist")).alias("artist"))
    ids = [
        row[0]
        for row in parts.select(name_derived_track_id(F.col("p.title"), F.col("p.version"), F.col("artist"))).collect()
    ]
    assert len(set(ids[:3])) == 1
    assert len(set(ids)) == 5
    assert all(len(made) == len("name:") + 20 for made in ids)


def _apply_to_each(spark: SparkSession, function: object, texts: list[str]) -> list[str]:
    frame = spark.createDataFrame([(place, text) for place, text in enumerate(texts)], "place int, text string")
    actual = frame.select("place", function(F.col("text")).alias("made")).collect()  # type: ignore[operator]
    return [row.made for row in sorted(actual, key=lambda row: row.place)]
