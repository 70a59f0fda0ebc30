"""The accounts, and what they own, follow, save and play.

Copies of real playlists are dealt to the accounts by hash; where there are none, playlists are made of tracks of one
genre. The first playlists of each account hold everything odd that Spotify's playlists hold.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from etl.simulate.spotify_api.catalogue import Catalogue
from etl.simulate.spotify_api.further import Further
from etl.simulate.spotify_api.ids import chosen, number, share, spotify_id

if TYPE_CHECKING:  # the server reads a stock without ever loading pandas
    import pandas as pd

ACCOUNT_NAMES = ("ada", "ben", "cleo", "dora", "emil")
EDITORIAL_OWNER = "spotify"
_OTHERS = ("stranger_one", "stranger_two", "stranger_three")
_FOREIGN_COUNT = 4
_LONG = 130
_FULL_GENRE = 50
_SAVED = 120
_FOLLOWED = 60
_NAMELESS, _EMPTY = 2, 3
"""Which of an account's own playlists has no name, and which one no items."""

_ODD_KINDS = {1: "local", 3: "episode", 4: "null", 6: "local"}
_REPEATED, _UNPLAYABLE, _RELINKED = 7, 8, 9
_RELEASED = {10: ("0000", "year"), 11: ("1987", "year"), 12: ("2003-07", "month"), 13: ("2019-11-08", "day")}
"""What stands in which places of an account's first two playlists."""


Named = tuple[str, str, list[str]]
"""A playlist's id, its name, and the ids of the catalogue's tracks on it."""


@dataclass(frozen=True)
class Account:
    """An account of the stand-in: ``name`` is what a person calls it, the ids are what the API tells."""

    name: str
    user_id: str
    account_id: str
    display_name: str
    country: str
    plays_a_day: int


@dataclass(frozen=True)
class Item:
    """One place on a playlist. ``kind`` is track, local, episode or null; ``item_id`` is empty for local and null."""

    kind: str
    item_id: str
    added_at: str
    added_by: str


@dataclass
class Playlist:
    """A playlist as it is on the first night."""

    playlist_id: str
    name: str
    owner_id: str
    items: list[Item] = field(default_factory=list)
    description: str = ""
    is_public: bool = True
    is_collaborative: bool = False
    is_editorial: bool = False


@dataclass
class Library:
    """What one account has: playlists in the order of its list, saved tracks newest first, followed artists."""

    account: Account
    playlist_ids: list[str] = field(default_factory=list)
    saved: list[tuple[str, str]] = field(default_factory=list)
    followed: list[str] = field(default_factory=list)


@dataclass
class Dealt:
    """All playlists by id, and the libraries by the name of their account."""

    playlists: dict[str, Playlist] = field(default_factory=dict)
    libraries: dict[str, Library] = field(default_factory=dict)


def deal(
    catalogue: Catalogue, tracks: pd.DataFrame, seed: int, account_count: int, own_count: int, length: int | None
) -> Dealt:
    """Playlists and libraries of ``account_count`` accounts with ``own_count`` playlists of their own each.

    The first account follows nothing of others, so that its list is as long as was asked; the second one follows
    playlists of strangers, one that it may write to, and an editorial one.

    :param length: the exact number of items on each playlist; None leaves them as they are.
    """
    accounts = [account(place, seed) for place in range(account_count)]
    owners = [one.user_id for one in accounts for _ in range(own_count)]
    owners += [_OTHERS[place % len(_OTHERS)] for place in range(_FOREIGN_COUNT)] + [EDITORIAL_OWNER]
    # The pool is the catalogue's tracks alone: further ids come afterwards.
    pool, artists = sorted(catalogue.tracks), sorted(catalogue.artists)
    further = Further(catalogue, seed)
    dealt = Dealt()
    owned: defaultdict[str, list[Playlist]] = defaultdict(list)
    for named, owner in zip(_named_lists(catalogue, tracks, seed, len(owners)), owners, strict=True):
        smallest = length or (0 if owned[owner] else _LONG)
        playlist = _playlist(named, owner, _fitted(named, pool, seed, smallest, length), further, seed)
        dealt.playlists[playlist.playlist_id] = playlist
        owned[owner].append(playlist)
    for one in accounts:
        _make_odd(owned[one.user_id], further, has_empty=length is None)
        dealt.libraries[one.name] = _library(one, owned[one.user_id], pool, artists, seed)
    if len(accounts) > 1 and own_count:
        _follow_others(dealt.libraries[accounts[1].name], owned[accounts[0].user_id][-1], owned)
    return dealt


def account(place: int, seed: int) -> Account:
    """The account in ``place``, counted from 0."""
    name = ACCOUNT_NAMES[place] if place < len(ACCOUNT_NAMES) else f"account{place + 1}"
    return Account(
        name=name,
        user_id=f"madeup_{name}",
        account_id=spotify_id("account", seed, name, length=10),
        display_name=f"{name.capitalize()} (made up)",
        country=("DE", "SE", "BR", "JP", "US")[place % 5],
        # With more than 50 a day a nightly look at what was played last misses some.
        plays_a_day=30 if place % 2 == 0 else 70,
    )


def _named_lists(catalogue: Catalogue, tracks: pd.DataFrame, seed: int, wanted: int) -> list[Named]:
    """``wanted`` playlists as (id, name, track ids): real ones first, in the order of a hash."""
    real = _real_lists(catalogue, tracks, seed)
    real.sort(key=lambda one: number(seed, "deal", one[0]))
    made = _lists_by_genre(catalogue, seed, wanted - len(real)) if len(real) < wanted else []
    return (real + made)[:wanted]


def _real_lists(catalogue: Catalogue, tracks: pd.DataFrame, seed: int) -> list[Named]:
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
    members: defaultdict[str, dict[str, None]] = defaultdict(dict)
    names: dict[str, str] = {}
    for playlist_id, track_id, name in rows:
        members[playlist_id][track_id] = None
        names[playlist_id] = names.get(playlist_id) or name
    # Under ids of their own: what a file lists on a playlist is not changed by what its copy here goes through.
    return [
        (
            spotify_id("copy", seed, playlist_id),
            f"{names[playlist_id]} (made up)".lstrip(),
            sorted(track_ids, key=lambda one: number(seed, playlist_id, one)),
        )
        for playlist_id, track_ids in members.items()
    ]


def _lists_by_genre(catalogue: Catalogue, seed: int, count: int) -> list[Named]:
    by_genre: defaultdict[str, list[str]] = defaultdict(list)
    for track_id in catalogue.tracks:
        for genre in catalogue.genres.get(track_id) or ("everything",):
            by_genre[genre].append(track_id)
    # By size only as far as it matters: one more track must not deal all the playlists anew.
    genres = sorted(by_genre, key=lambda genre: (len(by_genre[genre]) < _FULL_GENRE, genre)) or ["nothing"]
    made = []
    for place in range(count):
        genre = genres[place % len(genres)]
        playlist_id = spotify_id("playlist", seed, place)
        drawn = sorted(by_genre[genre], key=lambda one: number(seed, playlist_id, one))
        size = 30 + number(seed, "size", playlist_id) % 60
        made.append((playlist_id, f"{genre} {place // len(genres) + 1} (made up)", drawn[:size]))
    return made


def _fitted(named: Named, pool: list[str], seed: int, smallest: int, length: int | None) -> list[str]:
    """A playlist's tracks, with others drawn until there are ``smallest``, cut to ``length`` where one is given."""
    playlist_id, _, track_ids = named
    if len(track_ids) >= smallest:
        return track_ids[:length]
    there = set(track_ids)
    drawn = [one for one in chosen(pool, 2 * smallest, seed, "draw", playlist_id) if one not in there]
    fitted = track_ids + drawn[: smallest - len(track_ids)]
    # A catalogue that is too small is played again from its beginning.
    return [fitted[place % len(fitted)] for place in range(smallest)] if fitted else []


def _playlist(named: Named, owner: str, track_ids: list[str], further: Further, seed: int) -> Playlist:
    playlist_id, name, _ = named
    served = [further.served(track_id, playlist_id) for track_id in track_ids]
    return Playlist(
        playlist_id=playlist_id,
        name=name,
        owner_id=owner,
        items=[Item("track", track_id, _moment(seed, playlist_id, track_id), owner) for track_id in served],
        is_public=share(seed, "public", playlist_id) < 0.7,
        is_editorial=owner == EDITORIAL_OWNER,
    )


def _moment(*parts: object) -> str:
    """When something was added: some second of the years 2015 to 2025."""
    drawn = number("moment", *parts)
    date = f"{2015 + drawn % 11}-{1 + drawn // 11 % 12:02d}-{1 + drawn // 132 % 28:02d}"
    return f"{date}T{drawn // 3_696 % 24:02d}:{drawn // 88_704 % 60:02d}:{drawn // 5_322_240 % 60:02d}Z"


def _make_odd(own: Sequence[Playlist], further: Further, has_empty: bool) -> None:
    """Put what is odd on an account's own playlists, in the place of tracks, so that lengths stay."""
    for playlist in own[:2]:
        for place, item in enumerate(playlist.items):
            playlist.items[place] = _odd_item(item, place, playlist, further)
    if len(own) > _NAMELESS:
        own[_NAMELESS].name = ""
    if len(own) > _EMPTY and has_empty:
        own[_EMPTY].items = []


def _odd_item(item: Item, place: int, playlist: Playlist, further: Further) -> Item:
    """What stands in a place of one of the first playlists."""
    if place in _ODD_KINDS:
        return replace(item, kind=_ODD_KINDS[place], item_id="")
    if place == _REPEATED:
        return playlist.items[0]
    if place == _UNPLAYABLE:
        return replace(item, item_id=further.unplayable(item.item_id, playlist.playlist_id))
    # A place may hold what has no further id: then the next track that can have one stands there.
    candidates = [one.item_id for one in playlist.items[place:] if one.kind == "track"]
    if place == _RELINKED:
        made = (further.relinked(track_id) for track_id in candidates)
    elif place in _RELEASED:
        made = (further.further(track_id, _RELEASED[place]) for track_id in candidates)
    else:
        return item
    return replace(item, item_id=next(filter(None, made), item.item_id))


def _library(one: Account, own: Sequence[Playlist], pool: list[str], artists: list[str], seed: int) -> Library:
    saved = [
        (_moment(seed, "saved", one.name, track), track) for track in chosen(pool, _SAVED, seed, "saved", one.name)
    ]
    return Library(
        account=one,
        playlist_ids=[playlist.playlist_id for playlist in own],
        saved=[(track_id, moment) for moment, track_id in sorted(saved, reverse=True)],
        followed=sorted(chosen(artists, _FOLLOWED, seed, "followed", one.name)),
    )


def _follow_others(library: Library, shared: Playlist, owned: Mapping[str, Sequence[Playlist]]) -> None:
    """Let an account follow a playlist that it may write to, those of strangers, and an editorial one."""
    shared.is_collaborative, shared.is_public = True, False
    library.playlist_ids.insert(1, shared.playlist_id)
    library.playlist_ids += [one.playlist_id for owner in (*_OTHERS, EDITORIAL_OWNER) for one in owned[owner]]
