"""The accounts service: sign-in of accounts, and tokens for apps."""

import base64
import binascii
import hashlib
import hmac
from html import escape
from ipaddress import ip_address
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from simulator.mock_api.errors import AccountsError
from simulator.mock_api.scenario import Scenario
from simulator.mock_api.tokens import Token, TokenSigner, compute_refresh_expiry, make_token_id

_CODE_LIFETIME_SECONDS = 600
_DAY_SECONDS = 86_400


class AccountsService:
    """The service that authorises accounts for apps and issues tokens."""

    def __init__(self, tokens: TokenSigner, scenario: Scenario) -> None:
        self._tokens = tokens
        self._scenario = scenario
        self._used_codes: set[str] = set()

    def authorise_account(self, request: Request, names: list[str]) -> Response:
        """Return a page that lists the accounts as links; with ``login_hint`` redirect to the app at once."""
        query = request.query_params
        redirect_uri = query.get("redirect_uri", "")
        if not query.get("client_id"):
            raise AccountsError("invalid_client", "INVALID_CLIENT: client_id is missing")
        if not is_safe_redirect(redirect_uri):
            raise AccountsError("invalid_request", "INVALID_CLIENT: Insecure redirect URI")
        if query.get("response_type") != "code":
            raise AccountsError("unsupported_response_type", "response_type must be code")
        if query.get("code_challenge") and query.get("code_challenge_method") != "S256":
            raise AccountsError("invalid_request", "code_challenge_method must be S256")
        name = query.get("login_hint")
        if name is None:
            return _render_account_choice(request, names)
        state_parameters = {"state": query["state"]} if "state" in query else {}
        parameters = {"code": self._issue_code(request, name)} if name in names else {"error": "access_denied"}
        return RedirectResponse(
            f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{urlencode(parameters | state_parameters)}", 302
        )

    def issue_tokens(self, request: Request, form: dict[str, str], must_renew_refresh: bool | None) -> Response:
        """Return tokens for a code, for a refresh token or for the app itself.

        :param must_renew_refresh: whether a refresh issues a new refresh token; None: with PKCE only, as Spotify does.
        """
        client_id, has_secret = self._authenticate_client(request, form)
        grant = form.get("grant_type")
        if grant == "authorization_code":
            code = self._validate_code(form, client_id, has_secret)
            return self._respond_with_tokens(code, self._issue_refresh_token(code))
        if grant == "refresh_token":
            refresh = self._tokens.verify_token(form.get("refresh_token", ""), "refresh")
            if refresh is None or not hmac.compare_digest(refresh.client_id.encode(), client_id.encode()):
                raise AccountsError("invalid_grant", "Invalid refresh token")
            if self._tokens.is_expired(refresh):
                raise AccountsError("invalid_grant", "Refresh token expired")
            is_new = not has_secret if must_renew_refresh is None else must_renew_refresh
            return self._respond_with_tokens(refresh, self._issue_refresh_token(refresh) if is_new else None)
        if grant == "client_credentials":
            if not has_secret:
                raise AccountsError("invalid_client", "Invalid client secret")
            now = self._tokens.clock()
            return self._respond_with_tokens(Token("code", client_id, "", "", now, now), None)
        raise AccountsError("unsupported_grant_type", "grant_type parameter is missing or unknown")

    def _authenticate_client(self, request: Request, form: dict[str, str]) -> tuple[str, bool]:
        """Return the client's id, and whether the request contains its secret."""
        client_id, secret = form.get("client_id", ""), form.get("client_secret")
        scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                client_id, _, secret = base64.b64decode(credentials, validate=True).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                raise AccountsError("invalid_client", "Invalid client") from None
        if not client_id:
            raise AccountsError("invalid_client", "Invalid client")
        if secret is not None and not hmac.compare_digest(secret.encode(), self._scenario.client_secret.encode()):
            raise AccountsError("invalid_client", "Invalid client secret")
        return client_id, secret is not None

    def _issue_code(self, request: Request, name: str) -> str:
        query, now = request.query_params, self._tokens.clock()
        authorised_at = now - self._scenario.authorised_days_ago.get(name, 0) * _DAY_SECONDS
        bound_to = f"{query.get('redirect_uri', '')} {query.get('code_challenge', '')}"
        token = Token(
            *("code", query["client_id"], name, query.get("scope", ""), authorised_at, now + _CODE_LIFETIME_SECONDS),
            *(bound_to, make_token_id()),
        )
        return self._tokens.sign_token(token)

    def _validate_code(self, form: dict[str, str], client_id: str, has_secret: bool) -> Token:
        code = self._tokens.verify_token(form.get("code", ""), "code")
        if code is None or code.client_id != client_id or code.number in self._used_codes:
            raise AccountsError("invalid_grant", "Invalid authorization code")
        if self._tokens.is_expired(code):
            raise AccountsError("invalid_grant", "Authorization code expired")
        redirect_uri, _, challenge = code.bound_to.partition(" ")
        if form.get("redirect_uri") != redirect_uri:
            raise AccountsError("invalid_grant", "Invalid redirect URI")
        if challenge and not hmac.compare_digest(_compute_challenge(form.get("code_verifier", "")), challenge.encode()):
            raise AccountsError("invalid_grant", "code_verifier was incorrect")
        if not challenge and not has_secret:
            raise AccountsError("invalid_client", "Invalid client secret")
        self._used_codes.add(code.number)
        return code

    def _issue_refresh_token(self, source_token: Token) -> str:
        expires_at = compute_refresh_expiry(source_token.authorised_at)
        return self._tokens.sign_token(
            Token(
                "refresh",
                source_token.client_id,
                source_token.account,
                source_token.scope,
                source_token.authorised_at,
                expires_at,
                "",
                make_token_id(),
            )
        )

    def _respond_with_tokens(self, source_token: Token, refresh_token: str | None) -> Response:
        seconds = self._scenario.access_token_seconds
        expires_at = self._tokens.clock() + seconds
        access = Token(
            "access",
            source_token.client_id,
            source_token.account,
            source_token.scope,
            source_token.authorised_at,
            expires_at,
            "",
            make_token_id(),
        )
        body = {"access_token": self._tokens.sign_token(access), "token_type": "Bearer", "expires_in": seconds}
        if source_token.account:
            body["scope"] = source_token.scope
        if refresh_token is not None:
            body["refresh_token"] = refresh_token
        return JSONResponse(body, headers={"Cache-Control": "no-store"})


def is_safe_redirect(redirect_uri: str) -> bool:
    """Return whether a redirect URI is https or names a loopback address; ``localhost`` is a name, not an address."""
    url = urlsplit(redirect_uri)
    if url.scheme == "https":
        return bool(url.hostname) and url.hostname != "localhost"
    try:
        return url.scheme == "http" and ip_address(url.hostname or "").is_loopback
    except ValueError:
        return False


def _compute_challenge(verifier: str) -> bytes:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")


def _render_account_choice(request: Request, names: list[str]) -> Response:
    links = "".join(
        f'<li><a href="{escape(str(request.url.include_query_params(login_hint=name)))}">{escape(name)}</a></li>'
        for name in names
    )
    return HTMLResponse(
        "<!doctype html><title>Mock Spotify API</title><h1>Mock Spotify API</h1>"
        "<p>This is not Spotify: the accounts below and all their data are synthetic. Sign in as</p>"
        f"<ul>{links}</ul>"
    )
