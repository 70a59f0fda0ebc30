"""Stored accounts: private, complete, safe between processes, never lost by a failure."""

import json
import multiprocessing
import resource
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from etl.errors import ActionNeededError, MustSignInError, TryAgainError
from etl.extract.spotify.account_store import AccountStore, Token, build_sign_in_warning, count_days_left, derive_name
from tests.extract.spotify.scripted_server import SECRETS, START, make_account


@pytest.fixture
def accounts(tmp_path: Path) -> AccountStore:
    return AccountStore(tmp_path, "client")


def test_an_account_comes_back_as_it_was_stored(accounts: AccountStore) -> None:
    account = make_account(trouble="Sign in again.")
    accounts.store_account(account)
    assert accounts.get_account("ada") == account and accounts.get_names() == ["ada"]


def test_files_and_folders_are_their_owners_alone(accounts: AccountStore, tmp_path: Path) -> None:
    (tmp_path / "accounts").mkdir(mode=0o755)
    accounts.store_account(make_account())
    places = [tmp_path / "accounts", tmp_path / "accounts" / "client", *(tmp_path / "accounts" / "client").iterdir()]
    assert {path.name: oct(path.stat().st_mode & 0o777) for path in places} == {
        "accounts": "0o700",
        "client": "0o700",
        "ada.json": "0o600",
        "ada.lock": "0o600",
    }


@pytest.mark.parametrize("name", ["", "..", "a/b", "a\\b", ".hidden", "-option", "a b", "ä", "x" * 65, "a\n", "a.json"])
def test_names_that_are_not_fit_for_a_file_are_refused(accounts: AccountStore, name: str) -> None:
    with pytest.raises(ActionNeededError, match="is no name for an account"):
        accounts.get_account(name)


@pytest.mark.parametrize("client_id", ["", "..", "../other", "a/b"])
def test_a_client_id_that_is_no_folder_is_refused(tmp_path: Path, client_id: str) -> None:
    with pytest.raises(ActionNeededError, match="SPOTIPY_CLIENT_ID must be letters and digits"):
        AccountStore(tmp_path, client_id)


@pytest.mark.parametrize(("user_id", "name"), [("31abc", "31abc"), ("jørgen.b", "j-rgen-b"), ("音楽", "account")])
def test_an_id_gives_a_name(user_id: str, name: str) -> None:
    assert derive_name(user_id) == name


def test_an_account_that_is_not_there_says_who_must_do_what(accounts: AccountStore) -> None:
    with pytest.raises(MustSignInError, match=r"run bin/sign-in ada\.") as caught:
        accounts.get_account("ada")
    assert caught.value.account == "ada"


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"token": null}'])
def test_a_broken_file_is_said_and_left(accounts: AccountStore, tmp_path: Path, content: str) -> None:
    accounts.store_account(make_account())
    path = tmp_path / "accounts" / "client" / "ada.json"
    path.write_text(content)
    with pytest.raises(MustSignInError, match=r"ada\.json cannot be read"):
        accounts.get_account("ada")
    assert path.read_text() == content


def test_six_months_are_counted_from_the_sign_in(accounts: AccountStore) -> None:
    account = make_account()
    assert count_days_left(account, START) == 180
    assert count_days_left(account, START + timedelta(days=500)) == 0
    assert build_sign_in_warning(account, START + timedelta(days=165)) is None
    assert build_sign_in_warning(account, START + timedelta(days=170)) == (
        "The sign-in of the account ada runs out in 10 days: run bin/sign-in ada."
    )
    accounts.store_account(account)
    assert accounts.renew_token("ada", account.token, lambda _: make_token("new")).authorised_at == START


def test_a_failed_refresh_leaves_everything_stored(accounts: AccountStore) -> None:
    account = make_account()
    accounts.store_account(account)

    def fail(_: Token) -> Token:
        raise TryAgainError("The network is away.")

    with pytest.raises(TryAgainError):
        accounts.renew_token("ada", account.token, fail)
    assert accounts.get_account("ada") == account


def test_a_token_that_could_not_be_kept_is_not_asked_for(accounts: AccountStore, tmp_path: Path) -> None:
    account, asked = make_account(), []
    accounts.store_account(account)

    def refresh(token: Token) -> Token:
        asked.append(token)
        return replace(token, access_token="new")

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))  # writes fail, as on a full disk
    try:
        with pytest.raises(OSError):
            accounts.renew_token("ada", account.token, refresh)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not asked and accounts.get_account("ada") == account
    assert accounts.renew_token("ada", account.token, refresh).token.access_token == "new"
    assert not list(tmp_path.rglob("*.part"))


def test_trouble_is_noted_without_the_token_being_lost_and_goes_with_a_refresh(accounts: AccountStore) -> None:
    account = make_account()
    accounts.store_account(account)
    accounts.mark_sign_in_failed("ada", account.token, "Sign in again.")
    assert accounts.get_account("ada") == replace(account, trouble="Sign in again.")
    assert accounts.renew_token("ada", account.token, lambda _: make_token("new")).trouble is None


def test_trouble_of_an_old_token_says_nothing_about_a_new_sign_in(accounts: AccountStore) -> None:
    accounts.store_account(make_account(token=make_token("signed in meanwhile")))
    accounts.mark_sign_in_failed("ada", make_account().token, "Sign in again.")
    assert accounts.get_account("ada").trouble is None


def test_a_draft_of_a_killed_process_is_no_hindrance(accounts: AccountStore, tmp_path: Path) -> None:
    accounts.store_account(make_account())
    (tmp_path / "accounts" / "client" / "ada.part").write_text("{")
    accounts.store_account(make_account(trouble="x"))
    assert accounts.get_account("ada").trouble == "x" and accounts.get_names() == ["ada"]


def test_processes_at_once_use_each_refresh_token_once(accounts: AccountStore, tmp_path: Path) -> None:
    accounts.store_account(make_account())
    stale = make_account().token
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_renew_often, args=(tmp_path, number, stale)) for number in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * 4
    used = sorted((tmp_path / "used").iterdir())
    # Only the first of the processes with the same stale token requested a new one; each later renewal used the newest.
    assert len({path.read_text() for path in used}) == len(used)


def _renew_often(folder: Path, number: int, stale: Token) -> None:
    mine = AccountStore(folder, "client")
    used = folder / "used"
    used.mkdir(exist_ok=True)
    token = stale
    for step in range(25):

        def refresh(old: Token, step: int = step) -> Token:
            (used / f"{number}-{step}").write_text(str(old.refresh_token))
            return make_token(f"{number}-{step}")

        token = mine.renew_token("ada", token, refresh).token


def make_token(word: str) -> Token:
    return Token(f"access {word}", f"refresh {word}", START + timedelta(hours=2), "")


def test_tokens_show_nowhere(accounts: AccountStore, tmp_path: Path) -> None:
    account = make_account()
    accounts.store_account(account)
    path = tmp_path / "accounts" / "client" / "ada.json"
    assert SECRETS[0] in path.read_text()
    assert not [secret for secret in SECRETS if secret in f"{account!r} {account} {account.token!r}"]
    path.write_text(json.dumps({"token": SECRETS[0]}))
    with pytest.raises(MustSignInError) as caught:
        accounts.get_account("ada")
    assert SECRETS[0] not in str(caught.value) and caught.value.__suppress_context__
