"""Sign-ins from consent to a stored account: at a mock API, by a local server, a pasted address and the shell."""

import builtins
import re
import webbrowser
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socket import AF_INET, SOCK_STREAM, socket
from threading import Thread
from typing import Any

import pytest
import requests

from etl.errors import ActionNeededError, TryAgainError
from etl.extract.spotify.account_store import AccountStore
from etl.extract.spotify.app import SCOPES, App, check_redirect_uri, get_app
from etl.extract.spotify.client import ApiClient
from etl.extract.spotify.sign_in import sign_in, sign_in_unattended
from etl.settings import read_settings
from launch import sign_in as from_shell
from tests.extract.spotify.scripted_server import (
    INVALID_GRANT,
    TOKEN,
    ScriptedResponse,
    ScriptedServer,
    run_scripted_server,
)
from tests.extract.spotify.simulated_days import MockSite, open_mock_site
from tests.processes import find_free_port

SECRET = "stand-in-secret"


@pytest.fixture(scope="module")
def shared(stock: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MockSite]:
    with open_mock_site(stock, tmp_path_factory.mktemp("sign-in"), "development") as running:
        yield running


@pytest.fixture
def here(shared: MockSite, tmp_path: Path) -> MockSite:
    place_of_test = MockSite(shared.url, tmp_path)
    place_of_test.app = replace(place_of_test.app, redirect_uri=f"http://127.0.0.1:{find_free_port()}/callback")
    return place_of_test


def make_browser(name: str, change: Callable[[str], str] = lambda address: address) -> Callable[[str], bool]:
    """Return a browser in which a user chooses an account; ``change`` edits the address of the redirect."""

    def browse(page: str) -> bool:
        def choose() -> None:
            back = requests.get(f"{page}&login_hint={name}", allow_redirects=False, timeout=10).headers["Location"]
            requests.get(change(back), timeout=10)

        Thread(target=choose).start()
        return True

    return browse


@pytest.mark.parametrize("secret", [None, SECRET], ids=["pkce", "secret"])
def test_unattended_at_a_stand_in(here: MockSite, secret: str | None) -> None:
    app = replace(here.app, client_secret=secret)
    account = sign_in_unattended(app, "ada", here.accounts)
    assert here.accounts.get_account("ada") == account and account.account_id != account.user_id
    assert set(account.token.scope.split()) == set(SCOPES) and account.token.refresh_token
    assert ApiClient(app, account, here.accounts).fetch_my_playlists().is_success()
    renewed = replace(account, token=replace(account.token, expires_at=datetime.now(UTC)))
    here.accounts.store_account(renewed)
    assert ApiClient(app, renewed, here.accounts).fetch_profile().is_success()
    after = here.accounts.get_account("ada").token
    # As at Spotify: PKCE returns a new refresh token with each refresh, a client secret does not.
    assert (after.refresh_token == account.token.refresh_token) is (secret is not None)


@pytest.mark.parametrize("secret", [None, SECRET], ids=["pkce", "secret"])
def test_a_person_says_yes_in_a_browser(here: MockSite, monkeypatch: pytest.MonkeyPatch, secret: str | None) -> None:
    monkeypatch.setattr(webbrowser, "open", make_browser("ada"))
    printed: list[str] = []
    account = sign_in(replace(here.app, client_secret=secret), here.accounts, None, False, printed.append)
    # Without a given name, the account is named by its Spotify id.
    assert account.name == account.user_id and here.accounts.get_names() == [account.name]
    assert f"{here.url}/authorize?" in printed[0] and "show_dialog=true" in printed[0]


@pytest.mark.parametrize("secret", [None, SECRET], ids=["pkce", "secret"])
def test_a_person_pastes_the_address(
    here: MockSite, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], secret: str | None
) -> None:
    def paste(prompt: str) -> str:
        address = re.search(r"http\S+/authorize\S+", prompt)
        assert address is not None
        response = requests.get(f"{address[0]}&login_hint=ada", allow_redirects=False, timeout=10)
        return str(response.headers["Location"])

    monkeypatch.setattr(builtins, "input", paste)
    app = replace(here.app, client_secret=secret, redirect_uri="https://example.org/callback")
    assert sign_in(app, here.accounts, "mine", True, print).name == "mine"


@pytest.mark.parametrize("secret", [None, SECRET], ids=["pkce", "secret"])
@pytest.mark.parametrize(
    "pasted",
    [
        *("", "hello", "http://127.0.0.1:8888/callback", "http://127.0.0.1:8888/callback?code=x&state=y"),
        *("http://127.0.0.1:8888/callback?code=x", "http://127.0.0.1:8888/callback?error=access_denied"),
    ],
)
def test_a_wrong_address_stores_nothing(
    here: MockSite, monkeypatch: pytest.MonkeyPatch, pasted: str, secret: str | None
) -> None:
    monkeypatch.setattr(builtins, "input", lambda prompt: pasted)
    with pytest.raises(ActionNeededError, match=r"Start bin/sign-in again\."):
        sign_in(replace(here.app, client_secret=secret), here.accounts, "ada", True, print)
    assert here.accounts.get_names() == []


@pytest.mark.parametrize("secret", [None, SECRET], ids=["pkce", "secret"])
@pytest.mark.parametrize("pattern", ["state=[^&]*", "code=[^&]*"])
def test_an_answer_to_another_request_stores_nothing(
    here: MockSite, monkeypatch: pytest.MonkeyPatch, secret: str | None, pattern: str
) -> None:
    monkeypatch.setattr(webbrowser, "open", make_browser("ada", lambda address: re.sub(pattern, "x=y", address)))
    with pytest.raises(ActionNeededError, match=r"Start bin/sign-in again\."):
        sign_in(replace(here.app, client_secret=secret), here.accounts, "ada", False, print)
    assert here.accounts.get_names() == []


def test_a_terminal_that_nobody_types_into_is_said(here: MockSite, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(prompt: str) -> str:
        raise EOFError

    monkeypatch.setattr(builtins, "input", nobody)
    with pytest.raises(ActionNeededError, match="The sign-in brought no code"):
        sign_in(here.app, here.accounts, "ada", True, print)


def test_a_port_that_is_taken_is_said(here: MockSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webbrowser, "open", make_browser("ada"))
    with socket(AF_INET, SOCK_STREAM) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        app = replace(here.app, redirect_uri=f"http://127.0.0.1:{taken.getsockname()[1]}/callback")
        with pytest.raises(ActionNeededError, match=r"Nothing can listen on .* use bin/sign-in --paste"):
            sign_in(app, here.accounts, "ada", False, print)


@pytest.mark.parametrize(
    ("uri", "is_pasting", "sentence"),
    [
        ("http://localhost:8888/callback", False, "Spotify rejects redirects to localhost"),
        ("https://localhost/callback", True, "Spotify rejects redirects to localhost"),
        ("http://example.org/callback", True, "or http on a loopback address"),
        ("ftp://127.0.0.1/callback", True, "or http on a loopback address"),
        ("", True, "or http on a loopback address"),
        ("https://example.org/callback", False, "This machine cannot listen"),
        ("http://127.0.0.1/callback", False, "with a port"),
        ("http://[::1]:8888/callback", False, "This machine cannot listen"),
    ],
)
def test_redirect_uris_that_cannot_work_are_refused(uri: str, is_pasting: bool, sentence: str) -> None:
    with pytest.raises(ActionNeededError, match=sentence):
        check_redirect_uri(uri, is_pasting)


def test_redirect_uris_that_work() -> None:
    check_redirect_uri("http://127.0.0.1:8888/callback", False)
    check_redirect_uri("https://example.org/callback", True)
    check_redirect_uri("http://[::1]:8888/callback", True)


def test_signing_in_again_renews(here: MockSite) -> None:
    first = sign_in_unattended(here.app, "ada", here.accounts)
    old = replace(first, authorised_at=first.authorised_at - timedelta(days=200), trouble="Sign in again.")
    here.accounts.store_account(old)
    second = sign_in_unattended(here.app, "ada", here.accounts)
    assert second.authorised_at > old.authorised_at and here.accounts.get_account("ada").trouble is None


def test_two_names_for_one_account_and_one_name_for_two_are_refused(
    here: MockSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in_unattended(here.app, "ada", here.accounts)
    monkeypatch.setattr(webbrowser, "open", make_browser("ada"))
    with pytest.raises(ActionNeededError, match="is stored as ada"):
        sign_in(here.app, here.accounts, "other", False, print)
    # Without a given name, the stored account is renewed.
    assert sign_in(here.app, here.accounts, None, False, print).name == "ada"
    monkeypatch.setattr(webbrowser, "open", make_browser(get_other_name(here)))
    with pytest.raises(ActionNeededError, match="ada is the name of another Spotify account"):
        sign_in(here.app, here.accounts, "ada", False, print)
    assert here.accounts.get_names() == ["ada"]


def get_other_name(here: MockSite) -> str:
    query = "client_id=x&response_type=code&redirect_uri=http://127.0.0.1:1/"
    page = requests.get(f"{here.url}/authorize?{query}", timeout=10).text
    return next(name for name in re.findall(r">([a-z]+)</a>", page) if name != "ada")


def test_a_server_that_asks_a_person_is_no_stand_in(server: ScriptedServer, tmp_path: Path) -> None:
    server.says("/authorize", ScriptedResponse(body=b"<html>Log in</html>"))
    with pytest.raises(ActionNeededError, match="only a stand-in signs in unattended"):
        sign_in_unattended(server.app(), "ada", AccountStore(tmp_path, "client"))
    with run_scripted_server() as gone:
        pass
    with pytest.raises(TryAgainError, match="cannot be reached"):
        sign_in_unattended(gone.app(), "ada", AccountStore(tmp_path, "client"))


def test_a_refusal_on_the_page_is_said(server: ScriptedServer, tmp_path: Path) -> None:
    back = {"Location": "http://127.0.0.1:8888/callback?error=access_denied"}
    server.says("/authorize", ScriptedResponse(302, b"", back))
    with pytest.raises(ActionNeededError, match="refused on Spotify's page"):
        sign_in_unattended(server.app(), "ada", AccountStore(tmp_path, "client"))


@pytest.mark.parametrize(
    ("token", "profile", "sentence"),
    [
        (INVALID_GRANT, ScriptedResponse(body={"id": "x"}), "takes the code of this sign-in no more"),
        (
            ScriptedResponse(400, {"error": "invalid_client"}),
            ScriptedResponse(body={"id": "x"}),
            "Spotify refuses the app",
        ),
        (TOKEN, ScriptedResponse(403, {"error": {"status": 403}}), "dashboard must list the person"),
    ],
)
def test_refusals_after_the_yes_store_nothing(
    server: ScriptedServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    token: ScriptedResponse,
    profile: ScriptedResponse,
    sentence: str,
) -> None:
    server.says("/api/token", token)
    server.says("/v1/me", profile)

    def paste(prompt: str) -> str:
        state = re.search(r"state=([^&\s]+)", prompt)
        assert state is not None
        return f"http://127.0.0.1:8888/callback?code=c&state={state[1]}"

    monkeypatch.setattr(builtins, "input", paste)
    accounts = AccountStore(tmp_path, "client")
    with pytest.raises(ActionNeededError, match=sentence):
        sign_in(server.app(), accounts, "ada", True, print)
    assert accounts.get_names() == []


def test_an_account_without_an_immutable_id_is_known_by_its_id(
    server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.says("/api/token", TOKEN)
    server.says("/v1/me", {"id": "Jørgen B.", "account_id": None})

    def paste(prompt: str) -> str:
        state = re.search(r"state=([^&\s]+)", prompt)
        return f"http://127.0.0.1:8888/callback?code=c&state={state[1] if state else ''}"

    monkeypatch.setattr(builtins, "input", paste)
    account = sign_in(server.app(), AccountStore(tmp_path, "client"), None, True, print)
    assert (account.name, account.account_id, account.user_id) == ("J-rgen-B", "Jørgen B.", "Jørgen B.")


def _settings(folder: Path, **environ: str) -> dict[str, str]:
    return {"STATE_DIR": str(folder), "WAREHOUSE_URL": "postgresql://unused@127.0.0.1:1/none", **environ}


def test_the_app_is_what_the_settings_name(tmp_path: Path) -> None:
    app = get_app(read_settings(_settings(tmp_path, SPOTIPY_CLIENT_ID="abc", SPOTIFY_API_URL="http://127.0.0.1:1/v1")))
    assert app == App("abc", None, "http://127.0.0.1:8888/callback", "http://127.0.0.1:1/v1/", app.accounts_url)
    with pytest.raises(ActionNeededError, match=r"SPOTIPY_CLIENT_ID is not set: docs/spotify\.md"):
        get_app(read_settings(_settings(tmp_path)))
    with pytest.raises(ActionNeededError, match=r"SPOTIFY_API_URL must be an address"):
        get_app(read_settings(_settings(tmp_path, SPOTIPY_CLIENT_ID="abc", SPOTIFY_API_URL="api.spotify.com")))


@pytest.fixture
def shell(here: MockSite, monkeypatch: pytest.MonkeyPatch) -> MockSite:
    environ: dict[str, Any] = {
        "STATE_DIR": str(here.folder),
        "SPOTIPY_CLIENT_ID": "stand-in",
        "SPOTIPY_REDIRECT_URI": here.app.redirect_uri,
        "SPOTIFY_API_URL": here.app.api_url,
        "SPOTIFY_ACCOUNTS_URL": here.app.accounts_url,
    }
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    for name in ("SPOTIPY_CLIENT_SECRET", "WAREHOUSE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(webbrowser, "open", make_browser("ada"))
    return here


def test_from_the_shell(shell: MockSite, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert from_shell.main(["--list"]) == 0
    assert "No account has signed in yet" in capsys.readouterr().out
    assert from_shell.main(["ada"]) == 0
    assert "Signed in as ada, for 179 days." in capsys.readouterr().out
    ada = shell.accounts.get_account("ada")
    shell.accounts.store_account(replace(ada, name="ole", trouble="Spotify takes the sign-in no more."))
    shell.accounts.store_account(replace(ada, name="pia"))
    shell.accounts.store_account(replace(ada, name="eve", authorised_at=ada.authorised_at - timedelta(days=170)))
    (shell.folder / "accounts" / "stand-in" / "pia.json").write_text("{")
    assert from_shell.main(["--list"]) == 0
    shown = capsys.readouterr().out
    assert re.search(r"ada +179 days +good", shown) and re.search(r"ole +179 days +Spotify takes", shown)
    assert "pia.json cannot be read" in shown and "account eve runs out in 9 days: run bin/sign-in eve." in shown
    assert not [token for token in (ada.token.access_token, ada.token.refresh_token) if str(token) in shown]


def test_from_the_shell_with_something_in_the_way(
    shell: MockSite, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert from_shell.main(["a/b"]) == 1
    assert "is no name for an account" in capsys.readouterr().out
    monkeypatch.setenv("SPOTIPY_REDIRECT_URI", "http://localhost:8888/callback")
    assert from_shell.main(["ada"]) == 1
    assert "rejects redirects to localhost" in capsys.readouterr().out
    monkeypatch.delenv("SPOTIPY_CLIENT_ID")
    assert from_shell.main([]) == 1
    assert "SPOTIPY_CLIENT_ID is not set" in capsys.readouterr().out
