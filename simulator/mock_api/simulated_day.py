"""The state of one simulated day: a pure function of seed data, scenario and day."""

import base64
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from simulator.mock_api.accounts import Account, Playlist
from simulator.mock_api.changes import AppliedChanges
from simulator.mock_api.hashed_ids import hash_number
from simulator.mock_api.scenario import Scenario
from simulator.mock_api.seed_data import SeedData

RECENT_PLAY_COUNT = 50


@dataclass(frozen=True)
class Play:
    """One play of an account: its end, its track and its playlist."""

    played_at_ms: int
    track_id: str
    playlist_id: str


class SimulatedDay:
    """The resources of the API on one simulated day."""

    def __init__(self, seed_data: SeedData, scenario: Scenario, number: int) -> None:
        self.seed_data = seed_data
        self.number = number
        self._first_day = scenario.first_day or seed_data.written_on
        self._max_popularity_drift = scenario.popularity_drift
        self._changes = AppliedChanges(seed_data, scenario, number)
        self._snapshot_ids: dict[str, str] = {}
        self._recent_plays: dict[str, list[Play]] = {}

    def list_playlist_ids(self, account: Account) -> list[str]:
        """Return the playlists in an account's list."""
        return self._changes.playlist_ids[account.name]

    def find_playlist(self, playlist_id: str) -> Playlist | None:
        """Return a playlist in the state of this day, None if there is no playlist with the id."""
        return self._changes.find_playlist(playlist_id)

    def compute_snapshot_id(self, playlist: Playlist) -> str:
        """Return the version of a playlist, which changes exactly when its name or its items change."""
        if playlist.playlist_id not in self._snapshot_ids:
            items = [[item.kind, item.item_id, item.added_at, item.added_by] for item in playlist.items]
            content = json.dumps([playlist.playlist_id, playlist.name, items])
            digest = hashlib.blake2b(content.encode(), digest_size=20).digest()
            revision = self._changes.revisions[playlist.playlist_id].to_bytes(4, "big")
            self._snapshot_ids[playlist.playlist_id] = base64.b64encode(revision + digest).decode()
        return self._snapshot_ids[playlist.playlist_id]

    def can_read_items(self, account: Account | None, playlist: Playlist) -> bool:
        """Return whether an app in development mode may read a playlist's items for this account."""
        if account is None:
            return False
        return playlist.owner_id == account.user_id or (
            playlist.is_collaborative and playlist.playlist_id in self.list_playlist_ids(account)
        )

    def read_tracks(self, track_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Return tracks with their ``album`` and ``artists`` as objects."""
        tracks = self.seed_data.read_tracks(track_ids)
        for track_id, track in tracks.items():
            track["popularity"] = self._drift_popularity(track["popularity"], track_id)
        albums = self.read_albums(track["album_id"] for track in tracks.values())
        artists = self.read_artists(artist_id for track in tracks.values() for artist_id in track["artist_ids"])
        for track in tracks.values():
            track["album"] = _apply_track_release_date(track, albums[track["album_id"]])
            track["artists"] = [artists[artist_id] for artist_id in track["artist_ids"]]
        return tracks

    def read_albums(self, album_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Return albums with their ``artists`` as objects."""
        albums = self.seed_data.read_albums(album_ids)
        artists = self.read_artists(artist_id for album in albums.values() for artist_id in album["artist_ids"])
        for album in albums.values():
            album["artists"] = [artists[artist_id] for artist_id in album["artist_ids"]]
        return albums

    def read_artists(self, artist_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Return artists under their names of this day."""
        artists = self.seed_data.read_artists(artist_ids)
        for artist_id, artist in artists.items():
            artist["name"] = self._changes.artist_names.get(artist_id, artist["name"])
            artist["popularity"] = self._drift_popularity(artist["popularity"], artist_id)
            artist["followers"] += artist["followers"] * self.number // 1000
        return artists

    def list_saved_tracks(self, account: Account) -> list[tuple[str, str]]:
        """Return the tracks that an account has saved, newest first, with the time of saving."""
        return self._changes.saved_tracks[account.name]

    def list_followed_artists(self, account: Account) -> list[str]:
        """Return the artists that an account follows."""
        return self._changes.followed_artists[account.name]

    def list_recent_plays(self, account: Account) -> list[Play]:
        """Return the last 50 plays, newest first; each day adds new ones."""
        if account.name not in self._recent_plays:
            self._recent_plays[account.name] = self._collect_recent_plays(account)
        return self._recent_plays[account.name]

    def _collect_recent_plays(self, account: Account) -> list[Play]:
        sources = self._list_play_sources(account)
        plays: list[Play] = []
        for day in range(self.number, -RECENT_PLAY_COUNT, -1):
            plays += reversed(self._make_plays(account, day, sources))
            if len(plays) >= RECENT_PLAY_COUNT:
                break
        return plays[:RECENT_PLAY_COUNT]

    def _make_plays(self, account: Account, day: int, sources: list[tuple[str, str]]) -> list[Play]:
        """Return the plays of the 24 hours before the midnight on which ``day`` begins."""
        if not sources:
            return []
        midnight = datetime.combine(self._first_day + timedelta(days=day), time(), UTC)
        start = int(midnight.timestamp() * 1000) - 86_400_000
        step = 86_400_000 // account.plays_a_day
        plays = []
        for index in range(account.plays_a_day):
            random_number = hash_number("play", account.name, day, index)
            playlist_id, track_id = sources[random_number % len(sources)]
            plays.append(Play(start + index * step + random_number // 1_000_003 % step, track_id, playlist_id))
        return plays

    def _drift_popularity(self, popularity: int, resource_id: str) -> int:
        """Return a popularity that drifts a little up and down, with a new step about every third day."""
        if not self._max_popularity_drift or not self.number:
            return popularity
        step = (self.number + hash_number("phase", resource_id)) // 3
        change = (
            hash_number("drift", resource_id, step) % (2 * self._max_popularity_drift + 1) - self._max_popularity_drift
        )
        return max(0, min(100, popularity + change))

    def _list_play_sources(self, account: Account) -> list[tuple[str, str]]:
        """Return the sources of an account's plays: the playlists of the first day, so that plays never change."""
        playlists = (
            self.seed_data.find_playlist(playlist_id) for playlist_id in self.seed_data.list_playlist_ids(account.name)
        )
        own_playlists = [playlist for playlist in playlists if playlist and playlist.owner_id == account.user_id]
        return [
            (playlist.playlist_id, item.item_id)
            for playlist in own_playlists[:6]
            for item in playlist.items
            if item.kind == "track"
        ]


def _apply_track_release_date(track: dict[str, Any], album: dict[str, Any]) -> dict[str, Any]:
    """Return an album with the release date of one of its tracks, if files date that track differently.

    The API dates a track by its album only.
    """
    track_date = {name: track[name] for name in ("release_date", "release_date_precision") if track["release_date"]}
    return {**album, **track_date}
