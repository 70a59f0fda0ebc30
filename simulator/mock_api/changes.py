"""The changes since the first simulated day: the scenario's, and the default ones of every day."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, timedelta

from simulator.mock_api.accounts import Account, Playlist, PlaylistItem
from simulator.mock_api.hashed_ids import hash_number, make_spotify_id
from simulator.mock_api.scenario import Change, Scenario
from simulator.mock_api.seed_data import SeedData


class AppliedChanges:
    """Changes up to and including one day, applied in their order. The seed data stays unchanged."""

    def __init__(self, seed_data: SeedData, scenario: Scenario, simulated_day: int) -> None:
        self.revisions: Counter[str] = Counter()
        self.artist_names: dict[str, str] = {}
        self._seed_data = seed_data
        self._first_day = scenario.first_day or seed_data.written_on
        self._playlists: dict[str, Playlist | None] = {}
        self._created_playlist_ids: dict[str, str] = {}
        self._own_playlist_ids = {
            name: _list_own_playlists(seed_data, account) for name, account in seed_data.accounts.items()
        }
        self.playlist_ids = {name: seed_data.list_playlist_ids(name) for name in seed_data.accounts}
        self.saved_tracks = {name: seed_data.list_saved_tracks(name) for name in seed_data.accounts}
        self.followed_artists = {name: seed_data.list_followed_artists(name) for name in seed_data.accounts}
        for day in range(1, simulated_day + 1):
            default_changes = (
                _list_default_changes(seed_data, self._own_playlist_ids, day)
                if scenario.has_usual_changes
                else iter(())
            )
            for change in (*default_changes, *(change for change in scenario.change if change.night == day)):
                self._apply_change(change)

    def find_playlist(self, playlist_id: str) -> Playlist | None:
        """Return a playlist with the changes applied, None if there is no playlist with the id."""
        if playlist_id not in self._playlists:
            self._playlists[playlist_id] = self._seed_data.find_playlist(playlist_id)
        return self._playlists[playlist_id]

    def _apply_change(self, change: Change) -> None:
        if change.kind == "rename_artist":
            self.artist_names.update(dict.fromkeys(change.ids, change.name))
        elif change.account in self._seed_data.accounts:
            account = self._seed_data.accounts[change.account]
            if change.kind in ("save_tracks", "unsave_tracks", "follow_artists", "unfollow_artists"):
                self._change_library(account, change)
            elif change.kind == "new_playlist":
                self._create_playlist(account, change)
            else:
                self._change_playlist(account, change)

    def _change_playlist(self, account: Account, change: Change) -> None:
        playlist_id = self._resolve_playlist(account, change.playlist)
        playlist = self.find_playlist(playlist_id) if playlist_id else None
        if playlist is None:
            return
        content_before = (playlist.name, list(playlist.items))
        if change.kind == "delete_playlist":
            # As in Spotify, deleting a playlist only unfollows it: a client that knows its id can still read it.
            self.playlist_ids[account.name] = [
                remaining_id for remaining_id in self.playlist_ids[account.name] if remaining_id != playlist_id
            ]
        elif change.kind == "rename_playlist":
            playlist.name = change.name
        elif change.kind == "add_tracks":
            playlist.items += self._make_items(account, change)
        else:
            removed = set(
                change.ids
                or _draw_ids(
                    [playlist_item.item_id for playlist_item in playlist.items if playlist_item.kind == "track"], change
                )
            )
            playlist.items = [item for item in playlist.items if item.item_id not in removed]
        if (playlist.name, playlist.items) != content_before:
            self.revisions[playlist.playlist_id] += 1

    def _create_playlist(self, account: Account, change: Change) -> None:
        playlist_id = make_spotify_id("new playlist", self._seed_data.seed, account.name, change.night, change.name)
        items = self._make_items(account, change)
        self._playlists[playlist_id] = Playlist(playlist_id, change.name, account.user_id, items)
        self._created_playlist_ids[change.name] = playlist_id
        if playlist_id not in self.playlist_ids[account.name]:
            self.playlist_ids[account.name].insert(0, playlist_id)

    def _change_library(self, account: Account, change: Change) -> None:
        saved, followed = self.saved_tracks[account.name], self.followed_artists[account.name]
        added_at = self._choose_timestamp(account, change)
        match change.kind:
            case "save_tracks":
                added = self._choose_tracks(change, {track_id for track_id, _ in saved})
                self.saved_tracks[account.name] = [(track_id, added_at) for track_id in added] + saved
            case "unsave_tracks":
                removed = set(change.ids or _draw_ids([track_id for track_id, _ in saved], change))
                self.saved_tracks[account.name] = [
                    saved_track for saved_track in saved if saved_track[0] not in removed
                ]
            case "follow_artists":
                candidates = self._seed_data.choose_artist_ids(change.count + len(followed), *_list_draw_values(change))
                added = (
                    list(change.ids)
                    or [artist_id for artist_id in candidates if artist_id not in followed][: change.count]
                )
                self.followed_artists[account.name] = sorted({*followed, *added})
            case _:
                removed = set(change.ids or _draw_ids(followed, change))
                self.followed_artists[account.name] = [artist_id for artist_id in followed if artist_id not in removed]

    def _make_items(self, account: Account, change: Change) -> list[PlaylistItem]:
        added_at = self._choose_timestamp(account, change)
        return [
            PlaylistItem("track", track_id, added_at, account.user_id)
            for track_id in self._choose_tracks(change, set())
        ]

    def _choose_tracks(self, change: Change, existing: set[str]) -> list[str]:
        """Return the tracks that a change names, else as many as it requests; without those in ``existing``."""
        count = change.count + len(existing)
        candidates = change.ids or self._seed_data.choose_track_ids(
            count, self._seed_data.seed, *_list_draw_values(change)
        )
        added = [track_id for track_id in candidates if track_id not in existing]
        return added if change.ids else added[: change.count]

    def _choose_timestamp(self, account: Account, change: Change) -> str:
        """Return a second of the day before the change."""
        day = self._first_day + timedelta(days=change.night - 1)
        return _format_timestamp(day, hash_number(account.name, *_list_draw_values(change)))

    def _resolve_playlist(self, account: Account, reference: str | int) -> str | None:
        if isinstance(reference, str):
            return self._created_playlist_ids.get(reference, reference)
        own_playlist_ids = self._own_playlist_ids[account.name]
        return own_playlist_ids[reference] if reference < len(own_playlist_ids) else None


def _list_default_changes(seed_data: SeedData, own_ids: Mapping[str, list[str]], day: int) -> Iterator[Change]:
    """Yield the default changes of a day."""
    for name, playlist_ids in own_ids.items():
        if not playlist_ids:
            continue

        def choose_playlist(purpose: str, candidates: list[str] = playlist_ids, name: str = name) -> str:
            return candidates[hash_number(purpose, name, day) % len(candidates)]

        yield Change(night=day, kind="add_tracks", account=name, playlist=choose_playlist("add"), count=2)
        if day % 2 == 0:
            yield Change(night=day, kind="remove_tracks", account=name, playlist=choose_playlist("remove"))
        if day % 3 == 0:
            yield Change(night=day, kind="save_tracks", account=name)
        if day % 5 == 0:
            yield Change(night=day, kind="new_playlist", account=name, name=f"Found by night {day}", count=15)
        if day % 6 == 0:
            yield Change(night=day, kind="follow_artists", account=name)
        if day % 7 == 3:
            new_name = f"Renamed in night {day}"
            yield Change(
                night=day, kind="rename_playlist", account=name, playlist=choose_playlist("rename"), name=new_name
            )
        if day % 8 == 0:
            yield Change(night=day, kind="unsave_tracks", account=name)
        if day % 14 == 9:
            yield Change(night=day, kind="delete_playlist", account=name, playlist=choose_playlist("delete"))
    if day % 4 == 2:
        for artist_id, artist in seed_data.read_artists(seed_data.choose_artist_ids(1, "rename", day)).items():
            yield Change(night=day, kind="rename_artist", ids=(artist_id,), name=f"{artist['name']} II")


def _list_own_playlists(seed_data: SeedData, account: Account) -> list[str]:
    """Return the playlists that an account owns on the first day."""
    playlists = (seed_data.find_playlist(playlist_id) for playlist_id in seed_data.list_playlist_ids(account.name))
    return [playlist.playlist_id for playlist in playlists if playlist and playlist.owner_id == account.user_id]


def _list_draw_values(change: Change) -> tuple[object, ...]:
    return change.night, change.kind, change.account, change.playlist, change.name


def _draw_ids(candidates: list[str], change: Change) -> list[str]:
    return sorted(dict.fromkeys(candidates), key=lambda candidate: hash_number(*_list_draw_values(change), candidate))[
        : change.count
    ]


def _format_timestamp(day: date, random_number: int) -> str:
    return (
        f"{day.isoformat()}T{random_number % 24:02d}:{random_number // 24 % 60:02d}:{random_number // 1_440 % 60:02d}Z"
    )
