"""Secrets appear in no log at any level, no message, no traceback, and no file but the account's own."""

import io
import logging
import traceback
from collections.abc import Iterator
from dataclasses import replace
from http.client import HTTPConnection
from pathlib import Path

import pytest

from etl.errors import EtlError
from etl.extract.spotify.account_fetch import SyncState
from etl.extract.spotify.account_store import AccountStore, Token
from etl.extract.spotify.client import ApiClient
from etl.extract.spotify.sign_in import sign_in_unattended
from tests.extract.spotify.scripted_server import (
    EXPIRED,
    INVALID_GRANT,
    SECRETS,
    SILENCE,
    START,
    TOKEN,
    Clock,
    ScriptedResponse,
    ScriptedServer,
    make_account,
)
from tests.extract.spotify.simulated_days import open_mock_site

ID = "T" * 22
LOGGERS = ("", "spotipy", "spotipy.client", "spotipy.oauth2", "urllib3", "requests", "etl")


@pytest.fixture
def everything_logged() -> Iterator[io.StringIO]:
    """Yield the output of all loggers at DEBUG, as a careless Airflow configuration would write it."""
    assert HTTPConnection.debuglevel == 0
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logging.Formatter("%(name)s %(levelname)s %(message)s %(args)s"))
    before = {name: logging.getLogger(name).level for name in LOGGERS}
    logging.getLogger().addHandler(handler)
    for name in LOGGERS:
        logging.getLogger(name).setLevel(logging.DEBUG)
    yield written
    logging.getLogger().removeHandler(handler)
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


def test_spotipy_alone_would_give_them_away(everything_logged: io.StringIO, server: ScriptedServer) -> None:
    """Check that the leak exists without the protection that the other tests cover."""
    import spotipy.client

    logger = logging.getLogger("spotipy.client")
    filters, logger.filters = logger.filters, []
    try:
        server.says("/v1/me", {"id": "x"})
        careless = spotipy.client.Spotify(auth=SECRETS[0])
        careless.prefix = f"{server.url}/v1/"
        careless.me()
    finally:
        logger.filters = filters
    assert SECRETS[0] in everything_logged.getvalue()


@pytest.mark.parametrize("secret", [None, SECRETS[4]])
@pytest.mark.parametrize(
    "says",
    [
        *(
            ScriptedResponse(body={"id": ID}),
            ScriptedResponse(403, {"error": {"message": SECRETS[2]}}),
            ScriptedResponse(500, SECRETS[2].encode()),
        ),
        *(SILENCE, EXPIRED, ScriptedResponse(400, {"error": SECRETS[2]}), ScriptedResponse(418, SECRETS[2].encode())),
        ScriptedResponse(429, {"error": {"message": SECRETS[2]}}, {"Retry-After": "9999"}),
    ],
)
@pytest.mark.parametrize(
    "token",
    [TOKEN, INVALID_GRANT, ScriptedResponse(400, {"error": SECRETS[1]}), ScriptedResponse(500, SECRETS[1].encode())],
)
def test_no_log_message_or_traceback_has_them(
    everything_logged: io.StringIO,
    server: ScriptedServer,
    tmp_path: Path,
    secret: str | None,
    says: ScriptedResponse,
    token: ScriptedResponse,
) -> None:
    server.says(f"/v1/tracks/{ID}", EXPIRED, says)
    server.says("/v1/me", says)
    server.says("/api/token", token)
    back = ScriptedResponse(302, b"", {"Location": f"http://127.0.0.1:8888/callback?error={SECRETS[0]}"})
    server.says("/authorize", back)
    clock, accounts = Clock(), AccountStore(tmp_path, "client")
    accounts.store_account(make_account(token=Token(SECRETS[0], SECRETS[1], START, "")))
    shown = ""
    for ask in (
        lambda: ApiClient(
            server.app(secret), accounts.get_account("ada"), accounts, clock=clock, sleep=clock.sleep
        ).fetch_track(ID),
        lambda: ApiClient(server.app(SECRETS[4]), None, accounts, clock=clock, sleep=clock.sleep).fetch_track(ID),
        lambda: sign_in_unattended(server.app(secret), "ada", accounts, clock),
    ):
        try:
            ask()
        except EtlError as error:
            shown += f"{error!r} {error} {error.__dict__} {traceback.format_exc()}"
    written = everything_logged.getvalue()
    assert not [secret for secret in SECRETS if secret in shown or secret in written]
    assert not [secret for secret in SECRETS if secret in (accounts.get_account("ada").trouble or "")]
    assert "Authorization" not in written and "Bearer" not in written


@pytest.mark.parametrize("mode", ["development", "extended"])
def test_neither_lake_nor_log_nor_result_has_them(
    everything_logged: io.StringIO, stock: Path, tmp_path: Path, mode: str
) -> None:
    with open_mock_site(stock, tmp_path / "place", mode) as here:
        secrets = []
        for number in range(2):
            token = here.account("ada").token
            secrets += [token.access_token, str(token.refresh_token)]
            here.accounts.store_account(
                replace(here.accounts.get_account("ada"), token=replace(token, expires_at=START))
            )
            fetched = here.fetch(SyncState(), f"run {number}")
        written = everything_logged.getvalue() + repr(fetched) + repr(here.api().__dict__)
        files = [path for path in here.folder.rglob("*") if path.is_file()]
        assert len(files) > 20
        holding = [path.name for path in files if any(secret.encode() in path.read_bytes() for secret in secrets)]
        stored = here.accounts.get_account("ada").token
        assert not [secret for secret in secrets if secret in written] and set(holding) <= {"ada.json"}
        assert stored.access_token not in secrets
