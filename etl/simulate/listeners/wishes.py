"""What the survey says of favourite genres and moods, as draws that taste and play choose by.

- The favourite genre is one that a listener's answer means in this catalogue; where it means none, any of them.
- A session has a mood, by the survey's moods of its time slot. A track that does not fit it gives way to a second
  choice of the same taste, where that one fits. So the mood moves what is heard at an hour, and no trait.
"""

from dataclasses import fields

import numpy as np

from etl.simulate.listeners import taste
from etl.simulate.listeners.chance import Flags, Floats, Integers, choose, keys, uniform
from etl.simulate.listeners.habits import ANY, GENRES_OF_ANSWER, MOOD_ANSWERS, TIME_SLOTS, Habits
from etl.simulate.listeners.library import Library
from etl.simulate.listeners.people import People
from etl.simulate.listeners.sessions import Sessions

_MOOD = 12
"""Purpose of a draw from the key of a session."""
_SECOND_CHOICE = 1 << 45
"""Part of a play's key."""


def genre_draws(people: People, library: Library) -> Floats:
    """For each listener a place in the catalogue's genres, laid side by side by their shares: the favourite one."""
    ends = np.cumsum(library.genre_shares) / library.genre_shares.sum()
    draws = people.genre_draw.copy()
    for place, names in enumerate(GENRES_OF_ANSWER.values()):
        meant = np.flatnonzero(np.isin(library.genres, names) & (library.genre_shares > 0))
        who = np.flatnonzero(people.genre_answer == place)
        if len(meant) and len(who):
            genres = meant[choose(people.genre_draw[who], library.genre_shares[meant])]
            draws[who] = ends[genres] - library.genre_shares[genres] / library.genre_shares.sum() / 2
    return draws


def moods(drawn: Sessions, habits: Habits) -> Integers:
    """The mood of each session, a place in MOOD_ANSWERS."""
    shares = np.array([[habits.moods[slot][mood] for mood in MOOD_ANSWERS] for slot in TIME_SLOTS])
    bounds = np.cumsum(shares, axis=1) / shares.sum(axis=1, keepdims=True)
    return np.asarray((uniform(drawn.keys, _MOOD)[:, None] >= bounds[drawn.slot][:, :-1]).sum(axis=1), np.int64)


def tracks(plays: taste.Plays, mood: Integers, library: Library) -> tuple[Integers, Integers]:
    """The track of each play, and its playlist (-1: none), by taste and mood.

    :param mood: of each play's session.
    """
    chosen, playlists = taste.tracks(plays, library)
    unfit = np.flatnonzero(~_fits(chosen, mood, library) & (plays.playlist_draw < 0))
    if len(unfit):
        again = _some(plays, unfit)
        second, _ = taste.tracks(taste.Plays(**{**vars(again), "keys": keys(again.keys, _SECOND_CHOICE)}), library)
        chosen[unfit] = np.where(_fits(second, mood[unfit], library), second, chosen[unfit])
    return chosen, playlists


def _fits(chosen: Integers, mood: Integers, library: Library) -> Flags:
    is_any = mood == MOOD_ANSWERS.index(ANY)
    return np.asarray(is_any | library.fits[np.where(is_any, 0, mood), chosen])


def _some(plays: taste.Plays, places: Integers) -> taste.Plays:
    taken = {field.name: getattr(plays, field.name) for field in fields(plays)}
    first, second, third, fourth = (trait[places] for trait in taken.pop("traits"))
    return taste.Plays(
        **{name: values[places] for name, values in taken.items()}, traits=(first, second, third, fourth)
    )
