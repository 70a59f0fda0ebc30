"""Plays that several source records report, matched by user, song and time.

Two records can report one play in four ways:

- two records of one source whose intervals overlap almost completely (``_find_near_duplicates``),
- records of two sources, a start or end of one close to a start or end of the other,
- the start of a paused play of Spotify: its exports know only the end of the play and the time played, so that the
  computed start is too late by the length of the pause; recently played and scrobbles know the true one,
- an offline play that the extended export dates by its start, and the basic one by the time the app was online again.

Of the candidate pairs of two sources, a maximum matching is chosen. Pairing the nearest first would not do: it can
leave a play and an instant unpaired that fit once other pairs change.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import combinations

from etl.formats.service_exports import APPLE_MUSIC, LASTFM, LISTENBRAINZ, SERVICE_FORMATS, YOUTUBE_MUSIC
from etl.formats.time_limits import MINUTE_TOLERANCE
from etl.transform.events.play_pairing import (
    MAX_PAUSE,
    EventKey,
    Play,
    index_by_boundaries,
    index_by_instants,
    index_by_late_reports,
    pair_plays,
)

SOURCES = ("extended_export", "recently_played", "basic_export", *SERVICE_FORMATS)
"""The sources of real plays, by precedence."""

_TOLERANCE = timedelta(seconds=90)
_MINUTE_SOURCE = "basic_export"
_RECENT_SOURCE = "recently_played"
_SPOTIFY_EXPORTS = {"extended_export", _MINUTE_SOURCE}
_INSTANT_SOURCES = {_RECENT_SOURCE, LISTENBRAINZ, LASTFM}
"""The sources that may report plays of Spotify by a time and mostly no length: the start, or with recently played the
start or the end. Spotify scrobbles to Last.fm and ListenBrainz, and never to YouTube Music."""
_START_SOURCES = (LISTENBRAINZ, LASTFM, YOUTUBE_MUSIC)
"""The sources of other services that give the time at which a play began, and mostly no length."""

_START_OR_END_TOLERANCE = timedelta(minutes=10)
"""How far apart the times of one play are if one of them may be the start and the other one the end."""
_LATE_REPORT_RULE = "offline, reported within 24 h"
_NEAR_DUPLICATE_OVERLAP = {
    "extended_export": (timedelta(seconds=4), 2 / 3),
    "basic_export": (timedelta(minutes=1), 4 / 5),
    APPLE_MUSIC: (timedelta(seconds=4), 2 / 3),
}
"""The minimum overlap of near duplicates, and its minimum fraction of the longer play. Below, the times are too coarse
to decide: an extended export and Apple are exact to the second, a basic export to the minute. Two different plays
cannot overlap by more, because the later one would begin before the earlier one ended."""

_SAME_TIME_TOLERANCE = timedelta(seconds=10)
_CUT_TIME_TOLERANCE = timedelta(seconds=59)
"""The largest differences of the times of near duplicates of a source of other services. Two players report one play
within seconds; some tools of Last.fm cut the seconds off, so that the earlier time is a whole minute."""


@dataclass(frozen=True)
class Match:
    """Two records of one play: the one to retain, the duplicate to drop, and the rule that matched them."""

    retained_key: EventKey
    duplicate_key: EventKey
    rule: str


def match_plays(plays: Iterable[Play], name_ids: Mapping[int, Collection[str]] | None = None) -> list[Match]:
    """Return the plays to drop because another record reports the same play.

    Each play of a source is matched with at most one of each other source, in the order of time. The result does not
    depend on the order of ``plays``.

    :param name_ids: the name-derived ids of tracks, by track_key: within one user's plays, recordings that share one
        are one song, because one source may report a play by names only and another by an id.
    :returns: a match for each play to drop; the record of the source with the highest precedence is retained.
    """
    by_user: dict[str, list[Play]] = defaultdict(list)
    for play in plays:
        by_user[play.user_id].append(play)
    return [match for user_plays in by_user.values() for match in _match_user_plays(user_plays, name_ids or {})]


def _match_user_plays(plays: Sequence[Play], name_ids: Mapping[int, Collection[str]]) -> list[Match]:
    songs = _group_songs({(play.track_key, play.recording_key) for play in plays}, name_ids)
    groups: dict[int, dict[str, list[Play]]] = defaultdict(lambda: defaultdict(list))
    for play in plays:
        groups[songs[play.recording_key]][play.source].append(play)
    return [match for group in groups.values() for match in _match_song_plays(group)]


def _group_songs(tracks: Collection[tuple[int, int]], name_ids: Mapping[int, Collection[str]]) -> dict[int, int]:
    """Return for each recording the representative of its song: recordings that share a name id are one song.

    A union-find over recordings.

    :param tracks: pairs of track_key and recording_key.
    """
    parents: dict[int, int] = {recording: recording for _, recording in tracks}

    def find_root(recording: int) -> int:
        while parents[recording] != recording:
            parents[recording] = recording = parents[parents[recording]]
        return recording

    recording_by_name: dict[str, int] = {}
    for track, recording in tracks:
        for name in name_ids.get(track, ()):
            parents[find_root(recording)] = find_root(recording_by_name.setdefault(name, recording))
    return {recording: find_root(recording) for recording in parents}


def _match_song_plays(group: dict[str, list[Play]]) -> list[Match]:
    match_by_duplicate: dict[EventKey, Match] = {}
    for source, (min_overlap, min_fraction) in _NEAR_DUPLICATE_OVERLAP.items():
        for retained, duplicate in _find_near_duplicates(group.get(source, ()), min_overlap, min_fraction):
            match_by_duplicate[duplicate.event_key] = Match(
                retained.event_key, duplicate.event_key, _describe_near_duplicate(retained, duplicate)
            )
    for source in _START_SOURCES:
        for retained, duplicate in _find_same_times(group.get(source, ())):
            match_by_duplicate[duplicate.event_key] = Match(
                retained.event_key, duplicate.event_key, _describe_same_time(retained, duplicate)
            )
    for better_source, worse_source in combinations([source for source in SOURCES if source in group], 2):
        better_plays, worse_plays = (
            sorted(
                (play for play in group[name] if play.event_key not in match_by_duplicate),
                key=lambda play: play.event_key[::-1],
            )
            for name in (better_source, worse_source)
        )
        tolerance = _get_tolerance(better_source, worse_source)
        pairs = list(_pair_source_plays(better_plays, worse_plays, tolerance))
        match_by_duplicate |= {
            duplicate.event_key: Match(
                retained.event_key, duplicate.event_key, _describe_match(retained, duplicate, tolerance)
            )
            for retained, duplicate in pairs
        }
        if worse_source == _MINUTE_SOURCE:
            paired_keys = {retained.event_key for retained, _ in pairs}
            unpaired_offline_plays = [
                play for play in better_plays if play.is_offline and play.event_key not in paired_keys
            ]
            unmatched_plays = [play for play in worse_plays if play.event_key not in match_by_duplicate]
            late_pairs = pair_plays(unpaired_offline_plays, unmatched_plays, index_by_late_reports(unmatched_plays))
            match_by_duplicate |= {
                duplicate.event_key: Match(retained.event_key, duplicate.event_key, _LATE_REPORT_RULE)
                for retained, duplicate in late_pairs
            }
    # The retained one of near duplicates may itself be a duplicate of a better source's record.
    return [
        replace(match, retained_key=match_by_duplicate[match.retained_key].retained_key)
        if match.retained_key in match_by_duplicate
        else match
        for match in match_by_duplicate.values()
    ]


def _get_tolerance(better_source: str, worse_source: str) -> timedelta:
    sources = {better_source, worse_source}
    if _MINUTE_SOURCE in sources:
        return MINUTE_TOLERANCE
    is_start_or_end = _RECENT_SOURCE in sources and sources <= _INSTANT_SOURCES
    return _START_OR_END_TOLERANCE if is_start_or_end else _TOLERANCE


def _find_same_times(plays: Iterable[Play]) -> Iterable[tuple[Play, Play]]:
    """Yield (retained, duplicate) for each play that began at the time of an earlier one of its source."""
    retained_play: Play | None = None
    for play in sorted(plays, key=lambda play: play.event_key[::-1]):
        if retained_play and _is_same_time(retained_play, play) and not _has_ended(retained_play, play.event_key[1]):
            yield retained_play, play
        else:
            retained_play = play


def _is_same_time(earlier: Play, later: Play) -> bool:
    earlier_time = earlier.event_key[1]
    is_cut = earlier_time == earlier_time.replace(second=0, microsecond=0)
    return later.event_key[1] - earlier_time <= (_CUT_TIME_TOLERANCE if is_cut else _SAME_TIME_TOLERANCE)


def _has_ended(play: Play, time: datetime) -> bool:
    """Return whether a play had ended by a time; it had not if its end is unknown."""
    return play.ended_at is not None and play.ended_at <= time


def _find_near_duplicates(
    plays: Iterable[Play], min_overlap: timedelta, min_fraction: float
) -> Iterable[tuple[Play, Play]]:
    """Yield (retained, duplicate) for each play that overlaps an earlier one of its source almost completely."""
    retained_plays: list[Play] = []
    for play in sorted(plays, key=lambda play: play.event_key[::-1]):
        overlapping_plays = (
            earlier
            for earlier in reversed(retained_plays[-3:])
            if _is_near_duplicate(earlier, play, min_overlap, min_fraction)
        )
        overlapping_play = next(overlapping_plays, None)
        if overlapping_play:
            yield overlapping_play, play
        else:
            retained_plays.append(play)


def _is_near_duplicate(earlier: Play, later: Play, min_overlap: timedelta, min_fraction: float) -> bool:
    longer_duration = max(earlier.duration, later.duration)
    overlap = min(earlier.boundaries[-1], later.boundaries[-1]) - max(earlier.boundaries[0], later.boundaries[0])
    return overlap >= max(min_overlap, longer_duration * min_fraction)


def _describe_near_duplicate(retained: Play, duplicate: Play) -> str:
    seconds_apart = abs((duplicate.boundaries[-1] - retained.boundaries[-1]).total_seconds())
    return f"one source twice, ends {seconds_apart:.0f} s apart"


def _describe_same_time(retained: Play, duplicate: Play) -> str:
    seconds_apart = (duplicate.event_key[1] - retained.event_key[1]).total_seconds()
    return f"one service twice, times {seconds_apart:.0f} s apart"


def _pair_source_plays(
    better_plays: Sequence[Play], worse_plays: Sequence[Play], tolerance: timedelta
) -> Iterable[tuple[Play, Play]]:
    """Return the pairs of plays of two sources that are one play, the better source's play first."""
    if _may_be_paused(worse_plays, better_plays):
        pairs = pair_plays(worse_plays, better_plays, index_by_instants(better_plays, tolerance))
        return ((retained, duplicate) for duplicate, retained in pairs)
    index_plays = index_by_instants if _may_be_paused(better_plays, worse_plays) else index_by_boundaries
    return pair_plays(better_plays, worse_plays, index_plays(worse_plays, tolerance))


def _may_be_paused(plays: Sequence[Play], instants: Sequence[Play]) -> bool:
    """Return whether the plays of one source may be paused plays of Spotify whose starts another source gives."""
    return any(play.source in _SPOTIFY_EXPORTS for play in plays) and any(
        instant.source in _INSTANT_SOURCES for instant in instants
    )


def _describe_match(retained: Play, duplicate: Play, tolerance: timedelta) -> str:
    time_apart, boundary_names = min(
        (
            abs(left_boundary - right_boundary),
            f"{_name_boundary(retained, left_boundary)} to {_name_boundary(duplicate, right_boundary)}",
        )
        for left_boundary in retained.boundaries
        for right_boundary in duplicate.boundaries
    )
    if time_apart > tolerance:
        return f"time within a pause of {MAX_PAUSE // timedelta(hours=1)} h"
    return f"{boundary_names} within {tolerance.seconds} s"


def _name_boundary(play: Play, boundary: datetime) -> str:
    return "start" if boundary == play.started_at else "end" if boundary == play.ended_at else "time"
