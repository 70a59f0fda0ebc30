"""Plays as activities: rows of small numbers, which ``feed`` turns into the records of the contract.

A PLAY can end with a SKIP or a PAUSE, contain a LIKE, and end with a FOLLOW of the artist. A LIKE can fill a playlist.
"""

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from simulator.listeners import sessions as days_and_sessions
from simulator.listeners import survey_preferences, taste
from simulator.listeners.habits import DEVICES, Habits
from simulator.listeners.hashed_draws import Floats, Integers, Keys, draw_uniform, hash_keys
from simulator.listeners.parameters import InjectedErrorRates
from simulator.listeners.population import Listeners
from simulator.listeners.sessions import Sessions
from simulator.listeners.timeline import Timeline, build_timeline, make_play_keys
from simulator.listeners.track_library import Library

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
MAX_PLATFORMS_PER_DEVICE = max(map(len, PLATFORMS.values()))

CLEAN, DUPLICATE, LATE, OUT_OF_ORDER = range(4)
BROKEN_KINDS = ("empty_user_id", "ends_before_start", "negative_duration")
FIRST_BROKEN = 4
"""Values of ``dirt``: those from FIRST_BROKEN on are ways of being broken."""

_LIKE_RATE, _FOLLOW_RATE, _ADD_TO_PLAYLIST_RATE = 0.03, 0.006, 0.3
(
    _LIKE_DRAW,
    _LIKE_TIME_DRAW,
    _FOLLOW_DRAW,
    _ADD_TO_PLAYLIST_DRAW,
    _PLAYLIST_DRAW,
    _START_REASON_DRAW,
    _UNKNOWN_TRACK_DRAW,
    _UNKNOWN_TRACK_CHOICE_DRAW,
) = range(41, 49)
_ERROR_DRAW, _ERROR_KIND_DRAW = 1, 2


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

    def select_rows(self, indexes: npt.NDArray[np.int64]) -> "Activities":
        return Activities(**{field.name: getattr(self, field.name)[indexes] for field in fields(self)})


ACTIVITY_SCHEMA = pa.schema(
    [(field.name, pa.int64() if field.name in ("code", "at") else pa.int32()) for field in fields(Activities)]
)
"""Rows as Spark gets them: the arrays of ``Activities``."""


def generate_activities(
    listeners: Listeners,
    days: Integers,
    habits: Habits,
    library: Library,
    error_rates: InjectedErrorRates,
    interval: tuple[int, int],
) -> Activities:
    """Return the activity of listeners on listening days, without injected errors other than unknown tracks.

    :param interval: begin and exclusive end, UTC, ms since 1970.
    """
    sessions = days_and_sessions.generate_sessions(listeners, days, habits, interval)
    session, play_index, play_keys = make_play_keys(sessions)
    genre_draws = survey_preferences.draw_genres(listeners, library)
    mood = survey_preferences.draw_moods(sessions, habits)[session]
    track_indexes, playlists = survey_preferences.choose_tracks(
        _make_taste_plays(listeners, sessions, session, play_keys, genre_draws), mood, library
    )
    if error_rates.unknown_track and library.unknown_track_count:
        _replace_with_unknown_tracks(play_keys, track_indexes, playlists, library, error_rates.unknown_track)
    durations = library.durations[track_indexes].astype(np.int64)
    plays = build_timeline(
        sessions, listeners, (session, play_index, play_keys), (track_indexes, playlists), durations, habits
    )
    return _clip_to_interval(_make_activity_rows(plays, sessions, listeners, library), *interval)


def _clip_to_interval(rows: Activities, start_ms: int, end_ms: int) -> Activities:
    """What happens from ``start_ms`` to before ``end_ms``, but for what belongs to a play that started earlier."""
    is_within = (rows.at >= start_ms) & (rows.at < end_ms) & (rows.at[find_plays(rows)] >= start_ms)
    return rows if is_within.all() else rows.select_rows(np.flatnonzero(is_within))


def find_plays(rows: Activities) -> Integers:
    """Return the index of the PLAY that each row belongs to: rows of one play stand together, its PLAY first."""
    is_play = rows.activity == ACTIVITIES.index("PLAY")
    return np.asarray(np.maximum.accumulate(np.where(is_play, np.arange(len(is_play)), 0)), np.int64)


def to_record_batch(rows: Activities) -> pa.RecordBatch:
    """Rows for Spark."""
    columns = [
        pa.array(getattr(rows, field.name).astype(field.type.to_pandas_dtype(), copy=False))
        for field in ACTIVITY_SCHEMA
    ]
    return pa.RecordBatch.from_arrays(columns, schema=ACTIVITY_SCHEMA)


def encode_context(platform_code: int, reason_start: int, reason_end: int, flags: int) -> int:
    """The number of a play's context; flags: 4 shuffle, 2 offline, 1 incognito.

    :param platform_code: the device's place in DEVICES × MOST_PLATFORMS + the place among its platforms.
    """
    return ((platform_code * len(REASONS_START) + reason_start) * len(REASONS_END) + reason_end) * 8 + flags


def _make_taste_plays(
    listeners: Listeners, sessions: Sessions, session: Integers, play_keys: Keys, genre_draws: Floats
) -> taste.Plays:
    listener = sessions.listener[session]
    day = sessions.day
    month = day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    traits = listeners.traits[listener]
    return taste.Plays(
        keys=play_keys,
        listener_keys=listeners.keys[listener],
        traits=(traits[:, 0], traits[:, 1], traits[:, 2], traits[:, 3]),
        genre_draw=genre_draws[listener],
        month=month[session],
        day=day[session],
        playlist_draw=sessions.playlist_draw[session],
    )


def _replace_with_unknown_tracks(
    play_keys: Keys, track_indexes: Integers, playlists: Integers, library: Library, rate: float
) -> None:
    replaced = np.flatnonzero(draw_uniform(play_keys, _UNKNOWN_TRACK_DRAW) < rate)
    numbers = (draw_uniform(play_keys[replaced], _UNKNOWN_TRACK_CHOICE_DRAW) * library.unknown_track_count).astype(
        np.int64
    )
    track_indexes[replaced] = library.known_track_count + numbers
    playlists[replaced] = -1


def _make_activity_rows(plays: Timeline, sessions: Sessions, listeners: Listeners, library: Library) -> Activities:
    """PLAYs and what comes with them, each in its place."""
    liked_plays, followed_plays = _find_liked_plays(plays, library), _find_followed_plays(plays, library)
    by_activity = {
        "PLAY": np.arange(len(plays.keys)),
        "LIKE": liked_plays,
        "FOLLOW": followed_plays,
        "PAUSE": np.flatnonzero(plays.is_paused),
        "SKIP": np.flatnonzero(plays.is_skipped),
    }
    play = np.concatenate([by_activity[name] for name in ACTIVITIES])
    activity = np.repeat(np.arange(len(ACTIVITIES)), [len(by_activity[name]) for name in ACTIVITIES])
    order = np.argsort(play * len(ACTIVITIES) + activity, kind="stable")
    play, activity = play[order], activity[order]
    session = plays.session[play]
    listener = sessions.listener[session]
    is_play = activity == ACTIVITIES.index("PLAY")
    ends = plays.starts + plays.ms_played
    like_at = plays.starts + (plays.ms_played * draw_uniform(plays.keys, _LIKE_TIME_DRAW)).astype(np.int64)
    is_like = activity == ACTIVITIES.index("LIKE")
    activity_times = np.where(is_play, plays.starts[play], np.where(is_like, like_at[play], ends[play]))
    playlist = np.where(is_like, _choose_target_playlists(plays, library)[play], plays.playlist[play])
    return Activities(
        number=listeners.numbers[listener],
        code=_encode_activity(listeners.numbers[listener], sessions, session, plays.play_index[play], activity),
        activity=activity,
        at=activity_times,
        ms_played=np.where(is_play, plays.ms_played[play], 0),
        track=plays.track[play],
        playlist=np.where(activity == ACTIVITIES.index("FOLLOW"), -1, playlist),
        home=sessions.home[session],
        plan=sessions.plan[session],
        device=sessions.device[session],
        context=np.where(is_play, _encode_contexts(plays, sessions, listeners)[play], -1),
        dirt=np.zeros(len(play), np.int64),
    )


def _encode_activity(
    number: Integers, sessions: Sessions, session: Integers, play_index: Integers, activity: Integers
) -> Integers:
    """Listener, day, session, play and activity side by side in 55 bits."""
    code_within_day = (sessions.number[session] << 11) | (play_index << 3) | activity
    return (((number << 16) | sessions.day[session]) << 15) | code_within_day


def _is_catalogued(plays: Timeline, library: Library) -> npt.NDArray[np.bool_]:
    return plays.track < library.known_track_count


def _find_liked_plays(plays: Timeline, library: Library) -> Integers:
    is_liked = (draw_uniform(plays.keys, _LIKE_DRAW) < _LIKE_RATE) & ~plays.is_skipped
    return np.flatnonzero(is_liked & _is_catalogued(plays, library))


def _find_followed_plays(plays: Timeline, library: Library) -> Integers:
    is_followed = (draw_uniform(plays.keys, _FOLLOW_DRAW) < _FOLLOW_RATE) & ~plays.is_skipped
    return np.flatnonzero(is_followed & _is_catalogued(plays, library))


def _choose_target_playlists(plays: Timeline, library: Library) -> Integers:
    size = len(library.playlists.counts)
    playlist = (draw_uniform(plays.keys, _PLAYLIST_DRAW) * size).astype(np.int64)
    return np.where(
        (draw_uniform(plays.keys, _ADD_TO_PLAYLIST_DRAW) < _ADD_TO_PLAYLIST_RATE) & (size > 0), playlist, -1
    )


def _encode_contexts(plays: Timeline, sessions: Sessions, listeners: Listeners) -> Integers:
    """How each play began, ended and was set up."""
    session = plays.session
    platform_counts = np.array([len(PLATFORMS[device]) for device in DEVICES])
    device = sessions.device[session]
    platform_index = (listeners.platform_draw[sessions.listener[session]] * platform_counts[device]).astype(np.int64)
    end_reason = np.where(plays.is_skipped, 1, np.where(plays.is_paused, 2, 0))
    random_reason = (draw_uniform(plays.keys, _START_REASON_DRAW) * 2).astype(np.int64)
    follows_previous = np.zeros(len(session), bool)
    follows_previous[1:] = (session[1:] == session[:-1]) & (plays.play_index[1:] == plays.play_index[:-1] + 1)
    previous_end = np.concatenate([[2], end_reason[:-1]]) if len(end_reason) else end_reason
    start_reason = np.where(
        follows_previous & (previous_end == 0), 2, np.where(follows_previous & (previous_end == 1), 3, random_reason)
    )
    flags = sessions.is_shuffle * 4 + sessions.is_offline * 2 + sessions.is_incognito
    platform = device * MAX_PLATFORMS_PER_DEVICE + platform_index
    codes = ((platform * len(REASONS_START) + start_reason) * len(REASONS_END) + end_reason) * 8 + flags[session]
    return np.asarray(codes, np.int64)


def inject_errors(
    rows: Activities, error_rates: InjectedErrorRates, population_key: np.uint64, known_tracks: int
) -> Activities:
    """The rows with what is wrong on purpose: repeated, out of order, or marked as late or broken.

    A row of an unknown track stays as it is, so that each wrong row is wrong in one way.
    """
    draws = draw_uniform(hash_keys(population_key, rows.code), _ERROR_DRAW)
    error_codes = np.array([CLEAN, DUPLICATE, LATE, OUT_OF_ORDER, FIRST_BROKEN])
    bounds = np.cumsum([error_rates.duplicate, error_rates.late, error_rates.disorder, error_rates.broken])
    kind_index = np.searchsorted(bounds, draws, side="right")
    kind = np.where(kind_index < 4, error_codes[np.minimum(kind_index, 3) + 1], CLEAN)
    kind[rows.track >= known_tracks] = CLEAN
    is_broken = kind == FIRST_BROKEN
    broken_kind_index = (
        draw_uniform(hash_keys(population_key, rows.code), _ERROR_KIND_DRAW) * len(BROKEN_KINDS)
    ).astype(np.int64)
    kind = np.where(is_broken, FIRST_BROKEN + broken_kind_index, kind)
    marked = Activities(**{**vars(rows), "dirt": kind})
    repeated = np.repeat(np.arange(len(kind)), 1 + (kind == DUPLICATE))
    doubled = marked.select_rows(repeated)
    is_first = np.ones(len(repeated), bool)
    is_first[1:] = repeated[1:] != repeated[:-1]
    doubled.dirt[is_first & (doubled.dirt == DUPLICATE)] = CLEAN
    return doubled.select_rows(_order_with_disorder(doubled))


def _order_with_disorder(rows: Activities) -> Integers:
    """Rows in disorder stand a few places too late."""
    shift = np.where(rows.dirt == OUT_OF_ORDER, 7.5, 0)
    return np.argsort(np.arange(len(shift)) + shift, kind="stable")
