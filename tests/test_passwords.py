"""Generated passwords and keys are never parsed as options of a command."""

import ast
import base64
import secrets
from collections.abc import Callable
from pathlib import Path

import pytest

from etl.load.access import logins
from etl.passwords import generate_password
from launch.environment import build_environment, get_web_login
from launch.secrets_store import get_secret

CHECKOUT = Path(__file__).resolve().parents[1]


@pytest.fixture
def draws(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Return a function that sets the first byte of all random bytes drawn afterwards."""

    def set_first_byte(first: int) -> None:
        monkeypatch.setattr(secrets, "token_bytes", lambda size=32: bytes([first]) * size)

    return set_first_byte


@pytest.mark.parametrize("byte_count", [16, 18, 32])
def test_no_password_begins_with_a_hyphen(draws: Callable[[int], None], byte_count: int) -> None:
    passwords = []
    for first in range(256):
        draws(first)
        passwords.append(generate_password(byte_count))
    assert not [password for password in passwords if password.startswith("-")]
    assert len(set(passwords)) == 256, "no draw is lost"
    plain = base64.urlsafe_b64encode(bytes([0xFB]) * byte_count).rstrip(b"=").decode()
    assert plain.startswith("-") and passwords[0xFB] == f"p{plain}"


def test_every_kept_secret_and_password_of_a_login_is_generated_so(
    draws: Callable[[int], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAREHOUSE_URL", "postgresql://loader@127.0.0.1:1/warehouse")
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "postgresql://airflow@127.0.0.1:1/airflow")
    draws(0xFB)
    assert not get_secret(tmp_path, "any").startswith("-")
    environ = build_environment(tmp_path, None)
    assert not get_web_login(tmp_path)[1].startswith("-")
    keys = [environ[name] for name in ("AIRFLOW__API__SECRET_KEY", "AIRFLOW__API_AUTH__JWT_SECRET")]
    assert not [key for key in keys if key.startswith("-")]
    assert logins.generate_password is generate_password


def test_nothing_else_draws_text_that_may_begin_with_a_hyphen() -> None:
    users = {
        path.relative_to(CHECKOUT).as_posix()
        for folder in ("etl", "launch", "docker", "dashboard", "dags")
        for path in (CHECKOUT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == "token_urlsafe"
    }
    assert users == {"etl/passwords.py"}
