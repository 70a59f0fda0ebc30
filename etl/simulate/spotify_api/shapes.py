"""Objects as the API sends them, by mode: ``promised`` says what each has."""

from datetime import UTC, datetime
from typing import Any

from etl.schemas.columns import MEASURES
from etl.simulate.spotify_api.night import Night, Play
from etl.simulate.spotify_api.playlists import Account, Item, Playlist
from etl.simulate.spotify_api.promised import PROMISED
from etl.simulate.spotify_api.scenario import Mode

Json = dict[str, Any]

MARKETS = ("BR", "DE", "JP", "SE", "US")


class Shapes:
    """Makes the objects of one mode under one address."""

    def __init__(self, night: Night, mode: Mode, url: str) -> None:
        self._night = night
        self._promised = PROMISED[mode]
        self._is_extended = mode == "extended"
        self._url = url

    def artist(self, artist: Json) -> Json:
        """An artist with all that is known of it."""
        return self._trimmed(
            "artist",
            {
                **self.simple_artist(artist),
                "followers": {"href": None, "total": artist["followers"]},
                "genres": artist["genres"],
                "images": [],
                "popularity": artist["popularity"],
            },
        )

    def simple_artist(self, artist: Json) -> Json:
        """An artist as it is named in others' objects."""
        return {**self._links("artist", artist["artist_id"]), "name": artist["name"]}

    def simple_album(self, album: Json) -> Json:
        """An album as it is named in others' objects."""
        return self._trimmed("simple_album", self._album(album))

    def album(self, album: Json, tracks: list[Json]) -> Json:
        """An album with its first tracks."""
        listed = [self._track("simple_track", track, place + 1) for place, track in enumerate(tracks)]
        path = f"albums/{album['album_id']}/tracks"
        return self._trimmed(
            "album",
            {
                **self._album(album),
                "copyrights": [],
                "external_ids": {},
                "genres": [],
                "label": "Stand-in Records",
                "popularity": max((track["popularity"] for track in tracks), default=0),
                "tracks": self.page(path, listed[:50], len(listed), 50, 0, {}),
            },
        )

    def track(self, track: Json) -> Json:
        """A track with its album and artists."""
        return self._track("track", track, _track_number(track))

    def simple_playlist(self, playlist: Playlist) -> Json:
        """A playlist as an account's list shows it."""
        return self._trimmed("simple_playlist", self._playlist(playlist, self._reference(playlist)))

    def playlist(self, playlist: Playlist, items: Json | None) -> Json:
        """A playlist with the first page of its items, None where they may not be read."""
        shape = self._trimmed("playlist", self._playlist(playlist, items))
        return shape if items is None or self._is_extended else {**shape, "items": items}

    def playlist_item(self, item: Item, playlist: Playlist, place: int, tracks: dict[str, Json]) -> Json:
        """One place on a playlist."""
        thing = self._thing(item, playlist, place, tracks)
        return self._trimmed(
            "playlist_item",
            {
                "added_at": item.added_at,
                "added_by": self._links("user", item.added_by),
                "is_local": item.kind == "local",
                "item": thing,
                "track": thing,
            },
        )

    def me(self, account: Account) -> Json:
        """The profile of the account that asks."""
        return self._trimmed(
            "me",
            {
                **self._links("user", account.user_id),
                "account_id": account.account_id,
                "country": account.country,
                "display_name": account.display_name,
                "email": f"{account.name}@stand-in.invalid",
                "explicit_content": {"filter_enabled": False, "filter_locked": False},
                "followers": {"href": None, "total": 3},
                "images": [],
                "product": "premium",
            },
        )

    def play(self, play: Play, track: Json) -> Json:
        """A play with the playlist that it was played from."""
        context = self._links("playlist", play.playlist_id)
        del context["id"]
        return {"context": context, "played_at": iso_moment(play.played_at_ms), "track": self.track(track)}

    def audio_features(self, track: Json) -> Json:
        """The audio features of a track that has all nine."""
        track_id = track["track_id"]
        return {
            **{name: track[name] for name in MEASURES},
            "analysis_url": f"{self._url}/v1/audio-analysis/{track_id}",
            "duration_ms": track["duration_ms"],
            "id": track_id,
            "track_href": f"{self._url}/v1/tracks/{track_id}",
            "type": "audio_features",
            "uri": f"spotify:track:{track_id}",
        }

    def page(self, path: str, items: list[Any], total: int, limit: int, offset: int, query: dict[str, str]) -> Json:
        """A page of a list, with links to its neighbours."""

        def link(at: int) -> str:
            further = "".join(f"&{name}={value}" for name, value in query.items())
            return f"{self._url}/v1/{path}?offset={at}&limit={limit}{further}"

        return {
            "href": link(offset),
            "items": items,
            "limit": limit,
            "next": link(offset + limit) if offset + limit < total else None,
            "offset": offset,
            "previous": link(max(offset - limit, 0)) if offset else None,
            "total": total,
        }

    def cursor_page(self, path: str, items: list[Json], total: int, limit: int, after: str | None) -> Json:
        """A page of a list that is read on after the id of its last thing."""
        link = f"{self._url}/v1/{path}?type=artist&limit={limit}"
        return {
            "cursors": {"after": after},
            "href": link,
            "items": items,
            "limit": limit,
            "next": f"{link}&after={after}" if after else None,
            "total": total,
        }

    def history_page(self, items: list[Json], limit: int, edges: tuple[int, int] | None, has_more: bool) -> Json:
        """A page of plays; ``edges`` are the moments of its newest and its oldest one."""
        link = f"{self._url}/v1/me/player/recently-played?limit={limit}"
        return {
            "cursors": {"after": str(edges[0]), "before": str(edges[1])} if edges else None,
            "href": link,
            "items": items,
            "limit": limit,
            "next": f"{link}&before={edges[1]}" if edges and has_more else None,
        }

    def _track(self, kind: str, track: Json, track_number: int) -> Json:
        shape = {
            **self._links("track", track["track_id"]),
            "artists": [self.simple_artist(artist) for artist in track["artists"]],
            "available_markets": list(MARKETS) if track["is_playable"] else [],
            "disc_number": 1,
            "duration_ms": track["duration_ms"],
            "explicit": bool(track["explicit"]),
            "external_ids": {"isrc": track["isrc"]} if track["isrc"] else {},
            "is_local": False,
            "is_playable": bool(track["is_playable"]),
            "name": track["name"],
            "popularity": track["popularity"],
            "preview_url": None,
            "track_number": track_number,
        }
        if kind == "track":
            shape["album"] = self.simple_album(track["album"])
        shape = self._trimmed(kind, shape)
        if not track["is_playable"]:
            shape["restrictions"] = {"reason": "market"}
        if track["linked_from"] and self._is_extended:
            shape["linked_from"] = self._links("track", track["linked_from"])
        return shape

    def _album(self, album: Json) -> Json:
        return {
            **self._links("album", album["album_id"]),
            "album_type": "album" if len(album["track_ids"]) > 3 else "single",
            "artists": [self.simple_artist(artist) for artist in album["artists"]],
            "available_markets": list(MARKETS),
            "images": [],
            "name": album["name"],
            "release_date": album["release_date"],
            "release_date_precision": album["release_date_precision"],
            "total_tracks": len(album["track_ids"]),
        }

    def _playlist(self, playlist: Playlist, items: Json | None) -> Json:
        return {
            **self._links("playlist", playlist.playlist_id),
            "collaborative": playlist.is_collaborative,
            "description": playlist.description,
            "images": [],
            "items": items,
            "name": playlist.name,
            "owner": {**self._links("user", playlist.owner_id), "display_name": playlist.owner_id},
            "public": playlist.is_public,
            "snapshot_id": self._night.snapshot_id(playlist),
            "tracks": items,
        }

    def _reference(self, playlist: Playlist) -> Json:
        path = f"playlists/{playlist.playlist_id}/{'tracks' if self._is_extended else 'items'}"
        return {"href": f"{self._url}/v1/{path}", "total": len(playlist.items)}

    def _thing(self, item: Item, playlist: Playlist, place: int, tracks: dict[str, Json]) -> Json | None:
        if item.kind == "local":
            return self._local_file(place)
        if item.kind == "episode":
            return self._episode(playlist)
        return self.track(tracks[item.item_id]) if item.kind == "track" and item.item_id in tracks else None

    def _local_file(self, place: int) -> Json:
        nobody: Json = {"external_urls": {}, "href": None, "id": None, "name": "", "type": "artist", "uri": None}
        name = f"Home recording {place}"
        shape = {
            "album": self._trimmed(
                "simple_album",
                {
                    **{**nobody, "type": "album", "album_type": None, "artists": [], "available_markets": []},
                    **{"images": [], "release_date": None, "release_date_precision": None, "total_tracks": None},
                },
            ),
            "artists": [{**nobody, "name": "Somebody at home"}],
            "available_markets": [],
            "disc_number": 0,
            "duration_ms": 180_000 + place,
            "explicit": False,
            "external_ids": {},
            "external_urls": {},
            "href": None,
            "id": None,
            "is_local": True,
            "is_playable": True,
            "name": name,
            "popularity": 0,
            "preview_url": None,
            "track_number": 0,
            "type": "track",
            "uri": f"spotify:local:Somebody+at+home::{name.replace(' ', '+')}:180",
        }
        return self._trimmed("track", shape)

    def _episode(self, playlist: Playlist) -> Json:
        episode_id = f"madeupE{playlist.playlist_id[7:]}"
        show_id = f"madeupS{playlist.playlist_id[7:]}"
        about = {
            "description": "Nobody talks about nothing.",
            "explicit": False,
            "html_description": "<p>Nobody talks about nothing.</p>",
            "images": [],
            "is_externally_hosted": False,
            "languages": ["en"],
        }
        show = {
            **{**self._links("show", show_id), **about, "copyrights": [], "media_type": "audio"},
            **{"name": "The Stand-in Show", "total_episodes": 1},
        }
        if self._is_extended:
            show |= {"available_markets": list(MARKETS), "publisher": "Stand-in"}
        return {
            **self._links("episode", episode_id),
            **about,
            "audio_preview_url": None,
            "duration_ms": 1_686_230,
            "is_playable": True,
            "name": "Episode one",
            "release_date": "2024-05-01",
            "release_date_precision": "day",
            "show": show,
        }

    def _links(self, kind: str, thing_id: str) -> Json:
        return {
            "external_urls": {"spotify": f"https://open.spotify.com/{kind}/{thing_id}"},
            "href": f"{self._url}/v1/{kind}s/{thing_id}",
            "id": thing_id,
            "type": kind,
            "uri": f"spotify:{kind}:{thing_id}",
        }

    def _trimmed(self, kind: str, shape: Json) -> Json:
        promised = self._promised[kind]
        return {name: value for name, value in shape.items() if name in promised}


def iso_moment(milliseconds: int) -> str:
    """A moment as the API writes it, to the millisecond."""
    return (
        datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{milliseconds % 1000:03d}Z"
    )


def _track_number(track: Json) -> int:
    return int(track["album"]["track_ids"].index(track["track_id"])) + 1
