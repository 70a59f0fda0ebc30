"""Sign-ins that are transferred to another machine as an Airflow connection."""

import json
import os
import stat
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from etl.errors import ActionNeededError
from etl.extract.spotify.account_store import Account, AccountStore, Token
from etl.extract.spotify.account_transfer import import_accounts, to_connection_json
from launch import sign_in

NOW = datetime(2026, 11, 21, 3, tzinfo=UTC)
ID = "spotify_abc"
ADA = Account("ada", "1", "ada", Token("secret-access", "secret-refresh", NOW, "all"), NOW)
BEN = replace(ADA, name="ben", account_id="2", user_id="ben")


def extra(*accounts: Account) -> Any:
    """Return the extra of a connection, as a task reads it."""
    return json.loads(json.loads(to_connection_json(ID, "s3cret", accounts))[ID]["extra"])


@pytest.fixture
def accounts(tmp_path: Path) -> AccountStore:
    return AccountStore(tmp_path, "abc")


def test_accounts_arrive_as_they_were(accounts: AccountStore, tmp_path: Path) -> None:
    assert import_accounts(ID, extra(ADA, BEN), accounts) == ["ada", "ben"]
    assert [accounts.get_account(name) for name in accounts.get_names()] == [ADA, BEN]
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "accounts" / "abc").glob("*.json")}
    assert modes == {0o600}
    assert import_accounts(ID, extra(ADA, BEN), accounts) == []


def test_what_was_renewed_here_stays_until_a_later_sign_in_comes(accounts: AccountStore) -> None:
    import_accounts(ID, extra(ADA), accounts)
    renewed = accounts.renew_token(
        "ada", ADA.token, lambda token: replace(token, access_token="newer", refresh_token="newer")
    )
    assert import_accounts(ID, extra(ADA), accounts) == [] and accounts.get_account("ada") == renewed
    later = replace(ADA, authorised_at=NOW + timedelta(days=1))
    assert import_accounts(ID, extra(later), accounts) == ["ada"] and accounts.get_account("ada") == later


def test_a_broken_file_here_is_no_hindrance(accounts: AccountStore, tmp_path: Path) -> None:
    accounts.store_account(ADA)
    (tmp_path / "accounts" / "abc" / "ada.json").write_text("{")
    assert import_accounts(ID, extra(ADA), accounts) == ["ada"] and accounts.get_account("ada") == ADA


def test_a_connection_may_hold_the_secret_alone(accounts: AccountStore) -> None:
    assert import_accounts(ID, {}, accounts) == [] and accounts.get_names() == []


@pytest.mark.parametrize(
    "broken",
    [None, [], {"accounts": []}, {"accounts": {"ada": {"token": "secret-refresh"}}}, {"accounts": {"ada": None}}],
)
def test_what_cannot_be_read_says_so_without_a_secret(accounts: AccountStore, broken: object) -> None:
    with pytest.raises(ActionNeededError, match=r"spotify_abc .* bin/sign-in --connection") as caught:
        import_accounts(ID, broken, accounts)
    assert "secret" not in str(caught.value) and caught.value.__cause__ is None and accounts.get_names() == []


def test_from_the_shell(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (
        ("SPOTIPY_CLIENT_ID", "abc"),
        ("SPOTIPY_CLIENT_SECRET", "s3cret"),
        ("STATE_DIR", str(tmp_path)),
    ):
        monkeypatch.setenv(name, value)
    AccountStore(tmp_path, "abc").store_account(ADA)
    file = tmp_path / "connection.json"
    assert sign_in.main(["--connection", str(file)]) == 0
    printed = capsys.readouterr()
    assert "airflow connections import" in printed.out + printed.err and "secret-" not in printed.out + printed.err
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text() == to_connection_json(ID, "s3cret", [ADA])
    assert sign_in.main(["--connection", str(file)]) == 1
    assert "does not exist yet" in "".join(capsys.readouterr())


_CASES: dict[str, tuple[dict[str, str], str | None, list[str]]] = {
    "connection": ({}, "s3cret", ["ada"]),
    "own secret": ({"SPOTIPY_CLIENT_SECRET": "own"}, "own", ["ada"]),
    "no connection": ({"AIRFLOW_CONN_SPOTIFY_ABC": ""}, None, []),
    "stand-in": ({"IS_STAND_IN": "true"}, None, []),
}
"""Further variables of a task by case, and the secret and the accounts that it then finds."""
_TASKS = """
import json, os, sys
from dags.common.spotify_settings import load_spotify_settings
for environ in json.load(sys.stdin):
    os.environ.clear()
    os.environ.update(environ)
    chosen = load_spotify_settings()
    print(json.dumps([chosen.spotify_client_secret, sorted(path.stem for path in chosen.state_dir.rglob("*.json"))]))
"""


@pytest.fixture(scope="module")
def tasks(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], str]:
    """Return what a task finds in each case, and the output; in one process, which imports Airflow once."""
    folder = tmp_path_factory.mktemp("tasks")
    connection = json.loads(to_connection_json(ID, "s3cret", [ADA]))[ID]
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "SPOTI", "IS_STAND"))},
        "AIRFLOW_HOME": str(folder / "airflow"),
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
        "AIRFLOW_CONN_SPOTIFY_ABC": json.dumps(connection),
        "SPOTIPY_CLIENT_ID": "abc",
        "WAREHOUSE_URL": "postgresql://nobody@127.0.0.1:1/none",
    }
    environments = [{**environ, "STATE_DIR": str(folder / name), **_CASES[name][0]} for name in _CASES]
    command = [sys.executable, "-c", _TASKS]
    done = subprocess.run(
        command, env=environ, input=json.dumps(environments), capture_output=True, text=True, check=True
    )
    lines = done.stdout.strip().splitlines()[-len(_CASES) :]
    return dict(zip(_CASES, map(json.loads, lines), strict=True)), done.stdout + done.stderr


@pytest.mark.parametrize("case", _CASES)
def test_a_task_takes_what_the_connection_has(tasks: tuple[dict[str, Any], str], case: str) -> None:
    results, output = tasks
    _, secret, names = _CASES[case]
    assert results[case] == [secret, names]
    assert "secret-" not in output
