"""Objects as the API sends them, by mode: ``object_fields`` lists the fields of each."""

from datetime import UTC, datetime
from typing import Any

from etl.formats.contracts.columns import MEASURES
from simulator.mock_api.accounts import Account, Playlist, PlaylistItem
from simulator.mock_api.object_fields import OBJECT_FIELDS
from simulator.mock_api.scenario import QuotaMode
from simulator.mock_api.simulated_day import Play, SimulatedDay
from simulator.mock_api.unusual_items import LOCAL_ALBUM, build_episode, build_local_track, build_show

JsonObject = dict[str, Any]

MARKETS = ("BR", "DE", "JP", "SE", "US")


class ApiObjects:
    """Builder of the objects of one mode under one address."""

    def __init__(self, simulated_day: SimulatedDay, mode: QuotaMode, url: str) -> None:
        self._simulated_day = simulated_day
        self._field_names = OBJECT_FIELDS[mode]
        self._is_extended = mode == "extended"
        self._url = url

    def build_artist(self, artist: JsonObject) -> JsonObject:
        """Return an artist with all its fields."""
        return self._select_fields(
            "artist",
            {
                **self.build_simple_artist(artist),
                "followers": {"href": None, "total": artist["followers"]},
                "genres": artist["genres"],
                "images": [],
                "popularity": artist["popularity"],
            },
        )

    def build_simple_artist(self, artist: JsonObject) -> JsonObject:
        """Return an artist as it appears in other objects."""
        return {**self._make_links("artist", artist["artist_id"]), "name": artist["name"]}

    def build_simple_album(self, album: JsonObject) -> JsonObject:
        """Return an album as it appears in other objects."""
        return self._select_fields("simple_album", self._build_album_object(album))

    def build_album(self, album: JsonObject, tracks: list[JsonObject]) -> JsonObject:
        """Return an album with its first tracks."""
        track_objects = [
            self._build_track_object("simple_track", track, index + 1) for index, track in enumerate(tracks)
        ]
        path = f"albums/{album['album_id']}/tracks"
        return self._select_fields(
            "album",
            {
                **self._build_album_object(album),
                "copyrights": [],
                "external_ids": {},
                "genres": [],
                "label": "Stand-in Records",
                "popularity": max((track["popularity"] for track in tracks), default=0),
                "tracks": self.build_page(path, track_objects[:50], len(track_objects), 50, 0, {}),
            },
        )

    def build_track(self, track: JsonObject) -> JsonObject:
        """Return a track with its album and artists."""
        return self._build_track_object("track", track, _find_track_number(track))

    def build_simple_playlist(self, playlist: Playlist) -> JsonObject:
        """Return a playlist as it appears in an account's list."""
        return self._select_fields(
            "simple_playlist", self._build_playlist_object(playlist, self._make_items_reference(playlist))
        )

    def build_playlist(self, playlist: Playlist, items: JsonObject | None) -> JsonObject:
        """Return a playlist with the first page of its items, or without items if ``items`` is None."""
        playlist_object = self._select_fields("playlist", self._build_playlist_object(playlist, items))
        return playlist_object if items is None or self._is_extended else {**playlist_object, "items": items}

    def build_playlist_item(
        self, item: PlaylistItem, playlist: Playlist, index: int, tracks: dict[str, JsonObject]
    ) -> JsonObject:
        """Return one item of a playlist."""
        item_resource = self._build_item_resource(item, playlist, index, tracks)
        return self._select_fields(
            "playlist_item",
            {
                "added_at": item.added_at,
                "added_by": self._make_links("user", item.added_by),
                "is_local": item.kind == "local",
                "item": item_resource,
                "track": item_resource,
            },
        )

    def build_profile(self, account: Account) -> JsonObject:
        """Return the profile of the requesting account."""
        return self._select_fields(
            "me",
            {
                **self._make_links("user", account.user_id),
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

    def build_play(self, play: Play, track: JsonObject) -> JsonObject:
        """Return a play with the playlist that it was played from."""
        context = self._make_links("playlist", play.playlist_id)
        del context["id"]
        return {"context": context, "played_at": format_timestamp(play.played_at_ms), "track": self.build_track(track)}

    def build_audio_features(self, track: JsonObject) -> JsonObject:
        """Return the audio features of a track that has all nine."""
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

    def build_page(
        self, path: str, items: list[Any], total: int, limit: int, offset: int, query: dict[str, str]
    ) -> JsonObject:
        """Return a page of a list, with links to its neighbours."""

        def make_link(link_offset: int) -> str:
            extra_query = "".join(f"&{name}={value}" for name, value in query.items())
            return f"{self._url}/v1/{path}?offset={link_offset}&limit={limit}{extra_query}"

        return {
            "href": make_link(offset),
            "items": items,
            "limit": limit,
            "next": make_link(offset + limit) if offset + limit < total else None,
            "offset": offset,
            "previous": make_link(max(offset - limit, 0)) if offset else None,
            "total": total,
        }

    def build_cursor_page(
        self, path: str, items: list[JsonObject], total: int, limit: int, after: str | None
    ) -> JsonObject:
        """Return a page of a list whose cursor is the id of its last item."""
        link = f"{self._url}/v1/{path}?type=artist&limit={limit}"
        return {
            "cursors": {"after": after},
            "href": link,
            "items": items,
            "limit": limit,
            "next": f"{link}&after={after}" if after else None,
            "total": total,
        }

    def build_history_page(
        self, items: list[JsonObject], limit: int, edges: tuple[int, int] | None, has_more: bool
    ) -> JsonObject:
        """Return a page of plays; ``edges`` are the timestamps of its newest and its oldest play."""
        link = f"{self._url}/v1/me/player/recently-played?limit={limit}"
        return {
            "cursors": {"after": str(edges[0]), "before": str(edges[1])} if edges else None,
            "href": link,
            "items": items,
            "limit": limit,
            "next": f"{link}&before={edges[1]}" if edges and has_more else None,
        }

    def _build_track_object(self, kind: str, track: JsonObject, track_number: int) -> JsonObject:
        track_object = {
            **self._make_links("track", track["track_id"]),
            "artists": [self.build_simple_artist(artist) for artist in track["artists"]],
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
            track_object["album"] = self.build_simple_album(track["album"])
        track_object = self._select_fields(kind, track_object)
        if not track["is_playable"]:
            track_object["restrictions"] = {"reason": "market"}
        if track["linked_from"] and self._is_extended:
            track_object["linked_from"] = self._make_links("track", track["linked_from"])
        return track_object

    def _build_album_object(self, album: JsonObject) -> JsonObject:
        return {
            **self._make_links("album", album["album_id"]),
            "album_type": "album" if len(album["track_ids"]) > 3 else "single",
            "artists": [self.build_simple_artist(artist) for artist in album["artists"]],
            "available_markets": list(MARKETS),
            "images": [],
            "name": album["name"],
            "release_date": album["release_date"],
            "release_date_precision": album["release_date_precision"],
            "total_tracks": len(album["track_ids"]),
        }

    def _build_playlist_object(self, playlist: Playlist, items: JsonObject | None) -> JsonObject:
        return {
            **self._make_links("playlist", playlist.playlist_id),
            "collaborative": playlist.is_collaborative,
            "description": playlist.description,
            "images": [],
            "items": items,
            "name": playlist.name,
            "owner": {**self._make_links("user", playlist.owner_id), "display_name": playlist.owner_id},
            "public": playlist.is_public,
            "snapshot_id": self._simulated_day.compute_snapshot_id(playlist),
            "tracks": items,
        }

    def _make_items_reference(self, playlist: Playlist) -> JsonObject:
        path = f"playlists/{playlist.playlist_id}/{'tracks' if self._is_extended else 'items'}"
        return {"href": f"{self._url}/v1/{path}", "total": len(playlist.items)}

    def _build_item_resource(
        self, item: PlaylistItem, playlist: Playlist, index: int, tracks: dict[str, JsonObject]
    ) -> JsonObject | None:
        if item.kind == "local":
            return self._select_fields(
                "track", build_local_track(index, self._select_fields("simple_album", LOCAL_ALBUM))
            )
        if item.kind == "episode":
            episode_id, show_id = (f"madeup{letter}{playlist.playlist_id[7:]}" for letter in "ES")
            show = build_show(self._make_links("show", show_id), list(MARKETS) if self._is_extended else None)
            return build_episode(self._make_links("episode", episode_id), show)
        return self.build_track(tracks[item.item_id]) if item.kind == "track" and item.item_id in tracks else None

    def _make_links(self, kind: str, resource_id: str) -> JsonObject:
        return {
            "external_urls": {"spotify": f"https://open.spotify.com/{kind}/{resource_id}"},
            "href": f"{self._url}/v1/{kind}s/{resource_id}",
            "id": resource_id,
            "type": kind,
            "uri": f"spotify:{kind}:{resource_id}",
        }

    def _select_fields(self, kind: str, resource: JsonObject) -> JsonObject:
        field_names = self._field_names[kind]
        return {name: value for name, value in resource.items() if name in field_names}


def format_timestamp(milliseconds: int) -> str:
    """Return a timestamp as the API writes it, to the millisecond."""
    return (
        datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{milliseconds % 1000:03d}Z"
    )


def _find_track_number(track: JsonObject) -> int:
    return int(track["album"]["track_ids"].index(track["track_id"])) + 1
