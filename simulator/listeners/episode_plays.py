"""The plays of an anomalous episode, by kind of anomaly."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from simulator.listeners.hashed_draws import Flags, Floats, Integers, draw_uniform, hash_keys
from simulator.listeners.homes import HOMES
from simulator.listeners.timeline import HOUR_MS
from simulator.listeners.track_library import Library

_SECOND_MS, _MINUTE_MS = 1000, 60_000
_RING_TRACKS = (12, 18)
_COUNT_DRAW, _TRACK_DRAW, _LENGTH_DRAW, _TIME_DRAW, _HOME_DRAW, _ARTIST_DRAW = range(1, 7)
_SWITCH_DRAW = 7


@dataclass(frozen=True)
class Setting:
    """What the plays of an episode are chosen from."""

    library: Library
    home: int
    """The index in HOMES of the listener's home."""
    day: int
    ring_key: np.uint64
    """The key of the ring that the listener would belong to."""


@dataclass(frozen=True)
class EpisodePlays:
    """Plays in order of time, an entry each in every array."""

    offsets: Integers
    """Start since the begin of the episode, ms."""
    ms_played: Integers
    tracks: Integers
    homes: Integers
    """The index in HOMES of where the play is."""
    is_skipped: Flags

    def limit_length(self, length_ms: int) -> "EpisodePlays":
        """Return the plays that end within a length of time; the first one in any case."""
        is_within = self.offsets + self.ms_played <= length_ms
        is_within[0] = True
        return EpisodePlays(**{name: values[is_within] for name, values in vars(self).items()})


def make_skips_beyond_plan(key: np.uint64, setting: Setting) -> EpisodePlays:
    """Return 8 to 25 plays within 40 minutes that are skipped after some seconds."""
    count = _draw_number(key, 8, 25)
    ms_played = _draw_between(key, _LENGTH_DRAW, count, 3 * _SECOND_MS, 25 * _SECOND_MS)
    gaps = np.full(count, 40 * _MINUTE_MS // count) - ms_played
    return _play_in_sequence(setting, ms_played, gaps, _draw_tracks(key, count, setting), is_skipped=True)


def make_impossible_volume(key: np.uint64, setting: Setting) -> EpisodePlays:
    """Return 24 to 60 whole plays an hour for two hours, which no player could play one after another."""
    count = 2 * _draw_number(key, 24, 60)
    tracks = _draw_tracks(key, count, setting)
    ms_played = setting.library.durations[tracks].astype(np.int64)
    gaps = np.full(count, 2 * HOUR_MS // count) - ms_played
    return _play_in_sequence(setting, ms_played, gaps, tracks)


def make_overlapping_plays(key: np.uint64, setting: Setting) -> EpisodePlays:
    """Return an hour of whole plays, and three to ten others at the same time."""
    extra_count = _draw_number(key, 3, 10)
    tracks = _draw_tracks(key, 16 + extra_count, setting)
    ms_played = setting.library.durations[tracks].astype(np.int64)
    first = _play_in_sequence(setting, ms_played[:16], np.full(16, _SECOND_MS), tracks[:16])
    extra_offsets = np.sort(_draw_between(key, _TIME_DRAW, extra_count, 0, 50 * _MINUTE_MS))
    offsets = np.concatenate([first.offsets, extra_offsets])
    order = np.argsort(offsets, kind="stable")
    return EpisodePlays(
        offsets[order], ms_played[order], tracks[order], np.full(len(order), setting.home), np.zeros(len(order), bool)
    )


def make_impossible_travel(key: np.uint64, setting: Setting) -> EpisodePlays:
    """Return an hour of whole plays in two countries by turns; the country changes one to six times."""
    tracks = _draw_tracks(key, 15, setting)
    ms_played = setting.library.durations[tracks].astype(np.int64)
    switches = np.unique(_draw_between(key, _SWITCH_DRAW, _draw_number(key, 2, 6), 1, 15))
    is_abroad = (np.searchsorted(switches, np.arange(15), side="right") % 2).astype(bool)
    plays = _play_in_sequence(setting, ms_played, np.full(15, 2 * _SECOND_MS), tracks)
    return EpisodePlays(
        plays.offsets,
        ms_played,
        tracks,
        np.where(is_abroad, _draw_foreign_home(key, setting), setting.home),
        plays.is_skipped,
    )


def make_short_play_runs(key: np.uint64, setting: Setting) -> EpisodePlays:
    """Return 12 to 60 plays of 30 to 35 seconds, all of one artist."""
    count = _draw_number(key, 12, 60)
    tracks = _draw_artist_tracks(key, count, setting)
    ms_played = _draw_between(key, _LENGTH_DRAW, count, 30 * _SECOND_MS, 35 * _SECOND_MS)
    return _play_in_sequence(setting, ms_played, _draw_between(key, _TIME_DRAW, count, 500, 3 * _SECOND_MS), tracks)


def make_shared_track_set(key: np.uint64, setting: Setting) -> EpisodePlays:
    """Return three to five rounds of the ring's 12 to 18 tracks, played whole."""
    size = _draw_number(setting.ring_key, *_RING_TRACKS)
    ring_tracks = setting.library.oldest_tracks[
        (_draw(setting.ring_key, _TRACK_DRAW, size) * len(setting.library.oldest_tracks)).astype(np.int64)
    ]
    rounds = _draw_number(key, 3, 5)
    order = np.argsort(_draw(key, _TRACK_DRAW, size * rounds).reshape(rounds, size), axis=1).ravel()
    tracks = ring_tracks[order].astype(np.int64)
    ms_played = setting.library.durations[tracks].astype(np.int64)
    return _play_in_sequence(setting, ms_played, np.full(len(tracks), _SECOND_MS), tracks)


def make_sudden_change(key: np.uint64, setting: Setting) -> EpisodePlays:
    """Return 14 to 20 hours of whole plays without a pause."""
    hours = _draw_number(key, 14, 20)
    tracks = _draw_tracks(key, hours * 25, setting)
    ms_played = setting.library.durations[tracks].astype(np.int64)
    plays = _play_in_sequence(setting, ms_played, np.full(len(tracks), _SECOND_MS), tracks)
    return plays.limit_length(hours * HOUR_MS)


def make_device_change(key: np.uint64, setting: Setting) -> EpisodePlays:
    """Return ten whole plays; one or two begin on another device before the previous one has stopped."""
    tracks = _draw_tracks(key, 10, setting)
    ms_played = setting.library.durations[tracks].astype(np.int64)
    gaps = np.full(10, _SECOND_MS)
    gaps[: _draw_number(key, 1, 2)] = -20 * _SECOND_MS
    return _play_in_sequence(setting, ms_played, gaps, tracks)


def make_vpn_use(key: np.uint64, setting: Setting) -> EpisodePlays:
    """Return ten whole plays; the country changes once, or also back."""
    tracks = _draw_tracks(key, 10, setting)
    ms_played = setting.library.durations[tracks].astype(np.int64)
    is_abroad = np.arange(10) >= 4
    if _draw_number(key, 0, 2) == 0:
        is_abroad[7:] = False
    plays = _play_in_sequence(setting, ms_played, np.full(10, 2 * _SECOND_MS), tracks)
    homes = np.where(is_abroad, _draw_foreign_home(key, setting), setting.home)
    return EpisodePlays(plays.offsets, ms_played, tracks, homes, plays.is_skipped)


def make_album_preview(key: np.uint64, setting: Setting) -> EpisodePlays:
    """Return five to ten plays of 30 to 35 seconds of one artist."""
    count = _draw_number(key, 5, 10)
    ms_played = _draw_between(key, _LENGTH_DRAW, count, 30 * _SECOND_MS, 35 * _SECOND_MS)
    return _play_in_sequence(
        setting, ms_played, np.full(count, 2 * _SECOND_MS), _draw_artist_tracks(key, count, setting)
    )


def make_long_day(key: np.uint64, setting: Setting) -> EpisodePlays:
    """Return six to eight hours of whole plays, as at a party."""
    hours = _draw_number(key, 6, 8)
    tracks = _draw_tracks(key, hours * 25, setting)
    ms_played = setting.library.durations[tracks].astype(np.int64)
    plays = _play_in_sequence(setting, ms_played, np.full(len(tracks), _SECOND_MS), tracks)
    return plays.limit_length(hours * HOUR_MS)


def _draw_foreign_home(key: np.uint64, setting: Setting) -> int:
    foreign_homes = [index for index, home in enumerate(HOMES) if home.country != HOMES[setting.home].country]
    return foreign_homes[int(draw_uniform(np.array([key]), _HOME_DRAW)[0] * len(foreign_homes))]


_Maker = Callable[[np.uint64, Setting], EpisodePlays]
LOOKALIKE_MAKERS: dict[str, _Maker] = {
    "device_change": make_device_change,
    "vpn_use": make_vpn_use,
    "album_preview": make_album_preview,
    "long_day": make_long_day,
}
"""The function that makes the plays of harmless behaviour that looks like an anomaly, by kind."""

MAKERS: dict[str, _Maker] = {
    "skips_beyond_plan": make_skips_beyond_plan,
    "impossible_volume": make_impossible_volume,
    "overlapping_plays": make_overlapping_plays,
    "impossible_travel": make_impossible_travel,
    "short_play_runs": make_short_play_runs,
    "shared_track_set": make_shared_track_set,
    "sudden_change": make_sudden_change,
}
"""The function that makes the plays of an episode, by kind of anomaly; the order gives each kind its number."""


def _play_in_sequence(
    setting: Setting, ms_played: Integers, gaps: Integers, tracks: Integers, is_skipped: bool = False
) -> EpisodePlays:
    """Return plays one after another; a negative gap lets the next play begin before the end of one."""
    steps = ms_played + gaps
    return EpisodePlays(
        offsets=np.cumsum(steps) - steps,
        ms_played=ms_played,
        tracks=tracks,
        homes=np.full(len(tracks), setting.home),
        is_skipped=np.full(len(tracks), is_skipped),
    )


def _draw(key: np.uint64, purpose: int, count: int) -> Floats:
    return draw_uniform(hash_keys(key, np.arange(count)), purpose)


def _draw_number(key: np.uint64, low: int, high: int) -> int:
    """Return a whole number from ``low`` to ``high``, both included."""
    return low + int(draw_uniform(np.array([key]), _COUNT_DRAW)[0] * (high - low + 1))


def _draw_between(key: np.uint64, purpose: int, count: int, low: int, high: int) -> Integers:
    return np.asarray(low + (_draw(key, purpose, count) * (high - low)).astype(np.int64))


def _draw_tracks(key: np.uint64, count: int, setting: Setting) -> Integers:
    """Return tracks that are old enough for every day."""
    tracks = setting.library.oldest_tracks
    return np.asarray(tracks[(_draw(key, _TRACK_DRAW, count) * len(tracks)).astype(np.int64)], np.int64)


def _draw_artist_tracks(key: np.uint64, count: int, setting: Setting) -> Integers:
    """Return tracks of one artist that are out on the day."""
    tracks = setting.library.tracks
    artist = int(draw_uniform(np.array([key]), _ARTIST_DRAW)[0] * len(tracks.counts))
    own_tracks = tracks.items[tracks.starts[artist] : tracks.starts[artist] + tracks.counts[artist]]
    released = own_tracks[setting.library.release_days[own_tracks] <= setting.day]
    choices = released if len(released) else own_tracks
    return np.asarray(choices[(_draw(key, _TRACK_DRAW, count) * len(choices)).astype(np.int64)], np.int64)
