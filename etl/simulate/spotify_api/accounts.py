"""The accounts service: who signs in, and the tokens that an app gets for it."""

import base64
import binascii
import hashlib
import hmac
from html import escape
from ipaddress import ip_address
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from etl.simulate.spotify_api.errors import AccountsRefusal
from etl.simulate.spotify_api.scenario import Scenario
from etl.simulate.spotify_api.tokens import Token, Tokens, random_number, refresh_end

_CODE_SECONDS = 600
_DAY = 86_400


class Accounts:
    """Authorises accounts for apps, and gives out tokens."""

    def __init__(self, tokens: Tokens, scenario: Scenario) -> None:
        self._tokens = tokens
        self._scenario = scenario
        self._used_codes: set[str] = set()

    def authorise(self, request: Request, names: list[str]) -> Response:
        """A page that lists the accounts as links; with ``login_hint`` the way back to the app at once."""
        query = request.query_params
        redirect_uri = query.get("redirect_uri", "")
        if not query.get("client_id"):
            raise AccountsRefusal("invalid_client", "INVALID_CLIENT: client_id is missing")
        if not is_safe_redirect(redirect_uri):
            raise AccountsRefusal("invalid_request", "INVALID_CLIENT: Insecure redirect URI")
        if query.get("response_type") != "code":
            raise AccountsRefusal("unsupported_response_type", "response_type must be code")
        if query.get("code_challenge") and query.get("code_challenge_method") != "S256":
            raise AccountsRefusal("invalid_request", "code_challenge_method must be S256")
        name = query.get("login_hint")
        if name is None:
            return _choice(request, names)
        back = {"state": query["state"]} if "state" in query else {}
        answer = {"code": self._code(request, name)} if name in names else {"error": "access_denied"}
        return RedirectResponse(f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{urlencode(answer | back)}", 302)

    def give_token(self, request: Request, form: dict[str, str], is_new_refresh_wanted: bool | None) -> Response:
        """Tokens for a code, for a refresh token or for the app itself.

        :param is_new_refresh_wanted: whether a refresh brings a new refresh token; None: as in life, with PKCE only.
        """
        client_id, has_secret = self._client(request, form)
        grant = form.get("grant_type")
        if grant == "authorization_code":
            code = self._code_token(form, client_id, has_secret)
            return self._answer(code, self._refresh_token(code))
        if grant == "refresh_token":
            refresh = self._tokens.read(form.get("refresh_token", ""), "refresh")
            if refresh is None or not hmac.compare_digest(refresh.client_id.encode(), client_id.encode()):
                raise AccountsRefusal("invalid_grant", "Invalid refresh token")
            if self._tokens.is_expired(refresh):
                raise AccountsRefusal("invalid_grant", "Refresh token expired")
            is_new = not has_secret if is_new_refresh_wanted is None else is_new_refresh_wanted
            return self._answer(refresh, self._refresh_token(refresh) if is_new else None)
        if grant == "client_credentials":
            if not has_secret:
                raise AccountsRefusal("invalid_client", "Invalid client secret")
            now = self._tokens.clock()
            return self._answer(Token("code", client_id, "", "", now, now), None)
        raise AccountsRefusal("unsupported_grant_type", "grant_type parameter is missing or unknown")

    def _client(self, request: Request, form: dict[str, str]) -> tuple[str, bool]:
        """The client's id, and whether it has shown its secret."""
        client_id, secret = form.get("client_id", ""), form.get("client_secret")
        kind, _, credentials = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "basic":
            try:
                client_id, _, secret = base64.b64decode(credentials, validate=True).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                raise AccountsRefusal("invalid_client", "Invalid client") from None
        if not client_id:
            raise AccountsRefusal("invalid_client", "Invalid client")
        if secret is not None and not hmac.compare_digest(secret.encode(), self._scenario.client_secret.encode()):
            raise AccountsRefusal("invalid_client", "Invalid client secret")
        return client_id, secret is not None

    def _code(self, request: Request, name: str) -> str:
        query, now = request.query_params, self._tokens.clock()
        authorised_at = now - self._scenario.authorised_days_ago.get(name, 0) * _DAY
        bound_to = f"{query.get('redirect_uri', '')} {query.get('code_challenge', '')}"
        token = Token(
            *("code", query["client_id"], name, query.get("scope", ""), authorised_at, now + _CODE_SECONDS),
            *(bound_to, random_number()),
        )
        return self._tokens.signed(token)

    def _code_token(self, form: dict[str, str], client_id: str, has_secret: bool) -> Token:
        code = self._tokens.read(form.get("code", ""), "code")
        if code is None or code.client_id != client_id or code.number in self._used_codes:
            raise AccountsRefusal("invalid_grant", "Invalid authorization code")
        if self._tokens.is_expired(code):
            raise AccountsRefusal("invalid_grant", "Authorization code expired")
        redirect_uri, _, challenge = code.bound_to.partition(" ")
        if form.get("redirect_uri") != redirect_uri:
            raise AccountsRefusal("invalid_grant", "Invalid redirect URI")
        if challenge and not hmac.compare_digest(_challenge(form.get("code_verifier", "")), challenge.encode()):
            raise AccountsRefusal("invalid_grant", "code_verifier was incorrect")
        if not challenge and not has_secret:
            raise AccountsRefusal("invalid_client", "Invalid client secret")
        self._used_codes.add(code.number)
        return code

    def _refresh_token(self, of: Token) -> str:
        end = refresh_end(of.authorised_at)
        return self._tokens.signed(
            Token("refresh", of.client_id, of.account, of.scope, of.authorised_at, end, "", random_number())
        )

    def _answer(self, of: Token, refresh_token: str | None) -> Response:
        seconds = self._scenario.access_token_seconds
        end = self._tokens.clock() + seconds
        access = Token("access", of.client_id, of.account, of.scope, of.authorised_at, end, "", random_number())
        body = {"access_token": self._tokens.signed(access), "token_type": "Bearer", "expires_in": seconds}
        if of.account:
            body["scope"] = of.scope
        if refresh_token is not None:
            body["refresh_token"] = refresh_token
        return JSONResponse(body, headers={"Cache-Control": "no-store"})


def is_safe_redirect(redirect_uri: str) -> bool:
    """Whether a redirect URI is https or names a loopback address; ``localhost`` is a name, not an address."""
    parts = urlsplit(redirect_uri)
    if parts.scheme == "https":
        return bool(parts.hostname) and parts.hostname != "localhost"
    try:
        return parts.scheme == "http" and ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False


def _challenge(verifier: str) -> bytes:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")


def _choice(request: Request, names: list[str]) -> Response:
    links = "".join(
        f'<li><a href="{escape(str(request.url.include_query_params(login_hint=name)))}">{escape(name)}</a></li>'
        for name in names
    )
    return HTMLResponse(
        "<!doctype html><title>Stand-in for Spotify</title><h1>Stand-in for Spotify</h1>"
        "<p>This is not Spotify: the accounts below and all that they hold are made up. Sign in as</p>"
        f"<ul>{links}</ul>"
    )
