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
from etl.extract.spotify.accounts import Account, Accounts, Token
from etl.extract.spotify.answers import Answer
from etl.extract.spotify.app import App
from etl.extract.spotify.caller import Caller, Clock, Reply, Sleep, utc_now
from etl.extract.spotify.exchange import Limits
from etl.extract.spotify.oauth import AppFlow, Flow
from etl.schemas.api import BATCHES

PAGE_SIZE = 50
BATCH_SIZES = {"tracks": 50, "artists": 50, "albums": 20, "audio_features": 100}
PLAYLIST_FIELDS = (
    "id,name,description,public,collaborative,snapshot_id,owner(id,display_name),items(total),tracks(total)"
)

_LARGEST_TOTAL = 1_000_000
"""Of a list. Its pages are asked one after the other, so a wrong number is not to keep a worker for days."""

_MARGIN = timedelta(seconds=10)
"""An access token is renewed this long before it expires."""

_ID = re.compile(r"[0-9A-Za-z]{22}")
_BASE_62 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_PLAYLIST = re.compile(r"(?:.*[/:])?([0-9A-Za-z]{22})(?:\?.*)?")
_CATALOGUE = ("track", "artist", "album", *BATCHES)
_PRIVATE = ("email", "birthdate", "images", "explicit_content")


class Mode(StrEnum):
    """What Spotify allows an app: see docs/spotify.md."""

    DEVELOPMENT = "development"
    EXTENDED = "extended"


def is_spotify_id(text: str, is_stand_in: bool = False) -> bool:
    """Whether ``text`` can be an id; one that cannot makes the API refuse a whole batch.

    :param is_stand_in: takes whatever looks like an id. Spotify's write a number of 128 bits, and what the simulator
        makes up ("madeup…") would be a larger one.
    """
    if _ID.fullmatch(text) is None:
        return False
    return is_stand_in or reduce(lambda number, sign: number * 62 + _BASE_62.index(sign), text, 0) < 1 << 128


def playlist_id(text: str) -> str:
    """The id of a playlist that somebody named by id, link or URI.

    :raises ActionNeededError: where it is none.
    """
    found = _PLAYLIST.fullmatch(text.strip())
    if found is None:
        raise ActionNeededError(f"{text!r} is no playlist: SPOTIFY_PLAYLISTS takes ids or links of playlists.")
    return found[1]


class Api:
    """The API in the name of an account, or of the app itself.

    ``mode`` is None until the first batch, or the first refusal of one, tells; it may be given and read, so that one
    that was found out serves others. ``calls`` counts the requests sent, by endpoint; "token" is the accounts service.
    """

    def __init__(
        self,
        app: App,
        account: Account | None,
        accounts: Accounts,
        *,
        mode: Mode | None = None,
        limits: Limits | None = None,
        clock: Clock = utc_now,
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
        self._caller = Caller(limits or Limits(), clock, **({"sleep": sleep} if sleep else {}))
        self.calls = self._caller.calls
        self._flow = Flow(app, self._caller) if account else None
        self._app_flow = None if account else AppFlow(app, self._caller)
        self._token: Token | None = account.token if account else None
        self._spotify = spotipy.Spotify(requests_session=self._caller.session, retries=0)
        self._spotify.prefix = app.api_url

    def may_know(self, id_: str) -> bool:
        """Whether what answers can have a thing of that id."""
        return is_spotify_id(id_, self._app.is_stand_in)

    def me(self) -> Answer:
        """The profile, without its private fields."""
        answer = self._ask("me", "me", {}, self._spotify.me, _has_id)
        return replace(answer, body={k: v for k, v in answer.body.items() if k not in _PRIVATE})

    def my_playlists(self, offset: int = 0) -> Answer:
        """A page of the account's own and followed playlists."""
        query = {"limit": PAGE_SIZE, "offset": offset}
        return self._ask(
            "my_playlists", "me/playlists", query, lambda: self._spotify.current_user_playlists(**query), _is_page
        )

    def playlist(self, id_: str) -> Answer:
        """A playlist without its items: name, owner, snapshot."""
        query = {"fields": PLAYLIST_FIELDS}
        return self._ask("playlist", f"playlists/{id_}", query, lambda: self._spotify.playlist(id_, **query), _has_id)

    def playlist_items(self, id_: str, snapshot_id: str | None, offset: int = 0) -> Answer:
        """A page of a playlist's items.

        :param snapshot_id: the snapshot under which they are asked; noted with the answer.
        """
        query = {"limit": PAGE_SIZE, "offset": offset}
        answer = self._ask(
            "playlist_items",
            f"playlists/{id_}/items",
            query,
            lambda: self._spotify.playlist_items(id_, **query, additional_types=("track", "episode")),
            _is_page,
        )
        return replace(answer, playlist_id=id_, snapshot_id=snapshot_id)

    def saved_tracks(self, offset: int = 0) -> Answer:
        """A page of the account's saved tracks, newest first."""
        query = {"limit": PAGE_SIZE, "offset": offset}
        return self._ask(
            "saved_tracks", "me/tracks", query, lambda: self._spotify.current_user_saved_tracks(**query), _is_page
        )

    def followed_artists(self, after: str | None = None) -> Answer:
        """A page of the artists that the account follows, after the artist ``after``."""
        query = {"type": "artist", "limit": PAGE_SIZE, **({"after": after} if after else {})}
        return self._ask(
            "followed_artists",
            "me/following",
            query,
            lambda: self._spotify.current_user_followed_artists(PAGE_SIZE, after),
            lambda body: isinstance(body.get("artists"), dict) and _is_page(body["artists"]),
        )

    def recently_played(self, after_ms: int | None = None) -> Answer:
        """At most 50 plays, those after a moment in milliseconds since 1970 where it is given."""
        query = {"limit": PAGE_SIZE, **({"after": after_ms} if after_ms is not None else {})}
        return self._ask(
            "recently_played",
            "me/player/recently-played",
            query,
            lambda: self._spotify.current_user_recently_played(PAGE_SIZE, after_ms),
            lambda body: isinstance(body.get("items"), list),
        )

    def tracks(self, ids: Sequence[str]) -> Answer:
        """Up to 50 tracks (extended mode)."""
        return self._batch("tracks", "tracks", ids, self._spotify.tracks)

    def artists(self, ids: Sequence[str]) -> Answer:
        """Up to 50 artists (extended mode)."""
        return self._batch("artists", "artists", ids, self._spotify.artists)

    def albums(self, ids: Sequence[str]) -> Answer:
        """Up to 20 albums (extended mode)."""
        return self._batch("albums", "albums", ids, self._spotify.albums)

    def audio_features(self, ids: Sequence[str]) -> Answer:
        """The audio features of up to 100 tracks (extended mode)."""
        return self._batch("audio_features", "audio-features", ids, self._features)

    def track(self, id_: str) -> Answer:
        """A single track, its ISRC included."""
        return self._ask("track", f"tracks/{id_}", {}, lambda: self._spotify.track(id_), _has_id)

    def artist(self, id_: str) -> Answer:
        """A single artist."""
        return self._ask("artist", f"artists/{id_}", {}, lambda: self._spotify.artist(id_), _has_id)

    def album(self, id_: str) -> Answer:
        """A single album."""
        return self._ask("album", f"albums/{id_}", {}, lambda: self._spotify.album(id_), _has_id)

    def learn_mode(self, answer: Answer) -> None:
        """Read the mode from the answer of a batch, such as one that an earlier try kept."""
        if answer.endpoint in BATCHES and answer.status != 400:
            self.mode = Mode.EXTENDED if answer.is_good() else Mode.DEVELOPMENT

    def _batch(self, endpoint: str, path: str, ids: Sequence[str], method: Callable[[list[str]], object]) -> Answer:
        query = {"ids": ",".join(ids)}
        answer = self._ask(endpoint, path, query, lambda: method(list(ids)), lambda body: _is_batch(body, endpoint))
        self.learn_mode(answer)
        return answer

    def _features(self, ids: list[str]) -> None:
        with warnings.catch_warnings():  # spotipy calls it deprecated; where it may not be asked, the refusal says so
            warnings.simplefilter("ignore", DeprecationWarning)
            self._spotify.audio_features(ids)

    def _ask(
        self,
        endpoint: str,
        path: str,
        query: dict[str, Any],
        ask: Callable[[], object],
        is_promised: Callable[[Any], bool],
    ) -> Answer:
        reply = self._signed_in(endpoint, ask, is_promised)
        if reply.status == 400 and endpoint not in _CATALOGUE:
            raise ActionNeededError(f"Spotify refuses the call {path} as wrong (400): is an id in the settings wrong?")
        name = self.account.name if self.account else None
        asked_at = self.clock().isoformat(timespec="seconds")
        return Answer(asked_at, name, endpoint, path, query, reply.status, reply.body)

    def _signed_in(self, endpoint: str, ask: Callable[[], object], is_promised: Callable[[Any], bool]) -> Reply:
        """The reply to ``ask``, with a token that is good."""
        if self._token is None or self._token.expires_at - _MARGIN <= self.clock():
            self._renew()
        self._spotify.set_auth(self._access_token())
        reply = self._caller.call(endpoint, ask, is_promised)
        if reply.status != 401:
            return reply
        self._renew()
        self._spotify.set_auth(self._access_token())
        reply = self._caller.call(endpoint, ask, is_promised)
        if reply.status == 401:
            raise TryAgainError(f"Spotify refuses an access token that it has just given (401, {endpoint}).")
        return reply

    def _access_token(self) -> str:
        return self._token.access_token if self._token else ""

    def _renew(self) -> None:
        if self._app_flow is not None:
            self._token = self._app_flow.token()
            return
        account, flow = self.account, self._flow
        if account is None or flow is None or self._token is None:
            raise ActionNeededError("There is no account to ask for: run bin/sign-in.")
        try:
            # Another process may have stored a token that has run out since: then once more, with that one.
            name = account.name
            for _ in range(2):
                account = self._accounts.renew(name, self._token, lambda token: flow.refresh(name, token))
                self._token = account.token
                if self._token.expires_at > self.clock():
                    break
        except MustSignInError as error:
            self._accounts.note_trouble(account.name, account.token, str(error))
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
        and 0 <= total <= _LARGEST_TOTAL
    )


def _is_batch(body: Any, endpoint: str) -> bool:
    things = body.get(endpoint)
    return isinstance(things, list) and all(isinstance(thing, dict | None) for thing in things)
