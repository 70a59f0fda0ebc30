"""Accounts, playlists and libraries of the mock API, in their state of the first simulated day."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Account:
    """An account of the mock API: ``name`` is its login name, the ids are those of the API."""

    name: str
    user_id: str
    account_id: str
    display_name: str
    country: str
    plays_a_day: int


@dataclass(frozen=True)
class PlaylistItem:
    """One item of a playlist. ``kind`` is track, local, episode or null; ``item_id`` is empty for local and null."""

    kind: str
    item_id: str
    added_at: str
    added_by: str


@dataclass
class Playlist:
    """A playlist on the first simulated day."""

    playlist_id: str
    name: str
    owner_id: str
    items: list[PlaylistItem] = field(default_factory=list)
    description: str = ""
    is_public: bool = True
    is_collaborative: bool = False
    is_editorial: bool = False


@dataclass
class AccountLibrary:
    """The library of an account: playlists in the order of its list, saved tracks newest first, followed artists."""

    account: Account
    playlist_ids: list[str] = field(default_factory=list)
    saved_tracks: list[tuple[str, str]] = field(default_factory=list)
    followed_artists: list[str] = field(default_factory=list)


@dataclass
class PlaylistsAndLibraries:
    """All playlists by id, and the libraries by the name of their account."""

    playlists: dict[str, Playlist] = field(default_factory=dict)
    libraries: dict[str, AccountLibrary] = field(default_factory=dict)
