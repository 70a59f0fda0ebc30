"""Which track a play plays: a listener's traits, repertoire and month decide.

- **Loyalty**: the share of plays that are one of the month's few favourite tracks; any other is a choice of its own.
- **Exploration**: the share of choices that fall on anybody, rather than on one of a repertoire of artists with several
  recordings, and how many of these artists change with the month.
- **Newness** and **commonality**: around which age of the music, and which popularity of the artist, choices lie.

So each trait can be told from plays by itself; docs/personality.md says how. The repertoire and a month's favourites
are draws from the listener's key and the calendar month, so that they depend on no interval. The less of an explorer,
the more of the repertoire is of the favourite genre and four more, where these have artists of that age and popularity.
"""

from dataclasses import dataclass

import numpy as np

from etl.simulate.listeners.chance import Floats, Integers, Keys, choose, keys, uniform
from etl.simulate.listeners.library import BANDS, Library, cell_of

_FAVOURITES = 6
_REPERTOIRE = 10
_LIKED_GENRES = 4
_OWN_PLAYLISTS = 3
_NEAR = 0.3
"""How widely the choices of a listener lie around what the trait says."""

_FRESH = 0.87
"""Below 1, for some of the repertoire are played so seldom that they look like anybody else."""

# Purposes of draws from the key of a play, or of a favourite.
_IS_FAVOURITE, _FAVOURITE, _IS_FRESH, _SLOT, _TRACK, _PLAYLIST_TRACK, _OLD = range(1, 8)
# Purposes of draws from the key of an artist of the repertoire, or of a play's own.
_RENEWED, _GENRE_KIND, _GENRE, _LIKED, _POPULARITY, _AGE, _ARTIST, _IS_DATED = range(11, 19)
# Parts of a listener's key.
_OF_FAVOURITES, _OF_REPERTOIRE, _OF_GENRES, _OF_PLAYLISTS = (number << 40 for number in range(1, 5))


@dataclass(frozen=True)
class Plays:
    """Who plays when, an entry a play in every array; ``month`` counts from 1970, ``day`` likewise."""

    keys: Keys
    listener_keys: Keys
    traits: tuple[Floats, Floats, Floats, Floats]
    genre_draw: Floats
    month: Integers
    day: Integers
    playlist_draw: Floats
    """From 0 to 1 for a play of the session's playlist, which it chooses; negative for any other play."""


def favourite_genres(genre_draw: Floats, library: Library) -> Integers:
    """The genre that each listener likes best."""
    return choose(genre_draw, library.genre_shares)


def tracks(plays: Plays, library: Library) -> tuple[Integers, Integers]:
    """The track of each play, and its playlist (-1: none)."""
    choice = _choices(plays)
    artists = _artists(plays, choice, library)
    chosen = library.tracks.pick(artists, uniform(choice, _TRACK))
    playlists = _playlists(plays, library)
    from_playlist = np.flatnonzero(playlists >= 0)
    if len(from_playlist):
        draws = uniform(plays.keys[from_playlist], _PLAYLIST_TRACK)
        chosen[from_playlist] = library.playlists.pick(playlists[from_playlist], draws)
    too_early = np.flatnonzero(library.release_days[chosen] > plays.day)
    if len(too_early):
        chosen[too_early] = _released(plays, too_early, artists, library)
        playlists[too_early] = -1
    return chosen, playlists


def _choices(plays: Plays) -> Keys:
    """The key that a play's choices are drawn from: its own, or that of one of the month's favourites."""
    loyalty = plays.traits[2]
    numbers = (_FAVOURITES * uniform(plays.keys, _FAVOURITE) ** 1.5).astype(np.int64)
    favourites = keys(plays.listener_keys, _OF_FAVOURITES + plays.month * _FAVOURITES + numbers)
    is_favourite = uniform(plays.keys, _IS_FAVOURITE) < 0.05 + 0.9 * loyalty
    return np.where(is_favourite, favourites, plays.keys)


def _artists(plays: Plays, choice: Keys, library: Library) -> Integers:
    """The artist of each choice: somebody of the repertoire for good or of the month's, or anybody."""
    exploration = plays.traits[0]
    slots = (_REPERTOIRE * uniform(choice, _SLOT) ** 1.2).astype(np.int64)
    own = keys(plays.listener_keys, _OF_REPERTOIRE + slots)
    is_renewed = uniform(own, _RENEWED) < 0.5 * exploration
    is_fresh = uniform(choice, _IS_FRESH) < _FRESH * exploration
    artist_keys = np.where(is_fresh, choice, np.where(is_renewed, keys(own, plays.month), own))
    genres = np.where(is_fresh, -1, _genres(plays, artist_keys, library))
    popularity = _band(plays.traits[3], uniform(artist_keys, _POPULARITY))
    age = np.where(library.dated_share > 0, _band(plays.traits[1], uniform(artist_keys, _AGE)), 0)
    cells, anywhere = cell_of(genres, popularity, age), cell_of(genres, popularity, np.zeros_like(age))
    draws = uniform(artist_keys, _ARTIST)
    of_repertoire, dated = library.kept_cells.pick(cells, draws), library.dated_cells.pick(cells, draws)
    is_dated = uniform(artist_keys, _IS_DATED) < library.dated_share
    anybody = np.where(is_dated, dated, library.other_cells.pick(anywhere, draws))
    return np.where(is_fresh, anybody, of_repertoire)


def _genres(plays: Plays, artist_keys: Keys, library: Library) -> Integers:
    exploration = plays.traits[0]
    kind = uniform(artist_keys, _GENRE_KIND)
    liked = (uniform(artist_keys, _LIKED) * _LIKED_GENRES).astype(np.int64)
    draws = np.where(
        kind < 0.6 - 0.4 * exploration, plays.genre_draw, uniform(keys(plays.listener_keys, _OF_GENRES + liked), _GENRE)
    )
    draws = np.where(kind < 0.95 - 0.5 * exploration, draws, uniform(artist_keys, _GENRE))
    return choose(draws, library.genre_shares)


def _playlists(plays: Plays, library: Library) -> Integers:
    """The playlist of plays from one: one of the few that the listener has this month."""
    found = np.full(len(plays.keys), -1, np.int64)
    size = len(library.playlists.counts)
    places = np.flatnonzero(plays.playlist_draw >= 0)
    if size and len(places):
        own = (plays.playlist_draw[places] * _OWN_PLAYLISTS).astype(np.int64)
        number = _OF_PLAYLISTS + plays.month[places] * _OWN_PLAYLISTS + own
        found[places] = (uniform(keys(plays.listener_keys[places], number), 1) * size).astype(np.int64)
    return found


def _released(plays: Plays, places: Integers, artists: Integers, library: Library) -> Integers:
    """What is played in place of a track that was not out yet: the artist's oldest, else an old one of anybody."""
    own = library.dated_tracks.starts[artists[places]]
    oldest_own = library.dated_tracks.items[np.minimum(own, len(library.dated_tracks.items) - 1)].astype(np.int64)
    anybodys = library.oldest[(uniform(plays.keys[places], _OLD) * len(library.oldest)).astype(np.int64)]
    is_out = library.release_days[oldest_own] <= plays.day[places]
    return np.where(is_out & (library.dated_tracks.counts[artists[places]] > 0), oldest_own, anybodys)


def _band(trait: Floats, draws: Floats) -> Integers:
    around = np.clip(trait + _NEAR * (draws - 0.5), 0, 1 - 1e-9)
    return np.asarray((around * BANDS).astype(np.int64))
