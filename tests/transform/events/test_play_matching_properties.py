"""Properties of matched plays, for any reports."""

from datetime import UTC, datetime, timedelta
from itertools import combinations

from hypothesis import assume, given
from hypothesis import strategies as st

from etl.transform.events.play_matching import SOURCES, Match, match_plays
from etl.transform.events.play_pairing import MAX_PAUSE, Play

WITH_TIMES_ALONE = {"recently_played", "lastfm_export", "youtube_music_export"}
INSTANTS = {"recently_played", "lastfm_export", "listenbrainz_export"}
SPOTIFY_EXPORTS = {"extended_export", "basic_export"}
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


@st.composite
def _draw_plays(draw: st.DrawFn) -> list[Play]:
    words = st.tuples(
        st.sampled_from(SOURCES),
        st.integers(0, 900),
        st.none() | st.integers(0, 300),
        st.sampled_from(["u1", "u2"]),
        st.integers(1, 2),
    )
    reported = draw(st.lists(words, max_size=14, unique_by=lambda word: word[:2]))
    return [_make_play(number, *word) for number, word in enumerate(reported)]


def _make_play(number: int, source: str, second: int, length: int | None, user: str, recording: int) -> Play:
    at = NOON + timedelta(seconds=second)
    if source in WITH_TIMES_ALONE:
        length = None
    ends = (None, None) if length is None else (at, at + timedelta(seconds=length))
    return Play((f"{number:02}", at), user, recording, recording, source, *ends)


def is_start_or_end(*sources: str) -> bool:
    """Return whether one source gives the start or the end of a play, and the other one its start."""
    return "recently_played" in sources and INSTANTS.issuperset(sources)


def _match(plays: list[Play]) -> tuple[dict[tuple[str, datetime], Play], list[Match]]:
    return {play.event_key: play for play in plays}, match_plays(plays)


def _is_near_duplicate(match: Match) -> bool:
    return match.rule.startswith(("one source twice", "one service twice"))


def _is_paused(match: Match) -> bool:
    return match.rule.startswith("time within a pause")


@given(_draw_plays())
def test_a_play_is_matched_with_at_most_one_of_each_other_source(plays: list[Play]) -> None:
    by_id, matches = _match(plays)
    assert len({match.duplicate_key for match in matches}) == len(matches), "dropped twice"
    of_sources = [match for match in matches if not _is_near_duplicate(match)]
    assert len({(match.retained_key, by_id[match.duplicate_key].source) for match in of_sources}) == len(of_sources), (
        "two of one"
    )
    assert not {match.retained_key for match in matches} & {match.duplicate_key for match in matches}, (
        "kept and dropped"
    )


@given(_draw_plays())
def test_only_two_tellings_of_one_thing_by_two_sources_match_and_the_more_believed_stays(plays: list[Play]) -> None:
    by_id, matches = _match(plays)
    for match in matches:
        retained, dropped = by_id[match.retained_key], by_id[match.duplicate_key]
        assert (retained.user_id, retained.recording_key) == (dropped.user_id, dropped.recording_key)
        assert SOURCES.index(retained.source) < SOURCES.index(dropped.source) or _is_near_duplicate(match)
        if _is_near_duplicate(match):
            continue
        if _is_paused(match):
            instant, play = sorted((retained, dropped), key=lambda play: play.source not in INSTANTS)
            assert instant.source in INSTANTS and instant.ended_at is None and play.source in SPOTIFY_EXPORTS
            assert play.boundaries[0] - MAX_PAUSE <= instant.event_key[1] <= play.boundaries[-1], match
        else:
            assert min(
                abs(retained_end - second) for retained_end in retained.boundaries for second in dropped.boundaries
            ) <= timedelta(seconds=600 if is_start_or_end(retained.source, dropped.source) else 120)


@given(_draw_plays(), st.randoms(use_true_random=False))
def test_what_matches_depends_on_the_plays_alone(plays: list[Play], order: object) -> None:
    shuffled = order.sample(plays, len(plays))  # type: ignore[attr-defined]
    assert set(match_plays(plays)) == set(match_plays(shuffled)) == set(match_plays(iter(plays)))


@given(_draw_plays(), st.sampled_from(list(combinations(SOURCES, 2))))
def test_as_many_match_as_can(plays: list[Play], sources: tuple[str, str]) -> None:
    tolerance = timedelta(seconds=600 if is_start_or_end(*sources) else 120 if "basic_export" in sources else 90)
    reported_plays = sorted((play for play in plays if play.source in sources), key=lambda play: play.event_key[::-1])
    assume(not any(match_plays([play for play in reported_plays if play.source == source]) for source in sources))
    expected = 0
    for line in {(play.user_id, play.recording_key) for play in reported_plays}:
        first_plays, second_plays = (
            [play for play in reported_plays if (play.user_id, play.recording_key, play.source) == (*line, source)]
            for source in sources
        )
        expected += _count_most_pairs(first_plays, second_plays, tolerance)
    assert len(match_plays(reported_plays)) == expected


def _is_near(first: Play, second: Play, tolerance: timedelta) -> bool:
    instant, play = sorted((first, second), key=lambda play: play.source not in INSTANTS)
    if instant.source in INSTANTS and instant.ended_at is None and play.source in SPOTIFY_EXPORTS:
        return play.boundaries[0] - MAX_PAUSE <= instant.event_key[1] <= play.boundaries[-1] + tolerance
    return min(abs(end - other_end) for end in first.boundaries for other_end in second.boundaries) <= tolerance


def _count_most_pairs(first_plays: list[Play], second_plays: list[Play], tolerance: timedelta) -> int:
    """Return the maximum number of pairs, by brute force."""
    if not first_plays:
        return 0
    first, remaining_plays = first_plays[0], first_plays[1:]
    near = [second for second in second_plays if _is_near(first, second, tolerance)]
    taken = (
        1
        + _count_most_pairs(remaining_plays, [second for second in second_plays if second is not candidate], tolerance)
        for candidate in near
    )
    return max([_count_most_pairs(remaining_plays, second_plays, tolerance), *taken])


@given(_draw_plays())
def test_plays_a_day_apart_do_not_touch_each_other(plays: list[Play]) -> None:
    later = timedelta(days=1)
    moved = [
        Play(
            (f"later {play.event_key[0]}", play.event_key[1] + later),
            play.user_id,
            play.track_key,
            play.recording_key,
            play.source,
            play.started_at and play.started_at + later,
            play.ended_at and play.ended_at + later,
        )
        for play in plays
    ]
    assert set(match_plays(plays + moved)) == set(match_plays(plays)) | set(match_plays(moved))
