"""The app registered with Spotify: its client id and its addresses."""

import ipaddress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from etl.errors import ActionNeededError
from etl.settings import Settings

SCOPES = (
    "playlist-read-private",
    "playlist-read-collaborative",
    "user-library-read",
    "user-follow-read",
    "user-read-recently-played",
    "user-read-private",
)
"""What a user allows the app to read; the app never writes to Spotify."""

_REDIRECT_HINT = (
    "SPOTIPY_REDIRECT_URI must be the address that the app's dashboard lists, http://127.0.0.1:8888/callback"
)


@dataclass(frozen=True)
class App:
    """One client id. Without a secret, accounts sign in by PKCE. A mock API has synthetic ids."""

    client_id: str
    client_secret: str | None = field(repr=False)
    redirect_uri: str
    api_url: str
    accounts_url: str
    is_mock_api: bool = False


def get_app(settings: Settings) -> App:
    """Return the app in the settings.

    :raises ActionNeededError: if no client id is set, or an address is not valid.
    """
    if not settings.spotify_client_id:
        raise ActionNeededError(
            "SPOTIPY_CLIENT_ID is not set: docs/spotify.md says in five steps where the client id comes from."
        )
    for name, url in (
        ("SPOTIFY_API_URL", settings.spotify_api_url),
        ("SPOTIFY_ACCOUNTS_URL", settings.spotify_accounts_url),
    ):
        if not url.startswith(("http://", "https://")):
            raise ActionNeededError(f"{name} must be an address such as https://api.spotify.com/v1/, not {url!r}.")
    return App(
        client_id=settings.spotify_client_id,
        client_secret=settings.spotify_client_secret,
        redirect_uri=settings.spotify_redirect_uri,
        api_url=settings.spotify_api_url.rstrip("/") + "/",
        accounts_url=settings.spotify_accounts_url.rstrip("/"),
        is_mock_api=settings.is_mock_api,
    )


def check_redirect_uri(uri: str, is_pasting: bool) -> None:
    """Reject an address that Spotify would reject, or that this machine cannot listen on.

    :param is_pasting: whether the user pastes the address that the browser was redirected to.
    :raises ActionNeededError: with a message that says what to set.
    """
    url = urlsplit(uri)
    host = url.hostname or ""
    if host == "localhost":
        raise ActionNeededError(f"Spotify rejects redirects to localhost by name. {_REDIRECT_HINT}, for example.")
    if url.scheme not in ("http", "https") or (url.scheme == "http" and not _is_loopback(host)):
        raise ActionNeededError(f"{_REDIRECT_HINT}, for example: https, or http on a loopback address, not {uri}.")
    if not is_pasting and (url.scheme != "http" or host != "127.0.0.1" or url.port is None):
        raise ActionNeededError(
            f"This machine cannot listen on {uri}: {_REDIRECT_HINT}, for example, with a port; or use bin/sign-in "
            "--paste."
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
