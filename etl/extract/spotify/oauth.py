"""spotipy's sign-in flows, against any address, and the tokens that they bring.

spotipy writes tokens into its DEBUG log, so its loggers are silenced for good: what they would say is said here.
"""

import logging
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from spotipy import oauth2  # type: ignore[import-untyped]
from spotipy.cache_handler import MemoryCacheHandler  # type: ignore[import-untyped]
from spotipy.exceptions import SpotifyBaseException  # type: ignore[import-untyped]

from etl.errors import ActionNeededError, MustSignInError
from etl.extract.spotify.accounts import Token
from etl.extract.spotify.app import SCOPES, App
from etl.extract.spotify.caller import Caller, Reply
from etl.passwords import generate_password

_LOGGERS = ("spotipy.client", "spotipy.oauth2", "spotipy.cache_handler")


class _Silence(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        return False


_SILENCE = _Silence()


def silence_spotipy() -> None:
    """Let none of spotipy's own log lines out, at whatever level somebody sets its loggers."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_SILENCE)


class Flow:
    """How people sign in to one app: by its secret where it has one, else by PKCE."""

    def __init__(self, app: App, caller: Caller, authorise_with: Mapping[str, str] | None = None) -> None:
        """
        :param authorise_with: further parameters of the page that asks the person.
        """
        silence_spotipy()
        self._app, self._caller = app, caller
        flow = _WithSecret if app.client_secret else _WithPkce
        self._flow = flow(app, caller, {"show_dialog": "true", **(authorise_with or {})})

    def page(self) -> str:
        """The address of the page that asks the person."""
        return str(self._flow.get_authorize_url())

    def code_from_person(self, is_pasting: bool) -> str:
        """The code that a person's yes brings: through a browser and a local server, or pasted.

        :raises ActionNeededError: where it does not come.
        """
        try:
            return _checked_code(self._flow.code_from_person(is_pasting))
        except OSError:
            raise ActionNeededError(
                f"Nothing can listen on {self._app.redirect_uri}: end what has that port, or use bin/sign-in --paste."
            ) from None
        except (SpotifyBaseException, AttributeError, TypeError, ValueError, EOFError):
            # spotipy stumbles over an answer without state; its own texts repeat what came.
            raise ActionNeededError(
                "The sign-in brought no code: say yes on Spotify's page, and paste the whole address that the browser "
                "is led to. Start bin/sign-in again."
            ) from None

    def code_from_redirect(self, address: str) -> str:
        """The code in the address that Spotify's page leads to.

        :raises ActionNeededError: where it carries none, or answers another request than ours.
        """
        try:
            state, code = oauth2.SpotifyOAuth.parse_auth_response_url(address)
        except SpotifyBaseException:
            raise ActionNeededError("The sign-in was refused on Spotify's page. Start bin/sign-in again.") from None
        if not secrets.compare_digest(str(state), str(self._flow.state)):
            raise ActionNeededError("The sign-in answers another request. Start bin/sign-in again.")
        return _checked_code(code)

    def redeem(self, code: str) -> Token:
        """The first tokens for a code.

        :raises ActionNeededError: where the code or the app is refused.
        """
        reply = self._caller.call("token", lambda: self._flow.redeem(code), _is_token)
        if reply.status != 200:
            _refuse_app(reply, self._app)
            raise ActionNeededError("Spotify takes the code of this sign-in no more. Start bin/sign-in again.")
        return _token(reply, self._caller.clock(), None)

    def refresh(self, name: str, token: Token) -> Token:
        """A new access token of the account ``name``; the refresh token stays where the answer brings no new one.

        :raises MustSignInError: where the refresh token is taken no more.
        :raises ActionNeededError: where the app is refused.
        """
        if token.refresh_token is None:
            raise _must_sign_in(name)
        reply = self._caller.call("token", lambda: self._flow.refresh_access_token(token.refresh_token), _is_token)
        if reply.status != 200:
            _refuse_app(reply, self._app)
            raise _must_sign_in(name)
        return _token(reply, self._caller.clock(), token)


class AppFlow:
    """Tokens of the app itself, for what is no person's; needs the secret."""

    def __init__(self, app: App, caller: Caller) -> None:
        """:raises ActionNeededError: where the app has no secret."""
        silence_spotipy()
        if not app.client_secret:
            raise ActionNeededError(
                "Without SPOTIPY_CLIENT_SECRET the catalogue is asked in the name of an account: bin/sign-in first."
            )
        self._app, self._caller = app, caller
        self._flow = _ForApp(app, caller)

    def token(self) -> Token:
        """An access token.

        :raises ActionNeededError: where the app is refused.
        """
        reply = self._caller.call("token", lambda: self._flow.get_access_token(False, False), _is_token)
        if reply.status != 200:
            _refuse_app(reply, self._app)
            raise ActionNeededError(f"Spotify gives the app no token ({reply.status}): look at its dashboard.")
        return _token(reply, self._caller.clock(), None)


class _WithSecret(oauth2.SpotifyOAuth):  # type: ignore[misc]
    def __init__(self, app: App, caller: Caller, authorise_with: Mapping[str, str]) -> None:
        super().__init__(client_secret=app.client_secret, **_arguments(app, caller))
        self.OAUTH_TOKEN_URL = f"{app.accounts_url}/api/token"
        self.OAUTH_AUTHORIZE_URL = f"{app.accounts_url}/authorize"
        self._authorise_with = authorise_with

    def get_authorize_url(self, state: str | None = None) -> str:
        return f"{super().get_authorize_url(state)}&{urlencode(self._authorise_with)}"

    def code_from_person(self, is_pasting: bool) -> str | None:
        code: str | None = self.get_auth_response(open_browser=not is_pasting)
        return code

    def redeem(self, code: str) -> None:
        self.get_access_token(code, as_dict=False, check_cache=False)


class _WithPkce(oauth2.SpotifyPKCE):  # type: ignore[misc]
    def __init__(self, app: App, caller: Caller, authorise_with: Mapping[str, str]) -> None:
        super().__init__(**_arguments(app, caller))
        self.OAUTH_TOKEN_URL = f"{app.accounts_url}/api/token"
        self.OAUTH_AUTHORIZE_URL = f"{app.accounts_url}/authorize"
        self._authorise_with = authorise_with

    def get_authorize_url(self, state: str | None = None) -> str:
        return f"{super().get_authorize_url(state)}&{urlencode(self._authorise_with)}"

    def code_from_person(self, is_pasting: bool) -> str | None:
        self.open_browser = not is_pasting
        code: str | None = self.get_authorization_code()
        return code

    def redeem(self, code: str) -> None:
        self.get_access_token(code, check_cache=False)


class _ForApp(oauth2.SpotifyClientCredentials):  # type: ignore[misc]
    def __init__(self, app: App, caller: Caller) -> None:
        super().__init__(
            client_id=app.client_id,
            client_secret=app.client_secret,
            requests_session=caller.session,
            cache_handler=MemoryCacheHandler(),
        )
        self.OAUTH_TOKEN_URL = f"{app.accounts_url}/api/token"


def _arguments(app: App, caller: Caller) -> dict[str, Any]:
    return {
        "client_id": app.client_id,
        "redirect_uri": app.redirect_uri,
        "scope": list(SCOPES),
        "state": generate_password(16),
        "requests_session": caller.session,
        "cache_handler": MemoryCacheHandler(),
    }


def _is_token(body: Any) -> bool:
    seconds = body.get("expires_in")
    return (
        isinstance(body.get("access_token"), str)
        and body["access_token"].isascii()
        and body["access_token"].isprintable()
        and isinstance(seconds, int)
        and 0 < seconds < 10**9
        and isinstance(body.get("refresh_token"), str | None)
        and isinstance(body.get("scope"), str | None)
    )


def _token(reply: Reply, now: datetime, earlier: Token | None) -> Token:
    return Token(
        access_token=reply.body["access_token"],
        refresh_token=reply.body.get("refresh_token") or (earlier.refresh_token if earlier else None),
        expires_at=now + timedelta(seconds=reply.body["expires_in"]),
        scope=reply.body.get("scope") or (earlier.scope if earlier else " ".join(SCOPES)),
    )


def _checked_code(code: str | None) -> str:
    if not code:
        raise ActionNeededError(
            "The address carries no code: paste the whole address that the browser was led to. Start bin/sign-in again."
        )
    return code


def _refuse_app(reply: Reply, app: App) -> None:
    """Raise where it is the app that is refused, not the person."""
    if not reply.exchange.says("invalid_grant"):
        cure = "SPOTIPY_CLIENT_ID and SPOTIPY_CLIENT_SECRET" if app.client_secret else "SPOTIPY_CLIENT_ID"
        raise ActionNeededError(
            f"Spotify refuses the app ({reply.status}): compare {cure} and SPOTIPY_REDIRECT_URI with its dashboard."
        )


def _must_sign_in(name: str) -> MustSignInError:
    return MustSignInError(
        f"Spotify takes the sign-in of the account {name} no more (invalid_grant): a sign-in lasts six months, or "
        f"{name} took the permission back. Run bin/sign-in {name}.",
        name,
    )
