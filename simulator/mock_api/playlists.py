"""The accounts, and the playlists and resources that they own, follow, save and play.

Copies of real playlists are assigned to the accounts by hash; without any, playlists are made of tracks of one genre.
The first playlists of each account have all kinds of unusual items that Spotify's playlists have.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from simulator.mock_api.accounts import Account, AccountLibrary, Playlist, PlaylistItem, PlaylistsAndLibraries
from simulator.mock_api.alternative_tracks import AlternativeTracks
from simulator.mock_api.catalogue import Catalogue
from simulator.mock_api.hashed_ids import choose_ids, hash_fraction, hash_number, make_spotify_id

if TYPE_CHECKING:  # The server reads seed data without loading pandas.
    import pandas as pd

ACCOUNT_NAMES = ("ada", "ben", "cleo", "dora", "emil")
EDITORIAL_OWNER = "spotify"
_OTHER_OWNERS = ("stranger_one", "stranger_two", "stranger_three")
_OTHER_PLAYLIST_COUNT = 4
_LONG_PLAYLIST_LENGTH = 130
_LARGE_GENRE_SIZE = 50
_SAVED_TRACK_COUNT = 120
_FOLLOWED_ARTIST_COUNT = 60
_NAMELESS_INDEX, _EMPTY_INDEX = 2, 3
"""The indexes of an account's own playlists without a name and without items."""

_UNUSUAL_KIND_BY_INDEX = {1: "local", 3: "episode", 4: "null", 6: "local"}
_REPEATED_INDEX, _UNPLAYABLE_INDEX, _RELINKED_INDEX = 7, 8, 9
_RELEASE_DATE_BY_INDEX = {
    10: ("0000", "year"),
    11: ("1987", "year"),
    12: ("2003-07", "month"),
    13: ("2019-11-08", "day"),
}
"""The unusual items of an account's first two playlists, by index."""


PlaylistSource = tuple[str, str, list[str]]
"""A playlist's id, its name, and the ids of the catalogue's tracks on it."""


def build_playlists(
    catalogue: Catalogue, tracks: pd.DataFrame, seed: int, account_count: int, own_count: int, length: int | None
) -> PlaylistsAndLibraries:
    """Return the playlists and libraries of accounts that each own ``own_count`` playlists.

    The first account follows no playlists of other owners, so that its list has exactly the requested length. The
    second one follows playlists of other owners, one that it may write to, and an editorial one.

    :param length: the exact number of items on each playlist; None leaves them unchanged.
    """
    accounts = [make_account(index, seed) for index in range(account_count)]
    owners = [owner_account.user_id for owner_account in accounts for _ in range(own_count)]
    owners += [_OTHER_OWNERS[index % len(_OTHER_OWNERS)] for index in range(_OTHER_PLAYLIST_COUNT)] + [EDITORIAL_OWNER]
    # The pool contains the catalogue's tracks only: alternative ids are made afterwards.
    pool, artists = sorted(catalogue.tracks), sorted(catalogue.artists)
    alternatives = AlternativeTracks(catalogue, seed)
    result = PlaylistsAndLibraries()
    playlists_by_owner: defaultdict[str, list[Playlist]] = defaultdict(list)
    for playlist_source, owner in zip(
        _list_playlist_sources(catalogue, tracks, seed, len(owners)), owners, strict=True
    ):
        smallest = length or (0 if playlists_by_owner[owner] else _LONG_PLAYLIST_LENGTH)
        playlist = _make_playlist(
            playlist_source, owner, _fit_length(playlist_source, pool, seed, smallest, length), alternatives, seed
        )
        result.playlists[playlist.playlist_id] = playlist
        playlists_by_owner[owner].append(playlist)
    for owner_account in accounts:
        _add_unusual_items(playlists_by_owner[owner_account.user_id], alternatives, has_empty=length is None)
        result.libraries[owner_account.name] = _make_library(
            owner_account, playlists_by_owner[owner_account.user_id], pool, artists, seed
        )
    if len(accounts) > 1 and own_count:
        _follow_other_playlists(
            result.libraries[accounts[1].name], playlists_by_owner[accounts[0].user_id][-1], playlists_by_owner
        )
    return result


def make_account(index: int, seed: int) -> Account:
    """Return the account at ``index``, counted from 0."""
    name = ACCOUNT_NAMES[index] if index < len(ACCOUNT_NAMES) else f"account{index + 1}"
    return Account(
        name=name,
        user_id=f"madeup_{name}",
        account_id=make_spotify_id("account", seed, name, length=10),
        display_name=f"{name.capitalize()} (made up)",
        country=("DE", "SE", "BR", "JP", "US")[index % 5],
        # With more than 50 plays a day, one request for recent plays a day misses some.
        plays_a_day=30 if index % 2 == 0 else 70,
    )


def _list_playlist_sources(catalogue: Catalogue, tracks: pd.DataFrame, seed: int, count: int) -> list[PlaylistSource]:
    """Return ``count`` playlists as (id, name, track ids): real ones first, in the order of a hash."""
    kaggle_sources = _list_kaggle_playlists(catalogue, tracks, seed)
    kaggle_sources.sort(key=lambda playlist_source: hash_number(seed, "deal", playlist_source[0]))
    genre_sources = (
        _make_genre_playlists(catalogue, seed, count - len(kaggle_sources)) if len(kaggle_sources) < count else []
    )
    return (kaggle_sources + genre_sources)[:count]


def _list_kaggle_playlists(catalogue: Catalogue, tracks: pd.DataFrame, seed: int) -> list[PlaylistSource]:
    if "playlist_id" not in tracks:
        return []
    on_playlists = tracks[tracks["playlist_id"].notna() & tracks["track_id"].isin(catalogue.tracks)]
    rows = sorted(
        {
            (str(playlist_id), track_id, str(name) if isinstance(name, str) else "")
            for playlist_id, track_id, name in zip(
                on_playlists["playlist_id"], on_playlists["track_id"], on_playlists["playlist_name"], strict=True
            )
        }
    )
    tracks_by_playlist: defaultdict[str, dict[str, None]] = defaultdict(dict)
    names: dict[str, str] = {}
    for playlist_id, track_id, name in rows:
        tracks_by_playlist[playlist_id][track_id] = None
        names[playlist_id] = names.get(playlist_id) or name
    # A copy has an id of its own: changes of the copy do not change the playlist in the file.
    return [
        (
            make_spotify_id("copy", seed, playlist_id),
            f"{names[playlist_id]} (made up)".lstrip(),
            sorted(track_ids, key=lambda candidate_id: hash_number(seed, playlist_id, candidate_id)),
        )
        for playlist_id, track_ids in tracks_by_playlist.items()
    ]


def _make_genre_playlists(catalogue: Catalogue, seed: int, count: int) -> list[PlaylistSource]:
    by_genre: defaultdict[str, list[str]] = defaultdict(list)
    for track_id in catalogue.tracks:
        for genre in catalogue.genres.get(track_id) or ("everything",):
            by_genre[genre].append(track_id)
    # Only the coarse size matters for the order: one more track must not assign all playlists differently.
    genres = sorted(by_genre, key=lambda genre: (len(by_genre[genre]) < _LARGE_GENRE_SIZE, genre)) or ["nothing"]
    playlist_sources = []
    for index in range(count):
        genre = genres[index % len(genres)]
        playlist_id = make_spotify_id("playlist", seed, index)
        ordered_track_ids = sorted(
            by_genre[genre], key=lambda candidate_id: hash_number(seed, playlist_id, candidate_id)
        )
        size = 30 + hash_number(seed, "size", playlist_id) % 60
        playlist_sources.append(
            (playlist_id, f"{genre} {index // len(genres) + 1} (made up)", ordered_track_ids[:size])
        )
    return playlist_sources


def _fit_length(
    playlist_source: PlaylistSource, pool: list[str], seed: int, min_length: int, length: int | None
) -> list[str]:
    """Return a playlist's tracks, filled up to ``min_length`` with drawn tracks and cut to ``length`` unless None."""
    playlist_id, _, track_ids = playlist_source
    if len(track_ids) >= min_length:
        return track_ids[:length]
    existing = set(track_ids)
    added_track_ids = [
        candidate
        for candidate in choose_ids(pool, 2 * min_length, seed, "draw", playlist_id)
        if candidate not in existing
    ]
    fitted = track_ids + added_track_ids[: min_length - len(track_ids)]
    # A catalogue that is too small repeats from its beginning.
    return [fitted[index % len(fitted)] for index in range(min_length)] if fitted else []


def _make_playlist(
    playlist_source: PlaylistSource, owner: str, track_ids: list[str], alternatives: AlternativeTracks, seed: int
) -> Playlist:
    playlist_id, name, _ = playlist_source
    served_ids = [alternatives.choose_served_id(track_id, playlist_id) for track_id in track_ids]
    return Playlist(
        playlist_id=playlist_id,
        name=name,
        owner_id=owner,
        items=[
            PlaylistItem("track", track_id, _make_timestamp(seed, playlist_id, track_id), owner)
            for track_id in served_ids
        ],
        is_public=hash_fraction(seed, "public", playlist_id) < 0.7,
        is_editorial=owner == EDITORIAL_OWNER,
    )


def _make_timestamp(*values: object) -> str:
    """Return the timestamp of an addition: a second of the years 2015 to 2025."""
    random_number = hash_number("moment", *values)
    date = f"{2015 + random_number % 11}-{1 + random_number // 11 % 12:02d}-{1 + random_number // 132 % 28:02d}"
    hour, minute, second = random_number // 3_696 % 24, random_number // 88_704 % 60, random_number // 5_322_240 % 60
    return f"{date}T{hour:02d}:{minute:02d}:{second:02d}Z"


def _add_unusual_items(playlists: Sequence[Playlist], alternatives: AlternativeTracks, has_empty: bool) -> None:
    """Replace tracks of an account's own playlists by unusual items; the lengths stay the same."""
    for playlist in playlists[:2]:
        for index, item in enumerate(playlist.items):
            playlist.items[index] = _choose_unusual_item(item, index, playlist, alternatives)
    if len(playlists) > _NAMELESS_INDEX:
        playlists[_NAMELESS_INDEX].name = ""
    if len(playlists) > _EMPTY_INDEX and has_empty:
        playlists[_EMPTY_INDEX].items = []


def _choose_unusual_item(
    item: PlaylistItem, index: int, playlist: Playlist, alternatives: AlternativeTracks
) -> PlaylistItem:
    """Return the item at an index of one of the first playlists."""
    if index in _UNUSUAL_KIND_BY_INDEX:
        return replace(item, kind=_UNUSUAL_KIND_BY_INDEX[index], item_id="")
    if index == _REPEATED_INDEX:
        return playlist.items[0]
    if index == _UNPLAYABLE_INDEX:
        return replace(item, item_id=alternatives.make_unplayable(item.item_id, playlist.playlist_id))
    # If the track at the index has no alternative id, the next track that can have one takes its place.
    candidates = [candidate.item_id for candidate in playlist.items[index:] if candidate.kind == "track"]
    if index == _RELINKED_INDEX:
        replacement_ids = (alternatives.make_relinked(track_id) for track_id in candidates)
    elif index in _RELEASE_DATE_BY_INDEX:
        replacement_ids = (
            alternatives.make_alternative(track_id, _RELEASE_DATE_BY_INDEX[index]) for track_id in candidates
        )
    else:
        return item
    return replace(item, item_id=next(filter(None, replacement_ids), item.item_id))


def _make_library(
    owner_account: Account, playlists: Sequence[Playlist], pool: list[str], artists: list[str], seed: int
) -> AccountLibrary:
    saved_tracks = [
        (_make_timestamp(seed, "saved", owner_account.name, track), track)
        for track in choose_ids(pool, _SAVED_TRACK_COUNT, seed, "saved", owner_account.name)
    ]
    return AccountLibrary(
        account=owner_account,
        playlist_ids=[playlist.playlist_id for playlist in playlists],
        saved_tracks=[(track_id, added_at) for added_at, track_id in sorted(saved_tracks, reverse=True)],
        followed_artists=sorted(choose_ids(artists, _FOLLOWED_ARTIST_COUNT, seed, "followed", owner_account.name)),
    )


def _follow_other_playlists(
    library: AccountLibrary, shared_playlist: Playlist, playlists_by_owner: Mapping[str, Sequence[Playlist]]
) -> None:
    """Let an account follow a playlist that it may write to, those of other owners, and an editorial one."""
    shared_playlist.is_collaborative, shared_playlist.is_public = True, False
    library.playlist_ids.insert(1, shared_playlist.playlist_id)
    library.playlist_ids += [
        playlist.playlist_id for owner in (*_OTHER_OWNERS, EDITORIAL_OWNER) for playlist in playlists_by_owner[owner]
    ]
