"""Sign-ins and tokens over real HTTP, and the requests that the accounts service rejects."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from simulator.mock_api.accounts_service import is_safe_redirect
from simulator.mock_api.tokens import Token, TokenSigner, compute_refresh_expiry
from tests.simulator.mock_api.small_seed_data import refresh_token, run_mock_api, sign_in

REDIRECT = "http://127.0.0.1:8888/callback"
ASKED = {"client_id": "stand-in", "response_type": "code", "redirect_uri": REDIRECT}


def get_profile(url: str, access_token: str) -> requests.Response:
    return requests.get(f"{url}/v1/me", headers={"Authorization": f"Bearer {access_token}"}, timeout=10)


def encode_basic_auth(client_id: str, secret: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'{client_id}:{secret}'.encode()).decode()}"}


def request_token(url: str, headers: dict[str, str] | None = None, **form: str) -> requests.Response:
    return requests.post(f"{url}/api/token", data=form, headers=headers, timeout=10)


def request_code(url: str, **more: str) -> str:
    response = requests.get(
        f"{url}/authorize", params=ASKED | {"login_hint": "ada"} | more, allow_redirects=False, timeout=10
    )
    return response.headers["location"].split("code=")[1].split("&")[0]


@contextmanager
def run_with_scenario(stock: Path, folder: Path, scenario: str) -> Iterator[str]:
    (folder / "scenario.toml").write_text(scenario, encoding="utf-8")
    with run_mock_api(stock, folder / "state", "--scenario", str(folder / "scenario.toml")) as url:
        yield url


def test_the_page_lists_the_accounts_and_says_that_all_is_made_up(url: str) -> None:
    page = requests.get(f"{url}/authorize", params=ASKED | {"state": 'a"><b'}, timeout=10)
    assert page.status_code == 200 and "login_hint=ada" in page.text and "login_hint=ben" in page.text
    assert "synthetic" in page.text and '"><b' not in page.text.replace("&quot;", '"').replace("%22%3E%3Cb", "")
    back = requests.get(
        f"{url}/authorize", params=ASKED | {"state": "x y", "login_hint": "nobody"}, allow_redirects=False, timeout=10
    )
    assert back.headers["location"] == f"{REDIRECT}?error=access_denied&state=x+y"


@pytest.mark.parametrize(
    ("uri", "is_safe"),
    [
        ("http://127.0.0.1:8888/callback", True),
        ("http://[::1]:8888/callback", True),
        ("https://example.com/callback", True),
        ("http://localhost:8888/callback", False),
        ("https://localhost/callback", False),
        ("http://example.com/callback", False),
        ("http://127.0.0.1.example.com/", False),
        ("javascript:alert(1)", False),
        ("", False),
    ],
)
def test_only_https_and_loopback_addresses_are_redirected_to(url: str, uri: str, is_safe: bool) -> None:
    assert is_safe_redirect(uri) is is_safe
    response = requests.get(
        f"{url}/authorize", params=ASKED | {"redirect_uri": uri, "login_hint": "ada"}, allow_redirects=False, timeout=10
    )
    assert response.status_code == (302 if is_safe else 400)


def test_a_secret_does_in_place_of_pkce(url: str) -> None:
    form = {"grant_type": "authorization_code", "redirect_uri": REDIRECT}
    headers = encode_basic_auth("stand-in", "stand-in-secret")
    first = request_token(url, headers, **form, code=request_code(url))
    assert first.status_code == 200 and get_profile(url, first.json()["access_token"]).json()["id"] == "madeup_ada"
    again = request_token(url, headers, grant_type="refresh_token", refresh_token=first.json()["refresh_token"])
    assert again.status_code == 200 and "refresh_token" not in again.json()
    app = request_token(url, headers, grant_type="client_credentials").json()
    assert "refresh_token" not in app
    assert get_profile(url, app["access_token"]).status_code == 401


def test_what_the_token_endpoint_refuses(url: str) -> None:
    form = {"grant_type": "authorization_code", "redirect_uri": REDIRECT}
    secret = encode_basic_auth("stand-in", "stand-in-secret")
    used = request_code(url)
    assert request_token(url, secret, **form, code=used).status_code == 200
    challenged = request_code(url, code_challenge="c" * 43, code_challenge_method="S256")
    rejections: list[tuple[str, requests.Response]] = [
        ("invalid_grant", request_token(url, secret, **form, code=used)),
        ("invalid_grant", request_token(url, secret, **form, code="nonsense")),
        ("invalid_grant", request_token(url, secret, **form, code=request_code(url, client_id="other"))),
        (
            "invalid_grant",
            request_token(url, secret, **form | {"redirect_uri": "https://other.example"}, code=request_code(url)),
        ),
        ("invalid_grant", request_token(url, **form, client_id="stand-in", code=challenged, code_verifier="wrong")),
        ("invalid_client", request_token(url, **form, client_id="stand-in", code=request_code(url))),
        (
            "invalid_client",
            request_token(url, encode_basic_auth("stand-in", "guessed"), **form, code=request_code(url)),
        ),
        ("invalid_client", request_token(url, grant_type="client_credentials", client_id="stand-in")),
        ("invalid_client", request_token(url, {"Authorization": "Basic %"}, grant_type="client_credentials")),
        ("unsupported_grant_type", request_token(url, client_id="stand-in", grant_type="password")),
        ("invalid_grant", refresh_token(url, {"refresh_token": sign_in(url, "ada")["access_token"]})),
        ("invalid_grant", refresh_token(url, sign_in(url, "ada"), client_id="other")),
    ]
    assert [(error, response.status_code) for error, response in rejections] == [
        (response.json()["error"], 400) for _, response in rejections
    ]


def test_tokens_outlive_a_restart_but_not_their_time(little_stock: Path, tmp_path: Path) -> None:
    with run_with_scenario(little_stock, tmp_path, "access_token_seconds = 3600") as url:
        tokens = sign_in(url, "ada")
        assert tokens["expires_in"] == 3600 and tokens["token_type"] == "Bearer"
    with run_with_scenario(little_stock, tmp_path, "access_token_seconds = 0") as url:
        assert get_profile(url, tokens["access_token"]).status_code == 200
        fresh = refresh_token(url, tokens).json()
        assert "refresh_token" in fresh  # with PKCE each refresh returns a new one
        assert get_profile(url, fresh["access_token"]).json()["error"]["message"] == "The access token expired"
        assert refresh_token(url, fresh).status_code == 200
    (tmp_path / "state" / "token-key").unlink()
    with run_with_scenario(little_stock, tmp_path, "") as url:
        assert get_profile(url, tokens["access_token"]).json()["error"]["message"] == "Invalid access token"
        assert requests.get(f"{url}/v1/me", timeout=10).json()["error"]["message"] == "No token provided"


def test_a_refresh_token_ends_six_months_after_the_authorisation(little_stock: Path, tmp_path: Path) -> None:
    with run_with_scenario(little_stock, tmp_path, "[authorised_days_ago]\nada = 170\nben = 190") as url:
        ada, ben = sign_in(url, "ada"), sign_in(url, "ben")
        assert get_profile(url, ben["access_token"]).status_code == 200
        rejected = refresh_token(url, ben)
        assert rejected.status_code == 400
        assert rejected.json() == {"error": "invalid_grant", "error_description": "Refresh token expired"}
        assert refresh_token(url, ada).status_code == 200


def test_the_clock_decides(tmp_path: Path) -> None:
    start = datetime(2026, 8, 31, 12, tzinfo=UTC).timestamp()
    now = start
    tokens = TokenSigner(tmp_path / "state", lambda: now)
    given: dict[str, Any] = {"client_id": "c", "account": "ada", "scope": "", "authorised_at": start}
    text = tokens.sign_token(Token("refresh", **given, expires_at=compute_refresh_expiry(start)))
    read = tokens.verify_token(text, "refresh")
    assert read is not None and not tokens.is_expired(read)
    now = datetime(2027, 2, 28, 12, tzinfo=UTC).timestamp()  # February has no 31st
    assert tokens.is_expired(read)
    assert tokens.verify_token(text, "access") is None
    assert tokens.verify_token(text[:-1] + ("A" if text[-1] != "A" else "B"), "refresh") is None
    assert tokens.verify_token("é.ü", "refresh") is None
