"""Plays that two sources report are matched."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from etl.transform.events.play_matching import match_plays
from etl.transform.events.play_pairing import Play

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
RANK = {
    **{"extended_export": "x", "recently_played": "r", "basic_export": "b", "apple_music_export": "a"},
    **{"listenbrainz_export": "l", "lastfm_export": "f", "youtube_music_export": "y"},
}


def make_play(source: str, second: float, length: float | None = 200, number: int = 0, recording: int = 1) -> Play:
    """Return a play that starts at a second; without a length it is an instant, at either end of the play."""
    at = NOON + timedelta(seconds=second)
    ends = (None, None) if length is None else (at, at + timedelta(seconds=length))
    return Play((f"{RANK[source]}{second:g}{number or ''}", at), "u", recording, recording, source, *ends)


def match_pairs(*plays: Play) -> set[tuple[str, str]]:
    return {(match.retained_key[0], match.duplicate_key[0]) for match in match_plays(plays)}


@pytest.mark.parametrize("seconds", [0, 200, 90, -90, 290])
def test_a_recent_play_is_dated_by_its_start_or_by_its_end(seconds: float) -> None:
    assert match_pairs(make_play("extended_export", 0), make_play("recently_played", seconds, None)) == {
        ("x0", f"r{seconds:g}")
    }


@pytest.mark.parametrize("instant", [-3 * 3600 - 1, 291])
def test_an_instant_after_a_play_or_long_before_it_is_another_play(instant: float) -> None:
    assert match_pairs(make_play("extended_export", 0), make_play("recently_played", instant, None)) == set()
    assert match_pairs(make_play("recently_played", instant, None), make_play("basic_export", 0, 170)) == set()


@pytest.mark.parametrize("instant", [-3 * 3600, -600, -130, 200])
def test_a_pause_moves_a_play_away_from_its_start(instant: float) -> None:
    recent = make_play("recently_played", instant, None)
    rule = "time within a pause of 3 h"
    for source, retained in (("extended_export", "x0"), ("basic_export", recent.event_key[0])):
        (match,) = match_plays([make_play(source, 0, 400), recent])
        assert (match.retained_key[0], match.rule) == (retained, rule)


def test_a_nearer_instant_claims_a_paused_play() -> None:
    paused, second = make_play("extended_export", 600, 240), make_play("extended_export", 900, 240)
    recent = [make_play("recently_played", at, None) for at in (0, 900)]
    assert match_pairs(paused, second, *recent) == {("x600", "r0"), ("x900", "r900")}
    assert match_pairs(paused, *recent) == {("x600", "r900")}
    assert match_pairs(second, make_play("recently_played", 0, None), make_play("recently_played", 300, None)) == {
        ("x900", "r300")
    }


def test_a_source_that_tells_minutes_may_be_two_of_them_away() -> None:
    assert match_pairs(make_play("extended_export", 0), make_play("basic_export", 119)) == {("x0", "b119")}
    assert match_pairs(make_play("extended_export", 0), make_play("basic_export", 521, 100)) == set()


def test_two_plays_in_a_row_stay_two() -> None:
    real = [make_play("extended_export", at) for at in (0, 200, 400)]
    recent_plays = [make_play("recently_played", at + 200, None) for at in (0, 200, 400)]
    assert match_pairs(*real) == set()
    assert match_pairs(*real, *recent_plays) == {("x0", "r200"), ("x200", "r400"), ("x400", "r600")}
    assert match_pairs(*real, *recent_plays[:2]) == {("x0", "r200"), ("x200", "r400")}


def test_a_long_play_that_matches_nothing_does_not_hide_the_next_pair() -> None:
    long_told = (make_play("extended_export", 400), make_play("basic_export", 0, 1000), make_play("basic_export", 405))
    assert match_pairs(*long_told) == {("x400", "b405")}
    long_kept = (
        make_play("extended_export", 0, 1000),
        make_play("extended_export", 405),
        make_play("basic_export", 400),
    )
    assert match_pairs(*long_kept) == {("x405", "b400")}


def test_what_matches_nothing_within_a_play_does_not_hide_its_end() -> None:
    recent_plays = [make_play("recently_played", at, None) for at in (180, 600)]
    assert match_pairs(make_play("extended_export", 0, 600), *recent_plays) == {("x0", "r600")}
    assert match_pairs(
        *(make_play("extended_export", at, 10) for at in (180, 600)), make_play("basic_export", 0, 600)
    ) == {("x600", "b0")}


@pytest.mark.parametrize("offsets", [(0, 240, 480), (240, 480, 720), (0, 480, 720), (240, 240.5, 480)])
def test_tellings_of_a_loop_are_matched_one_by_one_whichever_end_each_is_dated_by(offsets: tuple[float, ...]) -> None:
    loop = [make_play("extended_export", at, 240) for at in (0, 240, 480)]
    recent_plays = [make_play("recently_played", at, None) for at in offsets]
    assert match_pairs(*loop, *recent_plays) == {(f"x{240 * place}", f"r{at:g}") for place, at in enumerate(offsets)}


def test_thousands_of_plays_within_a_minute_take_no_hour() -> None:
    short_plays = [
        make_play(source, second / 50, 0) for source in ("extended_export", "basic_export") for second in range(3000)
    ]
    assert len(match_pairs(*short_plays)) == 3000


@pytest.mark.parametrize(
    ("retained", "dropped", "rule"),
    [
        (make_play("extended_export", 0), make_play("recently_played", 5, None), "start to time within 90 s"),
        (make_play("extended_export", 0), make_play("recently_played", 195, None), "end to time within 90 s"),
        (make_play("extended_export", 0), make_play("basic_export", 5, 100), "start to start within 120 s"),
        (make_play("extended_export", 0), make_play("basic_export", 150, 52), "end to end within 120 s"),
        (make_play("extended_export", 0), make_play("basic_export", 202), "end to start within 120 s"),
        (make_play("recently_played", 302, None), make_play("basic_export", 100), "time to end within 120 s"),
    ],
)
def test_a_match_says_which_ends_lie_together(retained: Play, dropped: Play, rule: str) -> None:
    assert [(match.retained_key, match.duplicate_key, match.rule) for match in match_plays([dropped, retained])] == [
        (retained.event_key, dropped.event_key, rule)
    ]


def test_another_recording_or_user_is_another_play() -> None:
    second = make_play("recently_played", 0, None, recording=2)
    assert match_pairs(make_play("extended_export", 0), second) == set()
    assert (
        match_pairs(make_play("extended_export", 0), replace(make_play("recently_played", 0, None), user_id="v"))
        == set()
    )


def test_recordings_that_share_a_name_are_one_song_of_a_listener() -> None:
    by_id, by_name = make_play("extended_export", 0, recording=1), make_play("basic_export", 0, recording=2)
    for names, is_one in (
        ({1: ["name:a"], 2: ["name:a"]}, True),
        ({1: ["name:a"], 2: ["name:b"]}, False),
        ({1: ["name:a"], 3: ["name:a", "name:b"], 2: ["name:b"]}, False),
    ):
        assert bool(match_plays([by_id, by_name], names)) == is_one, names
    linking = make_play("extended_export", 5000, recording=3)
    assert match_plays([by_id, by_name, linking], {1: ["name:a"], 3: ["name:a", "name:b"], 2: ["name:b"]})


@pytest.mark.parametrize(
    ("source", "seconds_apart", "length", "is_one"),
    [
        ("extended_export", 1, 200, True),
        ("extended_export", 9, 200, True),
        ("extended_export", 9, 27, True),
        ("extended_export", 9, 26, False),
        ("extended_export", 3, 4, False),
        ("extended_export", 200, 200, False),
        ("basic_export", 0, 200, True),
        ("basic_export", 60, 300, True),
        ("basic_export", 60, 299, False),
        ("basic_export", 0, 60, True),
        ("basic_export", 0, 59, False),
        ("recently_played", 1, None, False),
    ],
)
def test_a_source_that_reports_a_play_twice_within_seconds(
    source: str, seconds_apart: float, length: float | None, is_one: bool
) -> None:
    twice = make_play(source, 0, length), make_play(source, seconds_apart, length, number=2)
    assert len(match_plays(twice)) == is_one
    if is_one:
        assert match_plays(twice)[0].rule == f"one source twice, ends {seconds_apart} s apart"


def test_the_first_of_near_duplicates_stays_and_is_matched() -> None:
    ends = [make_play("extended_export", at) for at in (0, 4, 9)]
    assert match_pairs(*ends, make_play("recently_played", 9, None)) == {("x0", "x4"), ("x0", "x9"), ("x0", "r9")}
    basic = make_play("basic_export", 0), make_play("basic_export", 0, number=2), make_play("extended_export", 20)
    assert match_pairs(*basic) == {("x20", "b0"), ("x20", "b02")}
    drifting = [make_play("extended_export", at) for at in (0, 35, 70)]
    assert match_pairs(*drifting) == {("x0", "x35")}


def test_a_basic_export_dates_an_offline_play_by_the_next_connection() -> None:
    offline = [replace(make_play("extended_export", at), is_offline=True) for at in (0, 600)]
    late = [make_play("basic_export", at, 200.5) for at in (32400, 32700)]
    assert match_pairs(*offline, *late) == {("x0", "b32400"), ("x600", "b32700")}
    assert {match.rule for match in match_plays([*offline, *late])} == {"offline, reported within 24 h"}
    assert match_pairs(*(replace(single_play, is_offline=False) for single_play in offline), *late) == set()
    true = make_play("basic_export", 0)
    assert match_pairs(offline[0], true, late[0]) == {("x0", "b0")}, "what else claims it"
    assert match_pairs(offline[0], make_play("basic_export", 9 * 3600, 202)) == set(), "another length"
    assert match_pairs(offline[1], true) == set() == match_pairs(offline[0], make_play("basic_export", 86401)), (
        "before, or a day later"
    )


def test_of_three_tellings_the_most_believed_stays() -> None:
    source_plays = [
        make_play("extended_export", 0),
        make_play("recently_played", 10, None),
        make_play("basic_export", 20),
    ]
    for order in permutations(source_plays):
        assert match_pairs(*order) == {("x0", "r10"), ("x0", "b20")}
    assert match_pairs(*source_plays[1:]) == {("r10", "b20")}


def test_what_has_gone_for_a_better_telling_is_matched_with_nothing_else() -> None:
    real = make_play("extended_export", 0)
    gone = make_play("basic_export", 205)
    assert match_pairs(real, gone, make_play("recently_played", 310, None)) == {("x0", "b205")}
    assert match_pairs(gone, make_play("recently_played", 310, None)) == {("r310", "b205")}
    recent_play = make_play("recently_played", 285, None)
    assert match_pairs(real, recent_play, make_play("basic_export", 400)) == {("x0", "r285")}
    assert match_pairs(recent_play, make_play("basic_export", 400)) == {("r285", "b400")}


def test_what_is_found_does_not_depend_on_the_order() -> None:
    plays = [make_play("extended_export", at) for at in (0, 210, 1000)]
    plays += [make_play("recently_played", at, None) for at in (205, 1205)] + [
        make_play("basic_export", at) for at in (60, 240, 3000)
    ]
    expected = match_pairs(*plays)
    assert len(expected) == 4
    assert all(match_pairs(*order) == expected for order in list(permutations(plays))[::997])


@pytest.mark.parametrize(
    ("first", "second", "length", "is_one"),
    [
        ("extended_export", "youtube_music_export", None, False),
        ("basic_export", "youtube_music_export", None, False),
        ("apple_music_export", "lastfm_export", None, False),
        ("apple_music_export", "recently_played", None, False),
        ("extended_export", "listenbrainz_export", 200, False),
        ("extended_export", "listenbrainz_export", None, True),
        ("extended_export", "lastfm_export", None, True),
    ],
)
def test_only_spotify_s_own_plays_are_paused(first: str, second: str, length: float | None, is_one: bool) -> None:
    later, earlier = make_play(first, 9000), make_play(second, 0, length)
    assert len(match_plays([later, earlier])) == is_one
    assert len(match_plays([later, make_play(second, 8990, length)])) == 1, "the same time"


def test_recently_played_dates_no_play_of_youtube_by_its_end() -> None:
    recent = make_play("recently_played", 240, None)
    assert match_pairs(recent, make_play("lastfm_export", 0, None)) == {("r240", "f0")}
    assert match_pairs(recent, make_play("youtube_music_export", 0, None)) == set()


def test_short_tracks_in_a_row_are_several_plays_of_a_service() -> None:
    row = [make_play("lastfm_export", 7 + 40 * number, None) for number in range(6)]
    assert match_pairs(*row) == set()
    assert match_pairs(row[0], make_play("lastfm_export", 17, None)) == {("f7", "f17")}
    assert match_pairs(make_play("lastfm_export", 60, None), make_play("lastfm_export", 119, None)) == {("f60", "f119")}
    assert match_pairs(make_play("lastfm_export", 61, None), make_play("lastfm_export", 120, None)) == set()
