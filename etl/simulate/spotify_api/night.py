"""The state of one night: what the stock holds, changed by the scenario; a pure function of both and the night."""

import base64
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from etl.simulate.spotify_api.changes import Changes
from etl.simulate.spotify_api.ids import number
from etl.simulate.spotify_api.playlists import Account, Playlist
from etl.simulate.spotify_api.scenario import Scenario
from etl.simulate.spotify_api.stock import Stock

RECENT_PLAYS = 50


@dataclass(frozen=True)
class Play:
    """One play of an account: when it ended, of which track, from which playlist."""

    played_at_ms: int
    track_id: str
    playlist_id: str


class Night:
    """What the API knows on one night."""

    def __init__(self, stock: Stock, scenario: Scenario, number_: int) -> None:
        self.stock = stock
        self.number = number_
        self._first_day = scenario.first_day or stock.written_on
        self._drift = scenario.popularity_drift
        self._changes = Changes(stock, scenario, number_)
        self._snapshots: dict[str, str] = {}
        self._plays: dict[str, list[Play]] = {}

    def playlist_ids(self, account: Account) -> list[str]:
        """The playlists in an account's list."""
        return self._changes.playlist_ids[account.name]

    def playlist(self, playlist_id: str) -> Playlist | None:
        """A playlist as it is tonight, where there is one of that id."""
        return self._changes.playlist(playlist_id)

    def snapshot_id(self, playlist: Playlist) -> str:
        """The version of a playlist: another one exactly when its name or its items are others."""
        if playlist.playlist_id not in self._snapshots:
            items = [[item.kind, item.item_id, item.added_at, item.added_by] for item in playlist.items]
            content = json.dumps([playlist.playlist_id, playlist.name, items])
            digest = hashlib.blake2b(content.encode(), digest_size=20).digest()
            revision = self._changes.revisions[playlist.playlist_id].to_bytes(4, "big")
            self._snapshots[playlist.playlist_id] = base64.b64encode(revision + digest).decode()
        return self._snapshots[playlist.playlist_id]

    def can_read_items(self, account: Account | None, playlist: Playlist) -> bool:
        """Whether an app in development mode may read a playlist's items for this account."""
        if account is None:
            return False
        return playlist.owner_id == account.user_id or (
            playlist.is_collaborative and playlist.playlist_id in self.playlist_ids(account)
        )

    def tracks(self, track_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Tracks with their ``album`` and ``artists`` in them."""
        tracks = self.stock.tracks(track_ids)
        for track_id, track in tracks.items():
            track["popularity"] = self._drifted(track["popularity"], track_id)
        albums = self.albums(track["album_id"] for track in tracks.values())
        artists = self.artists(artist_id for track in tracks.values() for artist_id in track["artist_ids"])
        for track in tracks.values():
            track["album"] = _as_old_as(track, albums[track["album_id"]])
            track["artists"] = [artists[artist_id] for artist_id in track["artist_ids"]]
        return tracks

    def albums(self, album_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Albums with their ``artists`` in them."""
        albums = self.stock.albums(album_ids)
        artists = self.artists(artist_id for album in albums.values() for artist_id in album["artist_ids"])
        for album in albums.values():
            album["artists"] = [artists[artist_id] for artist_id in album["artist_ids"]]
        return albums

    def artists(self, artist_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Artists under the names that they have tonight."""
        artists = self.stock.artists(artist_ids)
        for artist_id, artist in artists.items():
            artist["name"] = self._changes.artist_names.get(artist_id, artist["name"])
            artist["popularity"] = self._drifted(artist["popularity"], artist_id)
            artist["followers"] += artist["followers"] * self.number // 1000
        return artists

    def saved(self, account: Account) -> list[tuple[str, str]]:
        """The tracks that an account has saved, newest first, and when."""
        return self._changes.saved[account.name]

    def followed(self, account: Account) -> list[str]:
        """The artists that an account follows."""
        return self._changes.followed[account.name]

    def recent_plays(self, account: Account) -> list[Play]:
        """The last 50 plays, newest first; each night that passes brings new ones."""
        if account.name not in self._plays:
            self._plays[account.name] = self._last_plays(account)
        return self._plays[account.name]

    def _last_plays(self, account: Account) -> list[Play]:
        sources = self._sources(account)
        plays: list[Play] = []
        for day in range(self.number, -RECENT_PLAYS, -1):
            plays += reversed(self._plays_of(account, day, sources))
            if len(plays) >= RECENT_PLAYS:
                break
        return plays[:RECENT_PLAYS]

    def _plays_of(self, account: Account, day: int, sources: list[tuple[str, str]]) -> list[Play]:
        """The plays of the 24 hours that end with the midnight on which night ``day`` begins."""
        if not sources:
            return []
        midnight = datetime.combine(self._first_day + timedelta(days=day), time(), UTC)
        start = int(midnight.timestamp() * 1000) - 86_400_000
        step = 86_400_000 // account.plays_a_day
        plays = []
        for place in range(account.plays_a_day):
            drawn = number("play", account.name, day, place)
            playlist_id, track_id = sources[drawn % len(sources)]
            plays.append(Play(start + place * step + drawn // 1_000_003 % step, track_id, playlist_id))
        return plays

    def _drifted(self, popularity: int, thing_id: str) -> int:
        """A popularity that goes up and down a little, by another step every third night or so."""
        if not self._drift or not self.number:
            return popularity
        step = (self.number + number("phase", thing_id)) // 3
        drawn = number("drift", thing_id, step) % (2 * self._drift + 1) - self._drift
        return max(0, min(100, popularity + drawn))

    def _sources(self, account: Account) -> list[tuple[str, str]]:
        """What an account plays from: the playlists of the first night, so that a play stays what it was."""
        found = (self.stock.playlist(playlist_id) for playlist_id in self.stock.playlist_ids(account.name))
        own = [one for one in found if one and one.owner_id == account.user_id]
        return [(one.playlist_id, item.item_id) for one in own[:6] for item in one.items if item.kind == "track"]


def _as_old_as(track: dict[str, Any], album: dict[str, Any]) -> dict[str, Any]:
    """An album with the release date of one of its tracks, where files give that track another one: the API tells a
    track's date by its album alone."""
    known = {name: track[name] for name in ("release_date", "release_date_precision") if track["release_date"]}
    return {**album, **known}
