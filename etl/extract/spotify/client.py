"""A client of the Spotify Web API: each method calls one endpoint once and returns an ``ApiResponse``.

spotipy builds paths and parameters; ``http_client`` waits, retries and raises. The client handles these responses:

| response | handling |
| --- | --- |
| 401 | renews the access token once and repeats the call; after a second 401: TryAgainError |
| 400 invalid_grant for a new token | MustSignInError with account and remedy; the token stays stored |
| 403 and 404 | returns the response: it describes the resource, or the mode |
| 403, 404 or 410 of a batch or of audio features | returns the response; ``mode`` is development from then on |
| 400 of a track, an artist, an album or a batch | returns the response: an id is not valid |
| any other 400 | ActionNeededError: the call itself is wrong |
"""

import re
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum
from functools import reduce
from typing import Any

import spotipy  # type: ignore[import-untyped]

from etl.errors import ActionNeededError, MustSignInError, TryAgainError
from etl.extract.spotify.account_store import Account, AccountStore, Token
from etl.extract.spotify.app import App
from etl.extract.spotify.http_client import Clock, HttpClient, JsonResponse, Sleep, get_utc_now
from etl.extract.spotify.http_session import HttpLimits
from etl.extract.spotify.oauth import AppFlow, SignInFlow
from etl.extract.spotify.response_shapes import has_id, is_batch, is_page
from etl.formats.api_responses import ApiResponse
from etl.formats.contracts.api import BATCH_ENDPOINTS

PAGE_SIZE = 50
BATCH_SIZES = {"tracks": 50, "artists": 50, "albums": 20, "audio_features": 100}
PLAYLIST_FIELDS = (
    "id,name,description,public,collaborative,snapshot_id,owner(id,display_name),items(total),tracks(total)"
)

_EXPIRY_MARGIN = timedelta(seconds=10)
"""An access token is renewed this long before it expires."""

_ID = re.compile(r"[0-9A-Za-z]{22}")
_BASE_62 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_PLAYLIST = re.compile(r"(?:.*[/:])?([0-9A-Za-z]{22})(?:\?.*)?")
_CATALOGUE_ENDPOINTS = ("track", "artist", "album", *BATCH_ENDPOINTS)
_PRIVATE_FIELDS = ("email", "birthdate", "images", "explicit_content")


class Mode(StrEnum):
    """What Spotify allows an app: see docs/spotify.md."""

    DEVELOPMENT = "development"
    EXTENDED = "extended"


def is_spotify_id(text: str, is_mock_api: bool = False) -> bool:
    """Return whether ``text`` can be an id; the API rejects a whole batch for one invalid id.

    :param is_mock_api: accept all texts in the form of an id. Spotify's ids are numbers of 128 bits in base 62, and ids
        of the simulator ("madeup…") would be larger numbers.
    """
    if _ID.fullmatch(text) is None:
        return False
    return is_mock_api or reduce(lambda number, character: number * 62 + _BASE_62.index(character), text, 0) < 1 << 128


def parse_playlist_id(text: str) -> str:
    """Return the id of a playlist from its id, link or URI.

    :raises ActionNeededError: if the text is none of these.
    """
    match = _PLAYLIST.fullmatch(text.strip())
    if match is None:
        raise ActionNeededError(f"{text!r} is no playlist: SPOTIFY_PLAYLISTS takes ids or links of playlists.")
    return match[1]


class ApiClient:
    """A client that calls the API as an account, or as the app itself.

    ``mode`` is None until the first response to a batch shows it; callers pass a known mode on to other clients.
    ``calls`` counts the requests sent, by endpoint; "token" is the accounts service.
    """

    def __init__(
        self,
        app: App,
        account: Account | None,
        accounts: AccountStore,
        *,
        mode: Mode | None = None,
        limits: HttpLimits | None = None,
        clock: Clock = get_utc_now,
        sleep: Sleep | None = None,
    ) -> None:
        """
        :param account: None calls as the app itself, which needs the app's secret.
        :raises ActionNeededError: if the credentials for that are missing.
        """
        self.mode = mode
        self.clock = clock
        self.account = account
        self._app = app
        self._accounts = accounts
        self._http_client = HttpClient(limits or HttpLimits(), clock, sleep or time.sleep)
        self.calls = self._http_client.calls
        self._account_flow = SignInFlow(app, self._http_client) if account else None
        self._app_flow = None if account else AppFlow(app, self._http_client)
        self._token: Token | None = account.token if account else None
        self._spotify = spotipy.Spotify(requests_session=self._http_client.session, retries=0)
        self._spotify.prefix = app.api_url

    def can_have_id(self, id_: str) -> bool:
        """Return whether the API can have a resource with this id."""
        return is_spotify_id(id_, self._app.is_mock_api)

    def fetch_profile(self) -> ApiResponse:
        """Fetch the profile; its private fields are removed."""
        response = self._fetch("me", "me", {}, self._spotify.me, has_id)
        return replace(
            response, body={name: value for name, value in response.body.items() if name not in _PRIVATE_FIELDS}
        )

    def fetch_my_playlists(self, offset: int = 0) -> ApiResponse:
        """Fetch a page of the account's own and followed playlists."""
        query = {"limit": PAGE_SIZE, "offset": offset}
        return self._fetch(
            "my_playlists", "me/playlists", query, lambda: self._spotify.current_user_playlists(**query), is_page
        )

    def fetch_playlist(self, id_: str) -> ApiResponse:
        """Fetch a playlist without its items: name, owner, snapshot."""
        query = {"fields": PLAYLIST_FIELDS}
        return self._fetch("playlist", f"playlists/{id_}", query, lambda: self._spotify.playlist(id_, **query), has_id)

    def fetch_playlist_items(self, id_: str, snapshot_id: str | None, offset: int = 0) -> ApiResponse:
        """Fetch a page of a playlist's items.

        :param snapshot_id: the snapshot that the items belong to; stored with the response.
        """
        query = {"limit": PAGE_SIZE, "offset": offset}
        response = self._fetch(
            "playlist_items",
            f"playlists/{id_}/items",
            query,
            lambda: self._spotify.playlist_items(id_, **query, additional_types=("track", "episode")),
            is_page,
        )
        return replace(response, playlist_id=id_, snapshot_id=snapshot_id)

    def fetch_saved_tracks(self, offset: int = 0) -> ApiResponse:
        """Fetch a page of the account's saved tracks, newest first."""
        query = {"limit": PAGE_SIZE, "offset": offset}
        return self._fetch(
            "saved_tracks", "me/tracks", query, lambda: self._spotify.current_user_saved_tracks(**query), is_page
        )

    def fetch_followed_artists(self, after: str | None = None) -> ApiResponse:
        """Fetch a page of the artists that the account follows, after the artist ``after``."""
        query = {"type": "artist", "limit": PAGE_SIZE, **({"after": after} if after else {})}
        return self._fetch(
            "followed_artists",
            "me/following",
            query,
            lambda: self._spotify.current_user_followed_artists(PAGE_SIZE, after),
            lambda body: isinstance(body.get("artists"), dict) and is_page(body["artists"]),
        )

    def fetch_recently_played(self, after_ms: int | None = None) -> ApiResponse:
        """Fetch at most 50 plays, those after ``after_ms`` (milliseconds since 1970) if given."""
        query = {"limit": PAGE_SIZE, **({"after": after_ms} if after_ms is not None else {})}
        return self._fetch(
            "recently_played",
            "me/player/recently-played",
            query,
            lambda: self._spotify.current_user_recently_played(PAGE_SIZE, after_ms),
            lambda body: isinstance(body.get("items"), list),
        )

    def fetch_tracks(self, ids: Sequence[str]) -> ApiResponse:
        """Fetch up to 50 tracks (extended mode)."""
        return self._fetch_batch("tracks", "tracks", ids, self._spotify.tracks)

    def fetch_artists(self, ids: Sequence[str]) -> ApiResponse:
        """Fetch up to 50 artists (extended mode)."""
        return self._fetch_batch("artists", "artists", ids, self._spotify.artists)

    def fetch_albums(self, ids: Sequence[str]) -> ApiResponse:
        """Fetch up to 20 albums (extended mode)."""
        return self._fetch_batch("albums", "albums", ids, self._spotify.albums)

    def fetch_audio_features(self, ids: Sequence[str]) -> ApiResponse:
        """Fetch the audio features of up to 100 tracks (extended mode)."""
        return self._fetch_batch("audio_features", "audio-features", ids, self._request_audio_features)

    def fetch_track(self, id_: str) -> ApiResponse:
        """Fetch a single track with its ISRC."""
        return self._fetch("track", f"tracks/{id_}", {}, lambda: self._spotify.track(id_), has_id)

    def fetch_artist(self, id_: str) -> ApiResponse:
        """Fetch a single artist."""
        return self._fetch("artist", f"artists/{id_}", {}, lambda: self._spotify.artist(id_), has_id)

    def fetch_album(self, id_: str) -> ApiResponse:
        """Fetch a single album."""
        return self._fetch("album", f"albums/{id_}", {}, lambda: self._spotify.album(id_), has_id)

    def update_mode(self, response: ApiResponse) -> None:
        """Derive the mode from the response to a batch, also from one that an earlier try stored."""
        if response.endpoint in BATCH_ENDPOINTS and response.status != 400:
            self.mode = Mode.EXTENDED if response.is_success() else Mode.DEVELOPMENT

    def _fetch_batch(
        self, endpoint: str, path: str, ids: Sequence[str], method: Callable[[list[str]], object]
    ) -> ApiResponse:
        query = {"ids": ",".join(ids)}
        response = self._fetch(endpoint, path, query, lambda: method(list(ids)), lambda body: is_batch(body, endpoint))
        self.update_mode(response)
        return response

    def _request_audio_features(self, ids: list[str]) -> None:
        with warnings.catch_warnings():  # spotipy warns; an app without access gets a 403
            warnings.simplefilter("ignore", DeprecationWarning)
            self._spotify.audio_features(ids)

    def _fetch(
        self,
        endpoint: str,
        path: str,
        query: dict[str, Any],
        send: Callable[[], object],
        is_expected: Callable[[Any], bool],
    ) -> ApiResponse:
        reply = self._send_signed_in(endpoint, send, is_expected)
        if reply.status == 400 and endpoint not in _CATALOGUE_ENDPOINTS:
            raise ActionNeededError(f"Spotify refuses the call {path} as wrong (400): is an id in the settings wrong?")
        name = self.account.name if self.account else None
        asked_at = self.clock().isoformat(timespec="seconds")
        return ApiResponse(asked_at, name, endpoint, path, query, reply.status, reply.body)

    def _send_signed_in(
        self, endpoint: str, send: Callable[[], object], is_expected: Callable[[Any], bool]
    ) -> JsonResponse:
        """Send a request with a valid access token and return the response."""
        if self._token is None or self._token.expires_at - _EXPIRY_MARGIN <= self.clock():
            self._renew_token()
        self._spotify.set_auth(self._get_access_token())
        reply = self._http_client.send_with_retries(endpoint, send, is_expected)
        if reply.status != 401:
            return reply
        self._renew_token()
        self._spotify.set_auth(self._get_access_token())
        reply = self._http_client.send_with_retries(endpoint, send, is_expected)
        if reply.status == 401:
            raise TryAgainError(f"Spotify refuses an access token that it has just given (401, {endpoint}).")
        return reply

    def _get_access_token(self) -> str:
        return self._token.access_token if self._token else ""

    def _renew_token(self) -> None:
        if self._app_flow is not None:
            self._token = self._app_flow.fetch_token()
            return
        account, flow = self.account, self._account_flow
        if account is None or flow is None or self._token is None:
            raise ActionNeededError("There is no account to ask for: run bin/sign-in.")
        try:
            # Another process may have stored a token that has expired since: renew that one, too.
            name = account.name
            for _ in range(2):
                account = self._accounts.renew_token(name, self._token, lambda token: flow.refresh_token(name, token))
                self._token = account.token
                if self._token.expires_at > self.clock():
                    break
        except MustSignInError as error:
            self._accounts.mark_sign_in_failed(account.name, account.token, str(error))
            raise
        self.account = account
