"""Plays made activities: rows of small numbers, which ``feed`` turns into the records of the contract.

A PLAY starts; at its end may stand a SKIP, or the PAUSE that ended it; within it a LIKE, at its end a FOLLOW of the
artist. A LIKE that carries a playlist is the track's being put into that playlist: how playlists come about.
"""

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from etl.simulate.listeners import sessions as days_and_sessions
from etl.simulate.listeners import taste, wishes
from etl.simulate.listeners.chance import Floats, Integers, Keys, keys, uniform
from etl.simulate.listeners.habits import DEVICES, Habits
from etl.simulate.listeners.library import Library
from etl.simulate.listeners.parameters import Dirt
from etl.simulate.listeners.people import People
from etl.simulate.listeners.sessions import Sessions
from etl.simulate.listeners.timeline import Timeline, play_keys, timeline

ACTIVITIES = ("PLAY", "LIKE", "FOLLOW", "PAUSE", "SKIP")
"""In the order in which they may stand at one moment."""

PLATFORMS = {
    "MOBILE": ("android", "ios"),
    "DESKTOP": ("windows", "osx", "web_player"),
    "TABLET": ("ios", "android"),
    "SMART_SPEAKER": ("google_home", "echo", "sonos"),
}
REASONS_START = ("clickrow", "playbtn", "trackdone", "fwdbtn")
REASONS_END = ("trackdone", "fwdbtn", "endplay")
MOST_PLATFORMS = max(map(len, PLATFORMS.values()))

CLEAN, DUPLICATE, LATE, DISORDER = range(4)
BROKEN_WAYS = ("empty_user_id", "ends_before_start", "negative_duration")
FIRST_BROKEN = 4
"""Values of ``dirt``: those from FIRST_BROKEN on are ways of being broken."""

_LIKE_SHARE, _FOLLOW_SHARE, _INTO_PLAYLIST_SHARE = 0.03, 0.006, 0.3
_LIKED, _LIKED_WHEN, _FOLLOWED, _INTO_PLAYLIST, _INTO_WHICH, _START_REASON, _UNKNOWN, _WHICH_UNKNOWN = range(41, 49)
_DIRT, _DIRT_WAY = 1, 2


@dataclass(frozen=True)
class Activities:
    """Rows in the order in which a listener's things happen; an entry each in every array."""

    number: Integers
    """The listener's."""
    code: Integers
    """What tells the row from all others of its population."""
    activity: Integers
    at: Integers
    """UTC, ms since 1970; of a PLAY its start."""
    ms_played: Integers
    """0 but for a PLAY."""
    track: Integers
    playlist: Integers
    home: Integers
    plan: Integers
    device: Integers
    context: Integers
    """-1 but for a PLAY; see ``context_of``."""
    dirt: Integers

    def take(self, places: npt.NDArray[np.int64]) -> "Activities":
        return Activities(**{field.name: getattr(self, field.name)[places] for field in fields(self)})


NUMBERS = pa.schema(
    [
        ("number", pa.int32()),
        ("code", pa.int64()),
        ("activity", pa.int32()),
        ("at", pa.int64()),
        ("ms_played", pa.int32()),
        ("track", pa.int32()),
        ("playlist", pa.int32()),
        ("home", pa.int32()),
        ("plan", pa.int32()),
        ("device", pa.int32()),
        ("context", pa.int32()),
        ("dirt", pa.int32()),
    ]
)
"""Rows as Spark gets them: the arrays of ``Activities``."""


def activities(
    people: People, days: Integers, habits: Habits, library: Library, dirt: Dirt, interval: tuple[int, int]
) -> Activities:
    """All that some listeners do on some listening days within an interval, before any dirt but unknown tracks.

    :param interval: from and before when, UTC, ms since 1970.
    """
    drawn = days_and_sessions.sessions(people, days, habits, interval)
    session, place, own = play_keys(drawn)
    genre_draws = wishes.genre_draws(people, library)
    mood = wishes.moods(drawn, habits)[session]
    chosen, playlists = wishes.tracks(_choosing(people, drawn, session, own, genre_draws), mood, library)
    if dirt.unknown_track and library.unknown_tracks:
        _lose_tracks(own, chosen, playlists, library, dirt.unknown_track)
    durations = library.durations[chosen].astype(np.int64)
    plays = timeline(drawn, people, (session, place, own), (chosen, playlists), durations, habits)
    return _clipped(_rows(plays, drawn, people, library), *interval)


def _clipped(rows: Activities, start_ms: int, end_ms: int) -> Activities:
    """What happens from ``start_ms`` to before ``end_ms``, but for what belongs to a play that started earlier."""
    is_play = rows.activity == ACTIVITIES.index("PLAY")
    # Rows of one play stand together, its PLAY first.
    latest_play = np.maximum.accumulate(np.where(is_play, np.arange(len(is_play)), 0)) if len(is_play) else is_play
    is_in = (rows.at >= start_ms) & (rows.at < end_ms) & (rows.at[latest_play] >= start_ms)
    return rows if is_in.all() else rows.take(np.flatnonzero(is_in))


def batch(rows: Activities) -> pa.RecordBatch:
    """Rows for Spark."""
    columns = [
        pa.array(getattr(rows, field.name).astype(field.type.to_pandas_dtype(), copy=False)) for field in NUMBERS
    ]
    return pa.RecordBatch.from_arrays(columns, schema=NUMBERS)


def context_of(platform: int, reason_start: int, reason_end: int, flags: int) -> int:
    """The number of a play's context; flags: 4 shuffle, 2 offline, 1 incognito.

    :param platform: the device's place in DEVICES × MOST_PLATFORMS + the place among its platforms.
    """
    return ((platform * len(REASONS_START) + reason_start) * len(REASONS_END) + reason_end) * 8 + flags


def _choosing(people: People, drawn: Sessions, session: Integers, own: Keys, genre_draws: Floats) -> taste.Plays:
    listener = drawn.listener[session]
    day = drawn.day
    month = day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    trait = people.traits[listener]
    return taste.Plays(
        keys=own,
        listener_keys=people.keys[listener],
        traits=(trait[:, 0], trait[:, 1], trait[:, 2], trait[:, 3]),
        genre_draw=genre_draws[listener],
        month=month[session],
        day=day[session],
        playlist_draw=drawn.playlist_draw[session],
    )


def _lose_tracks(own: Keys, chosen: Integers, playlists: Integers, library: Library, share: float) -> None:
    lost = np.flatnonzero(uniform(own, _UNKNOWN) < share)
    numbers = (uniform(own[lost], _WHICH_UNKNOWN) * library.unknown_tracks).astype(np.int64)
    chosen[lost] = library.known_tracks + numbers
    playlists[lost] = -1


def _rows(plays: Timeline, drawn: Sessions, people: People, library: Library) -> Activities:
    """PLAYs and what comes with them, each in its place."""
    liked, followed = _liked(plays, library), _followed(plays, library)
    by_activity = {
        "PLAY": np.arange(len(plays.keys)),
        "LIKE": liked,
        "FOLLOW": followed,
        "PAUSE": np.flatnonzero(plays.is_paused),
        "SKIP": np.flatnonzero(plays.is_skipped),
    }
    play = np.concatenate([by_activity[name] for name in ACTIVITIES])
    activity = np.repeat(np.arange(len(ACTIVITIES)), [len(by_activity[name]) for name in ACTIVITIES])
    order = np.argsort(play * len(ACTIVITIES) + activity, kind="stable")
    play, activity = play[order], activity[order]
    session = plays.session[play]
    listener = drawn.listener[session]
    is_play = activity == ACTIVITIES.index("PLAY")
    ends = plays.starts + plays.ms_played
    like_at = plays.starts + (plays.ms_played * uniform(plays.keys, _LIKED_WHEN)).astype(np.int64)
    is_like = activity == ACTIVITIES.index("LIKE")
    at = np.where(is_play, plays.starts[play], np.where(is_like, like_at[play], ends[play]))
    playlist = np.where(is_like, _into_playlist(plays, library)[play], plays.playlist[play])
    return Activities(
        number=people.numbers[listener],
        code=_code(people.numbers[listener], drawn, session, plays.place[play], activity),
        activity=activity,
        at=at,
        ms_played=np.where(is_play, plays.ms_played[play], 0),
        track=plays.track[play],
        playlist=np.where(activity == ACTIVITIES.index("FOLLOW"), -1, playlist),
        home=drawn.home[session],
        plan=drawn.plan[session],
        device=drawn.device[session],
        context=np.where(is_play, _contexts(plays, drawn, people)[play], -1),
        dirt=np.zeros(len(play), np.int64),
    )


def _code(number: Integers, drawn: Sessions, session: Integers, place: Integers, activity: Integers) -> Integers:
    """Listener, day, session, play and activity side by side in 55 bits."""
    of_day = (drawn.number[session] << 11) | (place << 3) | activity
    return (((number << 16) | drawn.day[session]) << 15) | of_day


def _is_known(plays: Timeline, library: Library) -> npt.NDArray[np.bool_]:
    return plays.track < library.known_tracks


def _liked(plays: Timeline, library: Library) -> Integers:
    is_liked = (uniform(plays.keys, _LIKED) < _LIKE_SHARE) & ~plays.is_skipped
    return np.flatnonzero(is_liked & _is_known(plays, library))


def _followed(plays: Timeline, library: Library) -> Integers:
    is_followed = (uniform(plays.keys, _FOLLOWED) < _FOLLOW_SHARE) & ~plays.is_skipped
    return np.flatnonzero(is_followed & _is_known(plays, library))


def _into_playlist(plays: Timeline, library: Library) -> Integers:
    size = len(library.playlists.counts)
    which = (uniform(plays.keys, _INTO_WHICH) * size).astype(np.int64)
    return np.where((uniform(plays.keys, _INTO_PLAYLIST) < _INTO_PLAYLIST_SHARE) & (size > 0), which, -1)


def _contexts(plays: Timeline, drawn: Sessions, people: People) -> Integers:
    """How each play began, ended and was set up."""
    session = plays.session
    platform_counts = np.array([len(PLATFORMS[device]) for device in DEVICES])
    device = drawn.device[session]
    of_device = (people.platform_draw[drawn.listener[session]] * platform_counts[device]).astype(np.int64)
    end = np.where(plays.is_skipped, 1, np.where(plays.is_paused, 2, 0))
    chosen = (uniform(plays.keys, _START_REASON) * 2).astype(np.int64)
    follows = np.zeros(len(session), bool)
    follows[1:] = (session[1:] == session[:-1]) & (plays.place[1:] == plays.place[:-1] + 1)
    previous_end = np.concatenate([[2], end[:-1]]) if len(end) else end
    start = np.where(follows & (previous_end == 0), 2, np.where(follows & (previous_end == 1), 3, chosen))
    flags = drawn.is_shuffle * 4 + drawn.is_offline * 2 + drawn.is_incognito
    platform = device * MOST_PLATFORMS + of_device
    codes = ((platform * len(REASONS_START) + start) * len(REASONS_END) + end) * 8 + flags[session]
    return np.asarray(codes, np.int64)


def soiled(rows: Activities, dirt: Dirt, population_key: np.uint64, known_tracks: int) -> Activities:
    """The rows with what is wrong on purpose: repeated, out of order, or marked as late or broken.

    A row of an unknown track stays as it is, so that each wrong row is wrong in one way.
    """
    draws = uniform(keys(population_key, rows.code), _DIRT)
    kinds = np.array([CLEAN, DUPLICATE, LATE, DISORDER, FIRST_BROKEN])
    bounds = np.cumsum([dirt.duplicate, dirt.late, dirt.disorder, dirt.broken])
    below = np.searchsorted(bounds, draws, side="right")
    kind = np.where(below < 4, kinds[np.minimum(below, 3) + 1], CLEAN)
    kind[rows.track >= known_tracks] = CLEAN
    is_broken = kind == FIRST_BROKEN
    ways = (uniform(keys(population_key, rows.code), _DIRT_WAY) * len(BROKEN_WAYS)).astype(np.int64)
    kind = np.where(is_broken, FIRST_BROKEN + ways, kind)
    marked = Activities(**{**vars(rows), "dirt": kind})
    repeated = np.repeat(np.arange(len(kind)), 1 + (kind == DUPLICATE))
    doubled = marked.take(repeated)
    is_first = np.ones(len(repeated), bool)
    is_first[1:] = repeated[1:] != repeated[:-1]
    doubled.dirt[is_first & (doubled.dirt == DUPLICATE)] = CLEAN
    return doubled.take(_disordered(doubled))


def _disordered(rows: Activities) -> Integers:
    """Rows in disorder stand a few places too late."""
    shift = np.where(rows.dirt == DISORDER, 7.5, 0)
    return np.argsort(np.arange(len(shift)) + shift, kind="stable")
