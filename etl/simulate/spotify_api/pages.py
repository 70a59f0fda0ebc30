"""The API's endpoints: those that the client calls and no others."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, compile_path

from etl.schemas import AUDIO_FEATURES
from etl.simulate.spotify_api.errors import Refusal
from etl.simulate.spotify_api.night import Night
from etl.simulate.spotify_api.playlists import Account, Playlist
from etl.simulate.spotify_api.scenario import Mode
from etl.simulate.spotify_api.shapes import Json, Shapes

LARGEST_PAGE = 50
DEFAULT_PAGE = 20


@dataclass(frozen=True)
class Asked:
    """What an endpoint is given: the request, who asks (None: an app for itself), tonight's state and its shapes."""

    request: Request
    account: Account | None
    night: Night
    shapes: Shapes
    mode: Mode

    def user(self) -> Account:
        """The account that asks; an app's own token cannot."""
        if self.account is None:
            raise Refusal(401, "Valid user authentication required")
        return self.account

    def whole_number(self, name: str, default: int, smallest: int, largest: int | None) -> int:
        """A number of the query."""
        text = self.request.query_params.get(name)
        if text is None:
            return default
        if not text.isdecimal() or int(text) < smallest or (largest is not None and int(text) > largest):
            raise Refusal(400, f"Invalid {name}")
        return int(text)

    def limit(self) -> int:
        """How many things a page may have."""
        return self.whole_number("limit", DEFAULT_PAGE, 1, LARGEST_PAGE)

    def offset(self) -> int:
        """Where a page begins."""
        return self.whole_number("offset", 0, 0, 100_000)

    def fields(self) -> frozenset[str] | None:
        """The fields that are wanted, where the query names them plainly; None: all of them."""
        text = self.request.query_params.get("fields", "")
        return frozenset(text.split(",")) if text and not set(text) & set("().!") else None

    def ids(self, largest: int) -> list[str]:
        """The ids of a batch."""
        ids = [one for one in self.request.query_params.get("ids", "").split(",") if one]
        if not ids:
            raise Refusal(400, "Missing required field: ids")
        if len(ids) > largest:
            raise Refusal(400, f"Too many ids requested. Maximum: {largest}")
        return ids

    def id(self) -> str:
        """The id in the path."""
        return str(self.request.path_params["id"])


Page = Callable[[Asked], Json]


def me(asked: Asked) -> Json:
    """The profile of the account that asks."""
    return asked.shapes.me(asked.user())


def my_playlists(asked: Asked) -> Json:
    """A page of the playlists that the account owns or follows."""
    ids = asked.night.playlist_ids(asked.user())
    limit, offset = asked.limit(), asked.offset()
    found = (asked.night.playlist(playlist_id) for playlist_id in ids[offset : offset + limit])
    items = [asked.shapes.simple_playlist(playlist) for playlist in found if playlist]
    return asked.shapes.page("me/playlists", items, len(ids), limit, offset, {})


def playlist(asked: Asked) -> Json:
    """One playlist with the first page of its items, where they may be read, or only the ``fields`` asked for."""
    wanted, fields = _playlist(asked), asked.fields()
    can_read = asked.mode == "extended" or asked.night.can_read_items(asked.account, wanted)
    is_page_wanted = can_read and (fields is None or not fields.isdisjoint({"items", "tracks"}))
    shape = asked.shapes.playlist(wanted, _items_page(asked, wanted, LARGEST_PAGE, 0) if is_page_wanted else None)
    return shape if fields is None else {name: value for name, value in shape.items() if name in fields}


def playlist_items(asked: Asked) -> Json:
    """A page of a playlist's items."""
    wanted = _playlist(asked)
    if asked.mode == "development" and not asked.night.can_read_items(asked.account, wanted):
        raise Refusal(403, "Forbidden")
    return _items_page(asked, wanted, asked.limit(), asked.offset())


def saved_tracks(asked: Asked) -> Json:
    """A page of the tracks that the account has saved, newest first."""
    saved = asked.night.saved(asked.user())
    limit, offset = asked.limit(), asked.offset()
    part = saved[offset : offset + limit]
    tracks = asked.night.tracks(track_id for track_id, _ in part)
    items = [{"added_at": added_at, "track": asked.shapes.track(tracks[track_id])} for track_id, added_at in part]
    return asked.shapes.page("me/tracks", items, len(saved), limit, offset, {})


def followed_artists(asked: Asked) -> Json:
    """A page of the artists that the account follows, after a cursor."""
    if asked.request.query_params.get("type") != "artist":
        raise Refusal(400, "Invalid type")
    limit, after = asked.limit(), asked.request.query_params.get("after")
    followed = asked.night.followed(asked.user())
    start = followed.index(after) + 1 if after in followed else 0
    part = followed[start : start + limit]
    artists = asked.night.artists(part)
    items = [asked.shapes.artist(artists[artist_id]) for artist_id in part]
    cursor = part[-1] if start + limit < len(followed) else None
    return {"artists": asked.shapes.cursor_page("me/following", items, len(followed), limit, cursor)}


def recently_played(asked: Asked) -> Json:
    """The last plays of the account, before or after a cursor in milliseconds."""
    limit = asked.limit()
    after = asked.whole_number("after", -1, 0, None)
    before = asked.whole_number("before", -1, 0, None)
    if after >= 0 and before >= 0:
        raise Refusal(400, "Only one of the parameters after and before may be given")
    plays = asked.night.recent_plays(asked.user())
    plays = [one for one in plays if one.played_at_ms > after and (before < 0 or one.played_at_ms < before)]
    part = plays[:limit]
    tracks = asked.night.tracks(one.track_id for one in part)
    items = [asked.shapes.play(one, tracks[one.track_id]) for one in part]
    edges = (part[0].played_at_ms, part[-1].played_at_ms) if part else None
    return asked.shapes.history_page(items, limit, edges, has_more=len(plays) > limit)


def track(asked: Asked) -> Json:
    """One track."""
    found = asked.night.tracks([asked.id()])
    return asked.shapes.track(_there(found.get(asked.id())))


def album(asked: Asked) -> Json:
    """One album."""
    found = asked.night.albums([asked.id()])
    _there(found.get(asked.id()))
    return _albums(asked, found)[asked.id()]


def artist(asked: Asked) -> Json:
    """One artist."""
    found = asked.night.artists([asked.id()])
    return asked.shapes.artist(_there(found.get(asked.id())))


def tracks(asked: Asked) -> Json:
    """Up to 50 tracks; null for those that are not known."""
    ids = asked.ids(50)
    found = asked.night.tracks(ids)
    return {"tracks": [asked.shapes.track(found[one]) if one in found else None for one in ids]}


def albums(asked: Asked) -> Json:
    """Up to 20 albums; null for those that are not known."""
    ids = asked.ids(20)
    found = _albums(asked, asked.night.albums(ids))
    return {"albums": [found.get(one) for one in ids]}


def artists(asked: Asked) -> Json:
    """Up to 50 artists; null for those that are not known."""
    ids = asked.ids(50)
    found = asked.night.artists(ids)
    return {"artists": [asked.shapes.artist(found[one]) if one in found else None for one in ids]}


def audio_features(asked: Asked) -> Json:
    """The audio features of up to 100 tracks; null for those that have none."""
    ids = asked.ids(100)
    found = asked.night.stock.tracks(ids)
    has_all = {one for one, row in found.items() if all(row[name] is not None for name in AUDIO_FEATURES)}
    return {"audio_features": [asked.shapes.audio_features(found[one]) if one in has_all else None for one in ids]}


ENDPOINTS: dict[str, tuple[str, Page]] = {
    "me": ("/me", me),
    "my_playlists": ("/me/playlists", my_playlists),
    "saved_tracks": ("/me/tracks", saved_tracks),
    "followed_artists": ("/me/following", followed_artists),
    "recently_played": ("/me/player/recently-played", recently_played),
    "playlist": ("/playlists/{id}", playlist),
    "playlist_items": ("/playlists/{id}/items", playlist_items),
    "playlist_tracks": ("/playlists/{id}/tracks", playlist_items),
    "tracks": ("/tracks", tracks),
    "track": ("/tracks/{id}", track),
    "albums": ("/albums", albums),
    "album": ("/albums/{id}", album),
    "artists": ("/artists", artists),
    "artist": ("/artists/{id}", artist),
    "audio_features": ("/audio-features", audio_features),
}
"""Every endpoint by the name that calls are counted under."""

ONLY_IN_EXTENDED = frozenset({"tracks", "albums", "artists", "audio_features", "playlist_tracks"})
"""What development mode answers with 403."""


_PATTERNS = {name: compile_path(path)[0] for name, (path, _) in ENDPOINTS.items()}


def endpoint_of(path: str) -> str | None:
    """The name of the endpoint at a path below the API's version."""
    return next((name for name, pattern in _PATTERNS.items() if pattern.match(path)), None)


def routes(ask: Callable[[str, Request], Asked]) -> list[Route]:
    """The API's routes; ``ask`` finds out who asks and what tonight is like, or raises a Refusal."""
    return [Route(path, _endpoint(name, page, ask), name=name) for name, (path, page) in ENDPOINTS.items()]


def _endpoint(name: str, page: Page, ask: Callable[[str, Request], Asked]) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        asked = ask(name, request)
        if asked.mode == "development" and name in ONLY_IN_EXTENDED:
            raise Refusal(403, "Forbidden")
        body = json.dumps(page(asked), ensure_ascii=False, separators=(",", ":"))
        return Response(body, media_type="application/json; charset=utf-8")

    return endpoint


def _playlist(asked: Asked) -> Playlist:
    found = asked.night.playlist(asked.id())
    if found is None or found.is_editorial:
        raise Refusal(404, "Resource not found")
    return found


def _items_page(asked: Asked, wanted: Playlist, limit: int, offset: int) -> Json:
    part = wanted.items[offset : offset + limit]
    found = asked.night.tracks(item.item_id for item in part if item.kind == "track")
    items = [asked.shapes.playlist_item(item, wanted, offset + place, found) for place, item in enumerate(part)]
    path = f"playlists/{wanted.playlist_id}/{'tracks' if asked.mode == 'extended' else 'items'}"
    return asked.shapes.page(path, items, len(wanted.items), limit, offset, {})


def _albums(asked: Asked, found: dict[str, Json]) -> dict[str, Json]:
    listed = asked.night.tracks(track_id for one in found.values() for track_id in one["track_ids"])
    return {
        album_id: asked.shapes.album(one, [listed[track_id] for track_id in one["track_ids"]])
        for album_id, one in found.items()
    }


def _there(found: Json | None) -> Json:
    if found is None:
        raise Refusal(404, "Resource not found")
    return found
