"""The Spotify Web API: one method an endpoint, each one call, each an ``Answer``.

spotipy knows paths and parameters; ``caller`` says what is waited for, asked again or raised. Beyond that:

| what comes | what is done |
| --- | --- |
| 401 | a new access token, once, and the call again; refused once more: TryAgainError |
| 400 invalid_grant for a new token | MustSignInError, which names account and cure; the token stays stored |
| 403 and 404 | an ``Answer`` with that status: a fact about the thing asked, or about the mode |
| 403, 404 or 410 of a batch or of audio features | an ``Answer``, and ``mode`` is development from then on |
| 400 of a track, an artist or an album, or of a batch | an ``Answer``: an id is none, or one of the batch |
| any other 400 | ActionNeededError: the call itself is wrong |
"""

import re
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
from etl.formats.api_responses import ApiResponse
from etl.formats.contracts.api import BATCH_ENDPOINTS

PAGE_SIZE = 50
BATCH_SIZES = {"tracks": 50, "artists": 50, "albums": 20, "audio_features": 100}
PLAYLIST_FIELDS = (
    "id,name,description,public,collaborative,snapshot_id,owner(id,display_name),items(total),tracks(total)"
)

_MAX_TOTAL = 1_000_000
"""Of a list. Its pages are asked one after the other, so a wrong number is not to keep a worker for days."""

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
    """Whether ``text`` can be an id; one that cannot makes the API refuse a whole batch.

    :param is_stand_in: takes whatever looks like an id. Spotify's write a number of 128 bits, and what the simulator
        makes up ("madeup…") would be a larger one.
    """
    if _ID.fullmatch(text) is None:
        return False
    return is_mock_api or reduce(lambda number, character: number * 62 + _BASE_62.index(character), text, 0) < 1 << 128


def parse_playlist_id(text: str) -> str:
    """The id of a playlist that somebody named by id, link or URI.

    :raises ActionNeededError: where it is none.
    """
    match = _PLAYLIST.fullmatch(text.strip())
    if match is None:
        raise ActionNeededError(f"{text!r} is no playlist: SPOTIFY_PLAYLISTS takes ids or links of playlists.")
    return match[1]


class ApiClient:
    """The API in the name of an account, or of the app itself.

    ``mode`` is None until the first batch, or the first refusal of one, tells; it may be given and read, so that one
    that was found out serves others. ``calls`` counts the requests sent, by endpoint; "token" is the accounts service.
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
        :param account: None asks as the app itself, which needs its secret.
        :raises ActionNeededError: where neither can be.
        """
        self.mode = mode
        self.clock = clock
        self.account = account
        self._app = app
        self._accounts = accounts
        self._http_client = HttpClient(limits or HttpLimits(), clock, **({"sleep": sleep} if sleep else {}))
        self.calls = self._http_client.calls
        self._account_flow = SignInFlow(app, self._http_client) if account else None
        self._app_flow = None if account else AppFlow(app, self._http_client)
        self._token: Token | None = account.token if account else None
        self._spotify = spotipy.Spotify(requests_session=self._http_client.session, retries=0)
        self._spotify.prefix = app.api_url

    def can_have_id(self, id_: str) -> bool:
        """Whether what answers can have a thing of that id."""
        return is_spotify_id(id_, self._app.is_mock_api)

    def fetch_profile(self) -> ApiResponse:
        """The profile, without its private fields."""
        response = self._fetch("me", "me", {}, self._spotify.me, _has_id)
        return replace(
            response, body={name: value for name, value in response.body.items() if name not in _PRIVATE_FIELDS}
        )

    def fetch_my_playlists(self, offset: int = 0) -> ApiResponse:
        """A page of the account's own and followed playlists."""
        query = {"limit": PAGE_SIZE, "offset": offset}
        return self._fetch(
            "my_playlists", "me/playlists", query, lambda: self._spotify.current_user_playlists(**query), _is_page
        )

    def fetch_playlist(self, id_: str) -> ApiResponse:
        """A playlist without its items: name, owner, snapshot."""
        query = {"fields": PLAYLIST_FIELDS}
        return self._fetch("playlist", f"playlists/{id_}", query, lambda: self._spotify.playlist(id_, **query), _has_id)

    def fetch_playlist_items(self, id_: str, snapshot_id: str | None, offset: int = 0) -> ApiResponse:
        """A page of a playlist's items.

        :param snapshot_id: the snapshot under which they are asked; noted with the answer.
        """
        query = {"limit": PAGE_SIZE, "offset": offset}
        response = self._fetch(
            "playlist_items",
            f"playlists/{id_}/items",
            query,
            lambda: self._spotify.playlist_items(id_, **query, additional_types=("track", "episode")),
            _is_page,
        )
        return replace(response, playlist_id=id_, snapshot_id=snapshot_id)

    def fetch_saved_tracks(self, offset: int = 0) -> ApiResponse:
        """A page of the account's saved tracks, newest first."""
        query = {"limit": PAGE_SIZE, "offset": offset}
        return self._fetch(
            "saved_tracks", "me/tracks", query, lambda: self._spotify.current_user_saved_tracks(**query), _is_page
        )

    def fetch_followed_artists(self, after: str | None = None) -> ApiResponse:
        """A page of the artists that the account follows, after the artist ``after``."""
        query = {"type": "artist", "limit": PAGE_SIZE, **({"after": after} if after else {})}
        return self._fetch(
            "followed_artists",
            "me/following",
            query,
            lambda: self._spotify.current_user_followed_artists(PAGE_SIZE, after),
            lambda body: isinstance(body.get("artists"), dict) and _is_page(body["artists"]),
        )

    def fetch_recently_played(self, after_ms: int | None = None) -> ApiResponse:
        """At most 50 plays, those after a moment in milliseconds since 1970 where it is given."""
        query = {"limit": PAGE_SIZE, **({"after": after_ms} if after_ms is not None else {})}
        return self._fetch(
            "recently_played",
            "me/player/recently-played",
            query,
            lambda: self._spotify.current_user_recently_played(PAGE_SIZE, after_ms),
            lambda body: isinstance(body.get("items"), list),
        )

    def fetch_tracks(self, ids: Sequence[str]) -> ApiResponse:
        """Up to 50 tracks (extended mode)."""
        return self._fetch_batch("tracks", "tracks", ids, self._spotify.tracks)

    def fetch_artists(self, ids: Sequence[str]) -> ApiResponse:
        """Up to 50 artists (extended mode)."""
        return self._fetch_batch("artists", "artists", ids, self._spotify.artists)

    def fetch_albums(self, ids: Sequence[str]) -> ApiResponse:
        """Up to 20 albums (extended mode)."""
        return self._fetch_batch("albums", "albums", ids, self._spotify.albums)

    def fetch_audio_features(self, ids: Sequence[str]) -> ApiResponse:
        """The audio features of up to 100 tracks (extended mode)."""
        return self._fetch_batch("audio_features", "audio-features", ids, self._request_audio_features)

    def fetch_track(self, id_: str) -> ApiResponse:
        """A single track, its ISRC included."""
        return self._fetch("track", f"tracks/{id_}", {}, lambda: self._spotify.track(id_), _has_id)

    def fetch_artist(self, id_: str) -> ApiResponse:
        """A single artist."""
        return self._fetch("artist", f"artists/{id_}", {}, lambda: self._spotify.artist(id_), _has_id)

    def fetch_album(self, id_: str) -> ApiResponse:
        """A single album."""
        return self._fetch("album", f"albums/{id_}", {}, lambda: self._spotify.album(id_), _has_id)

    def update_mode(self, response: ApiResponse) -> None:
        """Read the mode from the answer of a batch, such as one that an earlier try kept."""
        if response.endpoint in BATCH_ENDPOINTS and response.status != 400:
            self.mode = Mode.EXTENDED if response.is_success() else Mode.DEVELOPMENT

    def _fetch_batch(
        self, endpoint: str, path: str, ids: Sequence[str], method: Callable[[list[str]], object]
    ) -> ApiResponse:
        query = {"ids": ",".join(ids)}
        response = self._fetch(endpoint, path, query, lambda: method(list(ids)), lambda body: _is_batch(body, endpoint))
        self.update_mode(response)
        return response

    def _request_audio_features(self, ids: list[str]) -> None:
        with warnings.catch_warnings():  # spotipy calls it deprecated; where it may not be asked, the refusal says so
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
        """The reply to ``ask``, with a token that is good."""
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
            # Another process may have stored a token that has run out since: then once more, with that one.
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


def _has_id(body: Any) -> bool:
    return isinstance(body.get("id"), str)


def _is_page(body: Any) -> bool:
    total = body.get("total")
    return (
        isinstance(body.get("items"), list)
        and isinstance(body.get("next", 0), str | None)
        and isinstance(total, int)
        and 0 <= total <= _MAX_TOTAL
    )


def _is_batch(body: Any, endpoint: str) -> bool:
    resources = body.get(endpoint)
    return isinstance(resources, list) and all(isinstance(resource, dict | None) for resource in resources)
