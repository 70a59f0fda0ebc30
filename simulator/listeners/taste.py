"""Choices of tracks: a listener's traits, repertoire and month determine the track of each play.

- **Loyalty**: the fraction of plays of one of the month's few favourite tracks; any other play is a choice of its own.
- **Exploration**: the fraction of choices from all artists, rather than from a repertoire of artists with several
  recordings, and how many of these artists change with the month.
- **Newness** and **commonality**: the age of the music, and the popularity of the artist, around which choices lie.

So plays reveal each trait independently, as docs/personality.md explains. The repertoire and a month's favourites are
draws from the listener's key and the calendar month, so that they depend on no interval. The lower the exploration, the
more of the repertoire is of the favourite genre and four more, if these have artists of that age and popularity.
"""

from dataclasses import dataclass

import numpy as np

from simulator.listeners.hashed_draws import Floats, Integers, Keys, choose_weighted, draw_uniform, hash_keys
from simulator.listeners.track_library import BAND_COUNT, Library, compute_cell

_FAVOURITE_COUNT = 6
_REPERTOIRE_SIZE = 10
_LIKED_GENRE_COUNT = 4
_OWN_PLAYLIST_COUNT = 3
_TRAIT_WIDTH = 0.3
"""The width of a listener's choices around the value of the trait."""

_NEW_ARTIST_FACTOR = 0.87
"""Below 1, because some repertoire artists are played so seldom that they look like any other artist."""

# Purposes of draws from the key of a play, or of a favourite.
(
    _IS_FAVOURITE_DRAW,
    _FAVOURITE_DRAW,
    _IS_NEW_ARTIST_DRAW,
    _SLOT_DRAW,
    _TRACK_DRAW,
    _PLAYLIST_TRACK_DRAW,
    _OLD_TRACK_DRAW,
) = range(1, 8)
# Purposes of draws from the key of an artist of the repertoire, or of a play's own.
(
    _RENEWED_DRAW,
    _GENRE_KIND_DRAW,
    _GENRE_DRAW,
    _LIKED_GENRE_DRAW,
    _POPULARITY_DRAW,
    _AGE_DRAW,
    _ARTIST_DRAW,
    _IS_DATED_DRAW,
) = range(11, 19)
# Parts of a listener's key.
_FAVOURITE_KEY_BASE, _REPERTOIRE_KEY_BASE, _GENRE_KEY_BASE, _PLAYLIST_KEY_BASE = (
    number << 40 for number in range(1, 5)
)


@dataclass(frozen=True)
class Plays:
    """Plays with their listeners, an entry a play in every array; ``month`` counts from 1970, ``day`` likewise."""

    keys: Keys
    listener_keys: Keys
    traits: tuple[Floats, Floats, Floats, Floats]
    genre_draw: Floats
    month: Integers
    day: Integers
    playlist_draw: Floats
    """From 0 to 1 for a play of the session's playlist, and chooses the playlist; negative for any other play."""


def choose_favourite_genres(genre_draw: Floats, library: Library) -> Integers:
    """Return the genre that each listener likes best."""
    return choose_weighted(genre_draw, library.genre_fractions)


def choose_tracks(plays: Plays, library: Library) -> tuple[Integers, Integers]:
    """Return the track of each play, and its playlist (-1: no playlist)."""
    choice_keys = _make_choice_keys(plays)
    artists = _choose_artists(plays, choice_keys, library)
    track_indexes = library.tracks.pick_items(artists, draw_uniform(choice_keys, _TRACK_DRAW))
    playlists = _choose_playlists(plays, library)
    from_playlist = np.flatnonzero(playlists >= 0)
    if len(from_playlist):
        draws = draw_uniform(plays.keys[from_playlist], _PLAYLIST_TRACK_DRAW)
        track_indexes[from_playlist] = library.playlists.pick_items(playlists[from_playlist], draws)
    too_early = np.flatnonzero(library.release_days[track_indexes] > plays.day)
    if len(too_early):
        track_indexes[too_early] = _replace_unreleased_tracks(plays, too_early, artists, library)
        playlists[too_early] = -1
    return track_indexes, playlists


def _make_choice_keys(plays: Plays) -> Keys:
    """Return the key that a play's choices are drawn from: its own, or that of one of the month's favourites."""
    loyalty = plays.traits[2]
    numbers = (_FAVOURITE_COUNT * draw_uniform(plays.keys, _FAVOURITE_DRAW) ** 1.5).astype(np.int64)
    favourites = hash_keys(plays.listener_keys, _FAVOURITE_KEY_BASE + plays.month * _FAVOURITE_COUNT + numbers)
    is_favourite = draw_uniform(plays.keys, _IS_FAVOURITE_DRAW) < 0.05 + 0.9 * loyalty
    return np.where(is_favourite, favourites, plays.keys)


def _choose_artists(plays: Plays, choice_keys: Keys, library: Library) -> Integers:
    """Return the artist of each choice: of the lasting repertoire, of the month's, or any artist."""
    exploration = plays.traits[0]
    slots = (_REPERTOIRE_SIZE * draw_uniform(choice_keys, _SLOT_DRAW) ** 1.2).astype(np.int64)
    slot_keys = hash_keys(plays.listener_keys, _REPERTOIRE_KEY_BASE + slots)
    is_renewed = draw_uniform(slot_keys, _RENEWED_DRAW) < 0.5 * exploration
    is_new_artist = draw_uniform(choice_keys, _IS_NEW_ARTIST_DRAW) < _NEW_ARTIST_FACTOR * exploration
    artist_keys = np.where(
        is_new_artist, choice_keys, np.where(is_renewed, hash_keys(slot_keys, plays.month), slot_keys)
    )
    genres = np.where(is_new_artist, -1, _choose_genres(plays, artist_keys, library))
    popularity = _choose_band(plays.traits[3], draw_uniform(artist_keys, _POPULARITY_DRAW))
    age = np.where(library.dated_fraction > 0, _choose_band(plays.traits[1], draw_uniform(artist_keys, _AGE_DRAW)), 0)
    cells, undated_cells = compute_cell(genres, popularity, age), compute_cell(genres, popularity, np.zeros_like(age))
    draws = draw_uniform(artist_keys, _ARTIST_DRAW)
    repertoire_artists, dated_artists = (
        library.repertoire_cells.pick_items(cells, draws),
        library.dated_cells.pick_items(cells, draws),
    )
    is_dated = draw_uniform(artist_keys, _IS_DATED_DRAW) < library.dated_fraction
    any_artist = np.where(is_dated, dated_artists, library.all_artist_cells.pick_items(undated_cells, draws))
    return np.where(is_new_artist, any_artist, repertoire_artists)


def _choose_genres(plays: Plays, artist_keys: Keys, library: Library) -> Integers:
    exploration = plays.traits[0]
    kind = draw_uniform(artist_keys, _GENRE_KIND_DRAW)
    liked_genre = (draw_uniform(artist_keys, _LIKED_GENRE_DRAW) * _LIKED_GENRE_COUNT).astype(np.int64)
    draws = np.where(
        kind < 0.6 - 0.4 * exploration,
        plays.genre_draw,
        draw_uniform(hash_keys(plays.listener_keys, _GENRE_KEY_BASE + liked_genre), _GENRE_DRAW),
    )
    draws = np.where(kind < 0.95 - 0.5 * exploration, draws, draw_uniform(artist_keys, _GENRE_DRAW))
    return choose_weighted(draws, library.genre_fractions)


def _choose_playlists(plays: Plays, library: Library) -> Integers:
    """Return the playlist of playlist plays: one of the listener's few playlists of the month."""
    playlist_indexes = np.full(len(plays.keys), -1, np.int64)
    size = len(library.playlists.counts)
    play_indexes = np.flatnonzero(plays.playlist_draw >= 0)
    if size and len(play_indexes):
        own_playlist = (plays.playlist_draw[play_indexes] * _OWN_PLAYLIST_COUNT).astype(np.int64)
        number = _PLAYLIST_KEY_BASE + plays.month[play_indexes] * _OWN_PLAYLIST_COUNT + own_playlist
        playlist_indexes[play_indexes] = (
            draw_uniform(hash_keys(plays.listener_keys[play_indexes], number), 1) * size
        ).astype(np.int64)
    return playlist_indexes


def _replace_unreleased_tracks(plays: Plays, play_indexes: Integers, artists: Integers, library: Library) -> Integers:
    """Return replacements for unreleased tracks: the artist's oldest track, else an old track of any artist."""
    first_item = library.dated_tracks.starts[artists[play_indexes]]
    oldest_of_artist = library.dated_tracks.items[np.minimum(first_item, len(library.dated_tracks.items) - 1)].astype(
        np.int64
    )
    oldest_of_any = library.oldest_tracks[
        (draw_uniform(plays.keys[play_indexes], _OLD_TRACK_DRAW) * len(library.oldest_tracks)).astype(np.int64)
    ]
    is_released = library.release_days[oldest_of_artist] <= plays.day[play_indexes]
    return np.where(
        is_released & (library.dated_tracks.counts[artists[play_indexes]] > 0), oldest_of_artist, oldest_of_any
    )


def _choose_band(trait: Floats, draws: Floats) -> Integers:
    position = np.clip(trait + _TRAIT_WIDTH * (draws - 0.5), 0, 1 - 1e-9)
    return np.asarray((position * BAND_COUNT).astype(np.int64))
