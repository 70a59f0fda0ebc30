"""The survey's favourite genres and moods, as draws that choose tracks.

- The favourite genre is one that matches a listener's answer in this catalogue, or any genre without a match.
- A session has a mood, by the survey's moods of its time slot. A track that does not fit the mood is replaced by a
  second choice of the same taste, if that one fits. So the mood changes the tracks of an hour, and no trait.
"""

from dataclasses import fields

import numpy as np

from simulator.listeners import taste
from simulator.listeners.habits import ANY, GENRES_BY_ANSWER, MOOD_ANSWERS, TIME_SLOTS, Habits
from simulator.listeners.hashed_draws import Flags, Floats, Integers, choose_weighted, draw_uniform, hash_keys
from simulator.listeners.population import Listeners
from simulator.listeners.sessions import Sessions
from simulator.listeners.track_library import Library

_MOOD_DRAW = 12
"""Purpose of a draw from the key of a session."""
_SECOND_CHOICE_KEY = 1 << 45
"""Part of a play's key."""


def draw_genres(listeners: Listeners, library: Library) -> Floats:
    """Return, for each listener, the favourite genre as a position among genres laid side by side."""
    ends = np.cumsum(library.genre_fractions) / library.genre_fractions.sum()
    draws = listeners.genre_draw.copy()
    for answer_index, names in enumerate(GENRES_BY_ANSWER.values()):
        matching_genres = np.flatnonzero(np.isin(library.genres, names) & (library.genre_fractions > 0))
        listener_indexes = np.flatnonzero(listeners.genre_answer == answer_index)
        if len(matching_genres) and len(listener_indexes):
            genres = matching_genres[
                choose_weighted(listeners.genre_draw[listener_indexes], library.genre_fractions[matching_genres])
            ]
            draws[listener_indexes] = ends[genres] - library.genre_fractions[genres] / library.genre_fractions.sum() / 2
    return draws


def draw_moods(sessions: Sessions, habits: Habits) -> Integers:
    """Return the mood of each session as an index in MOOD_ANSWERS."""
    weights = np.array([[habits.moods[slot][mood] for mood in MOOD_ANSWERS] for slot in TIME_SLOTS])
    bounds = np.cumsum(weights, axis=1) / weights.sum(axis=1, keepdims=True)
    return np.asarray(
        (draw_uniform(sessions.keys, _MOOD_DRAW)[:, None] >= bounds[sessions.slot][:, :-1]).sum(axis=1), np.int64
    )


def choose_tracks(plays: taste.Plays, mood: Integers, library: Library) -> tuple[Integers, Integers]:
    """Return the track of each play, and its playlist (-1: no playlist), by taste and mood.

    :param mood: of each play's session.
    """
    track_indexes, playlists = taste.choose_tracks(plays, library)
    unfitting = np.flatnonzero(~_fits_mood(track_indexes, mood, library) & (plays.playlist_draw < 0))
    if len(unfitting):
        retried_plays = _select_plays(plays, unfitting)
        second_choice, _ = taste.choose_tracks(
            taste.Plays(**{**vars(retried_plays), "keys": hash_keys(retried_plays.keys, _SECOND_CHOICE_KEY)}), library
        )
        track_indexes[unfitting] = np.where(
            _fits_mood(second_choice, mood[unfitting], library), second_choice, track_indexes[unfitting]
        )
    return track_indexes, playlists


def _fits_mood(track_indexes: Integers, mood: Integers, library: Library) -> Flags:
    is_any = mood == MOOD_ANSWERS.index(ANY)
    return np.asarray(is_any | library.fits_mood[np.where(is_any, 0, mood), track_indexes])


def _select_plays(plays: taste.Plays, indexes: Integers) -> taste.Plays:
    fields_by_name = {field.name: getattr(plays, field.name) for field in fields(plays)}
    first, second, third, fourth = (trait[indexes] for trait in fields_by_name.pop("traits"))
    return taste.Plays(
        **{name: values[indexes] for name, values in fields_by_name.items()}, traits=(first, second, third, fourth)
    )
