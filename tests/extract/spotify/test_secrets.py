"""Secrets appear in no log at any level, no message, no traceback, no file but the account's own."""

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
from tests.extract.spotify.nights import place
from tests.extract.spotify.server import (
    EXPIRED,
    INVALID_GRANT,
    SECRETS,
    SILENCE,
    START,
    TOKEN,
    Clock,
    Says,
    ScriptedServer,
    an_account,
)

ID = "T" * 22
LOGGERS = ("", "spotipy", "spotipy.client", "spotipy.oauth2", "urllib3", "requests", "etl")


@pytest.fixture
def everything_logged() -> Iterator[io.StringIO]:
    """All that any logger says at DEBUG, as a careless setting of Airflow's would have it."""
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
    """What the rest of this file guards against is there to be guarded against."""
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
        *(Says(body={"id": ID}), Says(403, {"error": {"message": SECRETS[2]}}), Says(500, SECRETS[2].encode())),
        *(SILENCE, EXPIRED, Says(400, {"error": SECRETS[2]}), Says(418, SECRETS[2].encode())),
        Says(429, {"error": {"message": SECRETS[2]}}, {"Retry-After": "9999"}),
    ],
)
@pytest.mark.parametrize(
    "token", [TOKEN, INVALID_GRANT, Says(400, {"error": SECRETS[1]}), Says(500, SECRETS[1].encode())]
)
def test_no_log_message_or_traceback_has_them(
    everything_logged: io.StringIO, server: ScriptedServer, tmp_path: Path, secret: str | None, says: Says, token: Says
) -> None:
    server.says(f"/v1/tracks/{ID}", EXPIRED, says)
    server.says("/v1/me", says)
    server.says("/api/token", token)
    back = Says(302, b"", {"Location": f"http://127.0.0.1:8888/callback?error={SECRETS[0]}"})
    server.says("/authorize", back)
    clock, accounts = Clock(), AccountStore(tmp_path, "client")
    accounts.store_account(an_account(token=Token(SECRETS[0], SECRETS[1], START, "")))
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
    assert not [one for one in SECRETS if one in shown or one in written]
    assert not [one for one in SECRETS if one in (accounts.get_account("ada").trouble or "")]
    assert "Authorization" not in written and "Bearer" not in written


@pytest.mark.parametrize("mode", ["development", "extended"])
def test_neither_lake_nor_log_nor_result_has_them(
    everything_logged: io.StringIO, stock: Path, tmp_path: Path, mode: str
) -> None:
    with place(stock, tmp_path / "place", mode) as here:
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
        holding = [path.name for path in files if any(one.encode() in path.read_bytes() for one in secrets)]
        stored = here.accounts.get_account("ada").token
        assert not [one for one in secrets if one in written] and set(holding) <= {"ada.json"}
        assert stored.access_token not in secrets
