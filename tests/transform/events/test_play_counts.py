"""Counted plays are actual plays, regardless of their sources: plays and their reports are drawn at random."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st

from etl.transform.events.play_matching import match_plays
from etl.transform.events.play_pairing import Play
from tests.listener_plays import ActualPlay

FIRST = datetime(2026, 11, 2, 12, tzinfo=UTC)
SESSION_GAP = timedelta(hours=5)
SONGS = 3
IDS_A_SONG = 3
ALIAS_OF_OTHERS = 99
"""The id of a song's name, from another listener's import: the smallest of the song's ids."""


plays_of_session = st.lists(
    st.tuples(
        st.integers(0, SONGS - 1),
        st.integers(0, IDS_A_SONG - 1),
        st.sampled_from([0, 1, 3, 30, 95, 180, 181, 240, 600]),
        st.sampled_from([0, 0, 0, 2, 40, 600, 3600]),
        st.sampled_from([0, 0, 1, 20, 300]),
    ),
    min_size=1,
    max_size=6,
)
reporters = st.sets(st.sampled_from(["extended_export", "recently_played", "basic_export"]), min_size=1)
sessions = st.lists(st.tuples(plays_of_session, reporters), min_size=1, max_size=3)


def make_plays(rows: Sequence[tuple[int, int, int, int, int]], at: datetime) -> list[ActualPlay]:
    plays = []
    for song, variant, heard, paused, idle in rows:
        at += timedelta(seconds=idle)
        plays.append(ActualPlay(song, variant, at, timedelta(seconds=heard), timedelta(seconds=paused)))
        at = plays[-1].ended_at
    return plays


def make_report(actual: ActualPlay, source: str, number: int, is_dated_by_end: bool) -> Play:
    """Return the report of a play by a source: a basic export has only minute and name, recently played an instant."""
    track = 10 * actual.song + actual.variant
    if source == "recently_played":
        at = actual.ended_at if is_dated_by_end else actual.started_at
        return Play((f"{number:03}", at), "u", track, track, source, None, None)
    ended_at = actual.ended_at.replace(second=0) if source == "basic_export" else actual.ended_at
    started_at = ended_at - actual.heard
    track = track if source == "extended_export" else ALIAS_OF_OTHERS + actual.song
    return Play((f"{number:03}", started_at), "u", track, track, source, started_at, ended_at)


NAMES = {
    **{10 * song + variant: [f"name:{song}"] for song in range(SONGS) for variant in range(IDS_A_SONG)},
    **{ALIAS_OF_OTHERS + song: [f"name:{song}"] for song in range(SONGS)},
}


@settings(max_examples=1000, deadline=None, database=None)
@given(sessions, st.lists(st.booleans(), min_size=18, max_size=18), st.integers(0, 9), st.randoms())
def test_plays_counted_are_plays_made(
    drawn: list[tuple[list[tuple[int, int, int, int, int]], set[str]]],
    dated_by_end: list[bool],
    seconds_apart: int,
    order: object,
) -> None:
    at, numbers = FIRST, count()
    made: list[ActualPlay] = []
    records: list[Play] = []
    for rows, sources in drawn:
        session = make_plays(rows, at)
        at = session[-1].ended_at + SESSION_GAP
        for number, play in enumerate(session, len(made)):
            for source in sorted(sources):
                records.append(make_report(play, source, next(numbers), dated_by_end[number]))
                if source == "extended_export" and play.heard >= timedelta(seconds=95) and seconds_apart:
                    later = replace(play, paused=play.paused + timedelta(seconds=seconds_apart))
                    records.append(make_report(later, source, next(numbers), False))
        made += session
    order.shuffle(records)  # type: ignore[attr-defined]
    assert len(records) - len(match_plays(records, NAMES)) == len(made)
