"""The API's endpoints: only those that the client calls."""

import json
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, compile_path

from etl.formats.contracts import AUDIO_FEATURES
from simulator.mock_api.accounts import Playlist
from simulator.mock_api.api_objects import JsonObject
from simulator.mock_api.api_request import MAX_PAGE_SIZE, ApiRequest
from simulator.mock_api.errors import ApiError

EndpointHandler = Callable[[ApiRequest], JsonObject]


def get_me(api_request: ApiRequest) -> JsonObject:
    """Return the profile of the requesting account."""
    return api_request.object_builder.build_profile(api_request.require_account())


def get_my_playlists(api_request: ApiRequest) -> JsonObject:
    """Return a page of the playlists that the account owns or follows."""
    ids = api_request.simulated_day.list_playlist_ids(api_request.require_account())
    limit, offset = api_request.parse_limit(), api_request.parse_offset()
    playlists = (api_request.simulated_day.find_playlist(playlist_id) for playlist_id in ids[offset : offset + limit])
    items = [api_request.object_builder.build_simple_playlist(playlist) for playlist in playlists if playlist]
    return api_request.object_builder.build_page("me/playlists", items, len(ids), limit, offset, {})


def get_playlist(api_request: ApiRequest) -> JsonObject:
    """Return a playlist with the first page of its items, if they are readable, or only the requested ``fields``."""
    found_playlist, fields = _find_playlist(api_request), api_request.parse_fields()
    can_read = api_request.mode == "extended" or api_request.simulated_day.can_read_items(
        api_request.account, found_playlist
    )
    has_items_page = can_read and (fields is None or not fields.isdisjoint({"items", "tracks"}))
    shape = api_request.object_builder.build_playlist(
        found_playlist, _build_items_page(api_request, found_playlist, MAX_PAGE_SIZE, 0) if has_items_page else None
    )
    return shape if fields is None else {name: value for name, value in shape.items() if name in fields}


def get_playlist_items(api_request: ApiRequest) -> JsonObject:
    """Return a page of a playlist's items."""
    found_playlist = _find_playlist(api_request)
    if api_request.mode == "development" and not api_request.simulated_day.can_read_items(
        api_request.account, found_playlist
    ):
        raise ApiError(403, "Forbidden")
    return _build_items_page(api_request, found_playlist, api_request.parse_limit(), api_request.parse_offset())


def get_saved_tracks(api_request: ApiRequest) -> JsonObject:
    """Return a page of the tracks that the account has saved, newest first."""
    saved = api_request.simulated_day.list_saved_tracks(api_request.require_account())
    limit, offset = api_request.parse_limit(), api_request.parse_offset()
    page = saved[offset : offset + limit]
    tracks = api_request.simulated_day.read_tracks(track_id for track_id, _ in page)
    items = [
        {"added_at": added_at, "track": api_request.object_builder.build_track(tracks[track_id])}
        for track_id, added_at in page
    ]
    return api_request.object_builder.build_page("me/tracks", items, len(saved), limit, offset, {})


def get_followed_artists(api_request: ApiRequest) -> JsonObject:
    """Return a page of the artists that the account follows, after a cursor."""
    if api_request.request.query_params.get("type") != "artist":
        raise ApiError(400, "Invalid type")
    limit, after = api_request.parse_limit(), api_request.request.query_params.get("after")
    followed = api_request.simulated_day.list_followed_artists(api_request.require_account())
    start = followed.index(after) + 1 if after in followed else 0
    page = followed[start : start + limit]
    artists = api_request.simulated_day.read_artists(page)
    items = [api_request.object_builder.build_artist(artists[artist_id]) for artist_id in page]
    cursor = page[-1] if start + limit < len(followed) else None
    return {
        "artists": api_request.object_builder.build_cursor_page("me/following", items, len(followed), limit, cursor)
    }


def get_recently_played(api_request: ApiRequest) -> JsonObject:
    """Return the last plays of the account, before or after a cursor in milliseconds."""
    limit = api_request.parse_limit()
    after = api_request.parse_integer("after", -1, 0, None)
    before = api_request.parse_integer("before", -1, 0, None)
    if after >= 0 and before >= 0:
        raise ApiError(400, "Only one of the parameters after and before may be given")
    plays = api_request.simulated_day.list_recent_plays(api_request.require_account())
    plays = [play for play in plays if play.played_at_ms > after and (before < 0 or play.played_at_ms < before)]
    page = plays[:limit]
    tracks = api_request.simulated_day.read_tracks(play.track_id for play in page)
    items = [api_request.object_builder.build_play(play, tracks[play.track_id]) for play in page]
    edges = (page[0].played_at_ms, page[-1].played_at_ms) if page else None
    return api_request.object_builder.build_history_page(items, limit, edges, has_more=len(plays) > limit)


def get_track(api_request: ApiRequest) -> JsonObject:
    """Return one track."""
    tracks_by_id = api_request.simulated_day.read_tracks([api_request.get_path_id()])
    return api_request.object_builder.build_track(_require_found(tracks_by_id.get(api_request.get_path_id())))


def get_album(api_request: ApiRequest) -> JsonObject:
    """Return one album."""
    albums_by_id = api_request.simulated_day.read_albums([api_request.get_path_id()])
    _require_found(albums_by_id.get(api_request.get_path_id()))
    return _build_albums(api_request, albums_by_id)[api_request.get_path_id()]


def get_artist(api_request: ApiRequest) -> JsonObject:
    """Return one artist."""
    artists_by_id = api_request.simulated_day.read_artists([api_request.get_path_id()])
    return api_request.object_builder.build_artist(_require_found(artists_by_id.get(api_request.get_path_id())))


def get_tracks(api_request: ApiRequest) -> JsonObject:
    """Return up to 50 tracks; null for unknown ids."""
    ids = api_request.parse_ids(50)
    tracks_by_id = api_request.simulated_day.read_tracks(ids)
    return {
        "tracks": [
            api_request.object_builder.build_track(tracks_by_id[track_id]) if track_id in tracks_by_id else None
            for track_id in ids
        ]
    }


def get_albums(api_request: ApiRequest) -> JsonObject:
    """Return up to 20 albums; null for unknown ids."""
    ids = api_request.parse_ids(20)
    albums_by_id = _build_albums(api_request, api_request.simulated_day.read_albums(ids))
    return {"albums": [albums_by_id.get(albumid) for albumid in ids]}


def get_artists(api_request: ApiRequest) -> JsonObject:
    """Return up to 50 artists; null for unknown ids."""
    ids = api_request.parse_ids(50)
    artists_by_id = api_request.simulated_day.read_artists(ids)
    return {
        "artists": [
            api_request.object_builder.build_artist(artists_by_id[artist_id]) if artist_id in artists_by_id else None
            for artist_id in ids
        ]
    }


def get_audio_features(api_request: ApiRequest) -> JsonObject:
    """Return the audio features of up to 100 tracks; null for tracks without them."""
    ids = api_request.parse_ids(100)
    tracks_by_id = api_request.simulated_day.seed_data.read_tracks(ids)
    has_all = {
        track_id for track_id, row in tracks_by_id.items() if all(row[name] is not None for name in AUDIO_FEATURES)
    }
    return {
        "audio_features": [
            api_request.object_builder.build_audio_features(tracks_by_id[track_id]) if track_id in has_all else None
            for track_id in ids
        ]
    }


ENDPOINTS: dict[str, tuple[str, EndpointHandler]] = {
    "me": ("/me", get_me),
    "my_playlists": ("/me/playlists", get_my_playlists),
    "saved_tracks": ("/me/tracks", get_saved_tracks),
    "followed_artists": ("/me/following", get_followed_artists),
    "recently_played": ("/me/player/recently-played", get_recently_played),
    "playlist": ("/playlists/{id}", get_playlist),
    "playlist_items": ("/playlists/{id}/items", get_playlist_items),
    "playlist_tracks": ("/playlists/{id}/tracks", get_playlist_items),
    "tracks": ("/tracks", get_tracks),
    "track": ("/tracks/{id}", get_track),
    "albums": ("/albums", get_albums),
    "album": ("/albums/{id}", get_album),
    "artists": ("/artists", get_artists),
    "artist": ("/artists/{id}", get_artist),
    "audio_features": ("/audio-features", get_audio_features),
}
"""Path and handler of every endpoint, by the name under which its calls are counted."""

EXTENDED_ONLY_ENDPOINTS = frozenset({"tracks", "albums", "artists", "audio_features", "playlist_tracks"})
"""Endpoints that return 403 in development mode."""


_PATTERNS = {name: compile_path(path)[0] for name, (path, _) in ENDPOINTS.items()}


def find_endpoint(path: str) -> str | None:
    """Return the name of the endpoint at a path below the API's version."""
    return next((name for name, pattern in _PATTERNS.items() if pattern.match(path)), None)


def list_routes(make_api_request: Callable[[str, Request], ApiRequest]) -> list[Route]:
    """Return the API's routes; ``make_api_request`` finds the account and the simulated day, or raises ApiError."""
    return [
        Route(path, _make_endpoint(name, handle, make_api_request), name=name)
        for name, (path, handle) in ENDPOINTS.items()
    ]


def _make_endpoint(
    name: str, handle: EndpointHandler, make_api_request: Callable[[str, Request], ApiRequest]
) -> Callable[[Request], Awaitable[Response]]:
    async def respond(request: Request) -> Response:
        api_request = make_api_request(name, request)
        if api_request.mode == "development" and name in EXTENDED_ONLY_ENDPOINTS:
            raise ApiError(403, "Forbidden")
        body = json.dumps(handle(api_request), ensure_ascii=False, separators=(",", ":"))
        return Response(body, media_type="application/json; charset=utf-8")

    return respond


def _find_playlist(api_request: ApiRequest) -> Playlist:
    found_playlist = api_request.simulated_day.find_playlist(api_request.get_path_id())
    if found_playlist is None or found_playlist.is_editorial:
        raise ApiError(404, "Resource not found")
    return found_playlist


def _build_items_page(api_request: ApiRequest, found_playlist: Playlist, limit: int, offset: int) -> JsonObject:
    page = found_playlist.items[offset : offset + limit]
    tracks_by_id = api_request.simulated_day.read_tracks(item.item_id for item in page if item.kind == "track")
    items = [
        api_request.object_builder.build_playlist_item(item, found_playlist, offset + index, tracks_by_id)
        for index, item in enumerate(page)
    ]
    path = f"playlists/{found_playlist.playlist_id}/{'tracks' if api_request.mode == 'extended' else 'items'}"
    return api_request.object_builder.build_page(path, items, len(found_playlist.items), limit, offset, {})


def _build_albums(api_request: ApiRequest, albums_by_id: dict[str, JsonObject]) -> dict[str, JsonObject]:
    tracks_by_id = api_request.simulated_day.read_tracks(
        track_id for album in albums_by_id.values() for track_id in album["track_ids"]
    )
    return {
        album_id: api_request.object_builder.build_album(
            album, [tracks_by_id[track_id] for track_id in album["track_ids"]]
        )
        for album_id, album in albums_by_id.items()
    }


def _require_found(resource: JsonObject | None) -> JsonObject:
    if resource is None:
        raise ApiError(404, "Resource not found")
    return resource
