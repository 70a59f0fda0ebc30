"""Rows of small numbers as tables of UserActivity: the words that the numbers stand for, joined by index.

``listeners.activity_records`` makes the same records by Spark.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from simulator.listeners.activities import ACTIVITIES, BROKEN_KINDS, FIRST_BROKEN, Activities
from simulator.listeners.activity_records import list_contexts
from simulator.listeners.habits import DEVICES, PLANS
from simulator.listeners.hashed_draws import Flags, Integers
from simulator.listeners.homes import HOMES

_MEASURES = ("valence", "tempo", "acousticness", "energy", "danceability")
_TIME = pa.timestamp("ms", "UTC")
_MINUTE_MS = 60_000


@dataclass(frozen=True)
class Words:
    """Arrow columns in which the numbers of a simulation are indexes."""

    tracks: pa.Table
    playlists: pa.Array
    contexts: pa.Array
    """Structs; the indexes that no context has are NULL."""
    homes: pa.Table


def make_words(tracks: pd.DataFrame, playlist_ids: list[str]) -> Words:
    """Return the words of a catalogue.

    :param tracks: ``track_library.TRACK_COLUMNS``, in the library's order.
    """
    columns = {
        "song": pa.array(tracks["name"], pa.string(), from_pandas=True),
        "songId": pa.array(tracks["track_id"], pa.string(), from_pandas=True),
        "duration": pa.array(tracks["duration_ms"].astype("int32")),
        **{name: pa.array(tracks[name].astype("float32"), from_pandas=True) for name in _MEASURES},
        "genre": pa.array(tracks["genre"], pa.string(), from_pandas=True),
        "artist": pa.array(tracks["artist"], pa.string(), from_pandas=True),
        "artistId": pa.array(tracks["artist_id"], pa.string(), from_pandas=True),
    }
    homes = {
        "country": [home.country for home in HOMES],
        "continent": [home.continent for home in HOMES],
        "timezone": [home.timezone for home in HOMES],
    }
    return Words(pa.table(columns), pa.array(playlist_ids, pa.string()), _make_contexts(), pa.table(homes))


def make_activity_table(rows: Activities, population: str, words: Words) -> pa.Table:
    """Return records of UserActivity with the fields of version 2."""
    is_follow = rows.activity == ACTIVITIES.index("FOLLOW")
    is_play = rows.activity == ACTIVITIES.index("PLAY")
    songs = words.tracks.select(["song", "songId", "duration", *_MEASURES]).take(pa.array(rows.track, mask=is_follow))
    artists = words.tracks.select(["genre", "artist", "artistId"]).take(pa.array(rows.track))
    homes = words.homes.take(pa.array(rows.home))
    times = pa.array(rows.at, _TIME)
    ends = np.where(_is_broken(rows, "ends_before_start"), rows.at - _MINUTE_MS, rows.at + rows.ms_played)
    columns = {
        **{name: songs[name] for name in songs.column_names},
        **{name: artists[name] for name in artists.column_names},
        **{name: homes[name] for name in homes.column_names},
        "userId": make_user_ids(rows, population),
        "eventTime": times,
        "activityType": _take_words(ACTIVITIES, rows.activity),
        "playlistId": words.playlists.take(pa.array(rows.playlist, mask=rows.playlist < 0)),
        "duration": pc.if_else(_is_broken(rows, "negative_duration"), pa.scalar(-1, pa.int32()), songs["duration"]),
        "userLocation": homes["country"],
        "startTime": times,
        "endTime": pa.array(ends, _TIME),
        "deviceType": _take_words(DEVICES, rows.device),
        "eventId": make_event_ids(rows, population),
        "subscriptionType": _take_words(PLANS, rows.plan),
        "msPlayed": pa.array(rows.ms_played.astype(np.int32), mask=~is_play),
        "context": words.contexts.take(pa.array(rows.context, mask=rows.context < 0)),
    }
    return pa.table(columns)


def make_user_ids(rows: Activities, population: str) -> pa.Array:
    """Return the user id of each row; it is empty if the row has that injected error."""
    user_ids = pc.binary_join_element_wise(f"madeup-{population}-", pa.array(rows.number).cast(pa.string()), "")
    return pc.if_else(_is_broken(rows, "empty_user_id"), "", user_ids)


def make_event_ids(rows: Activities, population: str) -> pa.Array:
    """Return the event id of each row."""
    return pa.array([f"{population}-{code:x}" for code in rows.code.tolist()], pa.string())


def _is_broken(rows: Activities, kind: str) -> Flags:
    return np.asarray(rows.dirt == FIRST_BROKEN + BROKEN_KINDS.index(kind))


def _take_words(values: tuple[str, ...], indexes: Integers) -> pa.Array:
    return pa.array(values, pa.string()).take(pa.array(indexes))


def _make_contexts() -> pa.Array:
    names = ("platform", "reasonStart", "reasonEnd", "isShuffle", "isOffline", "isIncognito")
    contexts_by_code = {code: dict(zip(names, values, strict=True)) for code, values in list_contexts()}
    fields = [pa.field(name, pa.bool_() if name.startswith("is") else pa.string()) for name in names]
    return pa.array([contexts_by_code.get(code) for code in range(max(contexts_by_code) + 1)], pa.struct(fields))
