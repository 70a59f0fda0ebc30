"""What has changed since the first night: the scenario's changes, and the usual ones that every night brings."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, timedelta

from etl.simulate.spotify_api.ids import number, spotify_id
from etl.simulate.spotify_api.playlists import Account, Item, Playlist
from etl.simulate.spotify_api.scenario import Change, Scenario
from etl.simulate.spotify_api.stock import Stock


class Changes:
    """The changes up to and with one night, made in their order. The stock itself stays as it is."""

    def __init__(self, stock: Stock, scenario: Scenario, night: int) -> None:
        self.revisions: Counter[str] = Counter()
        self.artist_names: dict[str, str] = {}
        self._stock = stock
        self._first_day = scenario.first_day or stock.written_on
        self._playlists: dict[str, Playlist | None] = {}
        self._made: dict[str, str] = {}
        self._own = {name: _own_ids(stock, account) for name, account in stock.accounts.items()}
        self.playlist_ids = {name: stock.playlist_ids(name) for name in stock.accounts}
        self.saved = {name: stock.saved(name) for name in stock.accounts}
        self.followed = {name: stock.followed(name) for name in stock.accounts}
        for one in range(1, night + 1):
            usual = _usual(stock, self._own, one) if scenario.has_usual_changes else iter(())
            for change in (*usual, *(change for change in scenario.change if change.night == one)):
                self._make(change)

    def playlist(self, playlist_id: str) -> Playlist | None:
        """A playlist as it is after the changes, where there is one of that id."""
        if playlist_id not in self._playlists:
            self._playlists[playlist_id] = self._stock.playlist(playlist_id)
        return self._playlists[playlist_id]

    def _make(self, change: Change) -> None:
        if change.kind == "rename_artist":
            self.artist_names.update(dict.fromkeys(change.ids, change.name))
        elif change.account in self._stock.accounts:
            account = self._stock.accounts[change.account]
            if change.kind in ("save_tracks", "unsave_tracks", "follow_artists", "unfollow_artists"):
                self._change_library(account, change)
            elif change.kind == "new_playlist":
                self._add_playlist(account, change)
            else:
                self._change_playlist(account, change)

    def _change_playlist(self, account: Account, change: Change) -> None:
        playlist_id = self._playlist_id(account, change.playlist)
        playlist = self.playlist(playlist_id) if playlist_id else None
        if playlist is None:
            return
        before = (playlist.name, list(playlist.items))
        if change.kind == "delete_playlist":
            # As in life, where deleting is no longer following: who knows its id can still read it.
            self.playlist_ids[account.name] = [p for p in self.playlist_ids[account.name] if p != playlist_id]
        elif change.kind == "rename_playlist":
            playlist.name = change.name
        elif change.kind == "add_tracks":
            playlist.items += self._new_items(account, change)
        else:
            gone = set(change.ids or _drawn([i.item_id for i in playlist.items if i.kind == "track"], change))
            playlist.items = [item for item in playlist.items if item.item_id not in gone]
        if (playlist.name, playlist.items) != before:
            self.revisions[playlist.playlist_id] += 1

    def _add_playlist(self, account: Account, change: Change) -> None:
        playlist_id = spotify_id("new playlist", self._stock.seed, account.name, change.night, change.name)
        items = self._new_items(account, change)
        self._playlists[playlist_id] = Playlist(playlist_id, change.name, account.user_id, items)
        self._made[change.name] = playlist_id
        if playlist_id not in self.playlist_ids[account.name]:
            self.playlist_ids[account.name].insert(0, playlist_id)

    def _change_library(self, account: Account, change: Change) -> None:
        saved, followed = self.saved[account.name], self.followed[account.name]
        moment = self._moment(account, change)
        match change.kind:
            case "save_tracks":
                new = self._track_ids(change, {track_id for track_id, _ in saved})
                self.saved[account.name] = [(track_id, moment) for track_id in new] + saved
            case "unsave_tracks":
                gone = set(change.ids or _drawn([track_id for track_id, _ in saved], change))
                self.saved[account.name] = [one for one in saved if one[0] not in gone]
            case "follow_artists":
                drawn = self._stock.some_artist_ids(change.count + len(followed), *_draw(change))
                new = list(change.ids) or [one for one in drawn if one not in followed][: change.count]
                self.followed[account.name] = sorted({*followed, *new})
            case _:
                gone = set(change.ids or _drawn(followed, change))
                self.followed[account.name] = [one for one in followed if one not in gone]

    def _new_items(self, account: Account, change: Change) -> list[Item]:
        moment = self._moment(account, change)
        return [Item("track", track_id, moment, account.user_id) for track_id in self._track_ids(change, set())]

    def _track_ids(self, change: Change, there: set[str]) -> list[str]:
        """The tracks that a change names, else as many as it wants; none that is ``there`` already."""
        count = change.count + len(there)
        wanted = change.ids or self._stock.some_track_ids(count, self._stock.seed, *_draw(change))
        new = [track_id for track_id in wanted if track_id not in there]
        return new if change.ids else new[: change.count]

    def _moment(self, account: Account, change: Change) -> str:
        """Some second of the day before the night."""
        day = self._first_day + timedelta(days=change.night - 1)
        return _second_of(day, number(account.name, *_draw(change)))

    def _playlist_id(self, account: Account, wanted: str | int) -> str | None:
        if isinstance(wanted, str):
            return self._made.get(wanted, wanted)
        own = self._own[account.name]
        return own[wanted] if wanted < len(own) else None


def _usual(stock: Stock, own_ids: Mapping[str, list[str]], night: int) -> Iterator[Change]:
    """What a night brings where the scenario does not say otherwise."""
    for name, own in own_ids.items():
        if not own:
            continue

        def chosen(why: str, own: list[str] = own, name: str = name) -> str:
            return own[number(why, name, night) % len(own)]

        yield Change(night=night, kind="add_tracks", account=name, playlist=chosen("add"), count=2)
        if night % 2 == 0:
            yield Change(night=night, kind="remove_tracks", account=name, playlist=chosen("remove"))
        if night % 3 == 0:
            yield Change(night=night, kind="save_tracks", account=name)
        if night % 5 == 0:
            yield Change(night=night, kind="new_playlist", account=name, name=f"Found by night {night}", count=15)
        if night % 6 == 0:
            yield Change(night=night, kind="follow_artists", account=name)
        if night % 7 == 3:
            name_now = f"Renamed in night {night}"
            yield Change(night=night, kind="rename_playlist", account=name, playlist=chosen("rename"), name=name_now)
        if night % 8 == 0:
            yield Change(night=night, kind="unsave_tracks", account=name)
        if night % 14 == 9:
            yield Change(night=night, kind="delete_playlist", account=name, playlist=chosen("delete"))
    if night % 4 == 2:
        for artist_id, artist in stock.artists(stock.some_artist_ids(1, "rename", night)).items():
            yield Change(night=night, kind="rename_artist", ids=(artist_id,), name=f"{artist['name']} II")


def _own_ids(stock: Stock, account: Account) -> list[str]:
    """The playlists that an account owns on the first night."""
    found = (stock.playlist(playlist_id) for playlist_id in stock.playlist_ids(account.name))
    return [one.playlist_id for one in found if one and one.owner_id == account.user_id]


def _draw(change: Change) -> tuple[object, ...]:
    return change.night, change.kind, change.account, change.playlist, change.name


def _drawn(among: list[str], change: Change) -> list[str]:
    return sorted(dict.fromkeys(among), key=lambda one: number(*_draw(change), one))[: change.count]


def _second_of(day: date, drawn: int) -> str:
    return f"{day.isoformat()}T{drawn % 24:02d}:{drawn // 24 % 60:02d}:{drawn // 1_440 % 60:02d}Z"
