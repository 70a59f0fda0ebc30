"""spotipy's sign-in flows, against any address, and the tokens that they return.

spotipy writes tokens into its DEBUG log, so its loggers are silenced. This module reports what goes wrong instead.
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
from etl.extract.spotify.account_store import Token
from etl.extract.spotify.app import SCOPES, App
from etl.extract.spotify.http_client import HttpClient, JsonResponse
from etl.passwords import generate_password

_LOGGERS = ("spotipy.client", "spotipy.oauth2", "spotipy.cache_handler")


class _DropAllRecords(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        return False


_DROP_ALL_RECORDS = _DropAllRecords()


def silence_spotipy() -> None:
    """Suppress all log records of spotipy, whatever the level of its loggers."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_DROP_ALL_RECORDS)


class SignInFlow:
    """The sign-in of users to one app: by the app's secret if it has one, else by PKCE."""

    def __init__(
        self, app: App, http_client: HttpClient, authorize_parameters: Mapping[str, str] | None = None
    ) -> None:
        """Create the sign-in flow of one app.

        :param authorize_parameters: further parameters of the page that asks the user for consent.
        """
        silence_spotipy()
        self._app, self._http_client = app, http_client
        flow = _SecretFlow if app.client_secret else _PkceFlow
        self._flow = flow(app, http_client, {"show_dialog": "true", **(authorize_parameters or {})})

    def get_authorize_url(self) -> str:
        """Return the address of the page that asks the user for consent."""
        return str(self._flow.get_authorize_url())

    def request_code(self, is_pasting: bool) -> str:
        """Return the code of the user's consent, which arrives through a browser and a local server, or is pasted.

        :raises ActionNeededError: if no code arrives.
        """
        try:
            return _require_code(self._flow.request_code(is_pasting))
        except OSError:
            raise ActionNeededError(
                f"Nothing can listen on {self._app.redirect_uri}: end what has that port, or use bin/sign-in --paste."
            ) from None
        except (SpotifyBaseException, AttributeError, TypeError, ValueError, EOFError):
            # spotipy fails on a response without a state, and its own messages quote the response, with its code.
            raise ActionNeededError(
                "The sign-in brought no code: say yes on Spotify's page, and paste the whole address that the browser "
                "is led to. Start bin/sign-in again."
            ) from None

    def parse_redirect(self, address: str) -> str:
        """Return the code in the address that Spotify's page redirects to.

        :raises ActionNeededError: if the address has no code, or belongs to another request.
        """
        try:
            state, code = oauth2.SpotifyOAuth.parse_auth_response_url(address)
        except SpotifyBaseException:
            raise ActionNeededError("The sign-in was refused on Spotify's page. Start bin/sign-in again.") from None
        if not secrets.compare_digest(str(state), str(self._flow.state)):
            raise ActionNeededError("The sign-in answers another request. Start bin/sign-in again.")
        return _require_code(code)

    def redeem_code(self, code: str) -> Token:
        """Exchange a code for the first tokens.

        :raises ActionNeededError: if Spotify rejects the code or the app.
        """
        reply = self._http_client.send_with_retries("token", lambda: self._flow.redeem_code(code), _is_token)
        if reply.status != 200:
            _raise_if_app_rejected(reply, self._app)
            raise ActionNeededError("Spotify takes the code of this sign-in no more. Start bin/sign-in again.")
        return _parse_token(reply, self._http_client.clock(), None)

    def refresh_token(self, name: str, token: Token) -> Token:
        """Return a new access token of the account ``name``; the refresh token stays if the response has no new one.

        :raises MustSignInError: if Spotify no longer accepts the refresh token.
        :raises ActionNeededError: if Spotify rejects the app.
        """
        if token.refresh_token is None:
            raise _build_sign_in_error(name)
        reply = self._http_client.send_with_retries(
            "token", lambda: self._flow.refresh_access_token(token.refresh_token), _is_token
        )
        if reply.status != 200:
            _raise_if_app_rejected(reply, self._app)
            raise _build_sign_in_error(name)
        return _parse_token(reply, self._http_client.clock(), token)


class AppFlow:
    """The sign-in of the app itself, for resources that belong to no user; it needs the app's secret."""

    def __init__(self, app: App, http_client: HttpClient) -> None:
        """Create the flow of one app.

        :raises ActionNeededError: if the app has no secret.
        """
        silence_spotipy()
        if not app.client_secret:
            raise ActionNeededError(
                "Without SPOTIPY_CLIENT_SECRET the catalogue is asked in the name of an account: bin/sign-in first."
            )
        self._app, self._http_client = app, http_client
        self._flow = _ClientCredentialsFlow(app, http_client)

    def fetch_token(self) -> Token:
        """Return an access token.

        :raises ActionNeededError: if Spotify rejects the app.
        """
        reply = self._http_client.send_with_retries(
            "token", lambda: self._flow.get_access_token(False, False), _is_token
        )
        if reply.status != 200:
            _raise_if_app_rejected(reply, self._app)
            raise ActionNeededError(f"Spotify gives the app no token ({reply.status}): look at its dashboard.")
        return _parse_token(reply, self._http_client.clock(), None)


class _SecretFlow(oauth2.SpotifyOAuth):  # type: ignore[misc]
    def __init__(self, app: App, http_client: HttpClient, authorize_parameters: Mapping[str, str]) -> None:
        super().__init__(client_secret=app.client_secret, **_build_arguments(app, http_client))
        self.OAUTH_TOKEN_URL = f"{app.accounts_url}/api/token"
        self.OAUTH_AUTHORIZE_URL = f"{app.accounts_url}/authorize"
        self._authorize_parameters = authorize_parameters

    def get_authorize_url(self, state: str | None = None) -> str:
        return f"{super().get_authorize_url(state)}&{urlencode(self._authorize_parameters)}"

    def request_code(self, is_pasting: bool) -> str | None:
        code: str | None = self.get_auth_response(open_browser=not is_pasting)
        return code

    def redeem_code(self, code: str) -> None:
        self.get_access_token(code, as_dict=False, check_cache=False)


class _PkceFlow(oauth2.SpotifyPKCE):  # type: ignore[misc]
    def __init__(self, app: App, http_client: HttpClient, authorize_parameters: Mapping[str, str]) -> None:
        super().__init__(**_build_arguments(app, http_client))
        self.OAUTH_TOKEN_URL = f"{app.accounts_url}/api/token"
        self.OAUTH_AUTHORIZE_URL = f"{app.accounts_url}/authorize"
        self._authorize_parameters = authorize_parameters

    def get_authorize_url(self, state: str | None = None) -> str:
        return f"{super().get_authorize_url(state)}&{urlencode(self._authorize_parameters)}"

    def request_code(self, is_pasting: bool) -> str | None:
        self.open_browser = not is_pasting
        code: str | None = self.get_authorization_code()
        return code

    def redeem_code(self, code: str) -> None:
        self.get_access_token(code, check_cache=False)


class _ClientCredentialsFlow(oauth2.SpotifyClientCredentials):  # type: ignore[misc]
    def __init__(self, app: App, http_client: HttpClient) -> None:
        super().__init__(
            client_id=app.client_id,
            client_secret=app.client_secret,
            requests_session=http_client.session,
            cache_handler=MemoryCacheHandler(),
        )
        self.OAUTH_TOKEN_URL = f"{app.accounts_url}/api/token"


def _build_arguments(app: App, http_client: HttpClient) -> dict[str, Any]:
    return {
        "client_id": app.client_id,
        "redirect_uri": app.redirect_uri,
        "scope": list(SCOPES),
        "state": generate_password(16),
        "requests_session": http_client.session,
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


def _parse_token(reply: JsonResponse, now: datetime, previous: Token | None) -> Token:
    return Token(
        access_token=reply.body["access_token"],
        refresh_token=reply.body.get("refresh_token") or (previous.refresh_token if previous else None),
        expires_at=now + timedelta(seconds=reply.body["expires_in"]),
        scope=reply.body.get("scope") or (previous.scope if previous else " ".join(SCOPES)),
    )


def _require_code(code: str | None) -> str:
    if not code:
        raise ActionNeededError(
            "The address carries no code: paste the whole address that the browser was led to. Start bin/sign-in again."
        )
    return code


def _raise_if_app_rejected(reply: JsonResponse, app: App) -> None:
    """Raise ActionNeededError if Spotify rejects the app, not the user."""
    if not reply.response.has_error_code("invalid_grant"):
        cure = "SPOTIPY_CLIENT_ID and SPOTIPY_CLIENT_SECRET" if app.client_secret else "SPOTIPY_CLIENT_ID"
        raise ActionNeededError(
            f"Spotify refuses the app ({reply.status}): compare {cure} and SPOTIPY_REDIRECT_URI with its dashboard."
        )


def _build_sign_in_error(name: str) -> MustSignInError:
    return MustSignInError(
        f"Spotify takes the sign-in of the account {name} no more (invalid_grant): a sign-in lasts six months, or "
        f"{name} took the permission back. Run bin/sign-in {name}.",
        name,
    )
