"""Every fault of the mock API, in both modes: the lake is the same as without it, or the error names a remedy."""

from dataclasses import replace
from pathlib import Path

import pytest

from etl.errors import EtlError, MustSignInError, RateLimitedError, TryAgainError
from etl.extract.spotify.fetch_result import DONE, FetchResult
from etl.extract.spotify.sync_state import SyncState
from simulator.mock_api.scenario import COMMON_FAULTS, RECOVERABLE_FAULTS
from tests.extract.spotify.simulated_days import Line, MockSite, get_now, get_sync_state, open_mock_site, read_lines

STILL = "has_usual_changes = false\npopularity_drift = 0\n"
MODES = pytest.mark.parametrize("mode", ["development", "extended"])


def read_content(fetched: FetchResult) -> list[Line]:
    """Return the content of a fetch without its timestamps."""
    return [
        {name: line[name] for name in ("endpoint", "path", "status", "query")}
        | {"snapshot_id": line.get("snapshot_id"), "items": line["body"].get("items")}
        for line in read_lines(fetched.received)
    ]


@MODES
@pytest.mark.parametrize("kind", [*COMMON_FAULTS, "expired_token"])
def test_a_fault_that_passes_leaves_no_trace(stock: Path, tmp_path: Path, mode: str, kind: str) -> None:
    fault = f'night = 1\nkind = "{kind}"\nnth = 3\ncount = 2\nseconds = 0.3\n'
    scenario = f'{STILL}[[fault]]\nendpoint = "playlist_items"\n{fault}[[fault]]\nendpoint = "my_playlists"\n{fault}'
    with open_mock_site(stock, tmp_path / "place", mode, scenario.replace("nth = 3", "nth = 1", 1)) as here:
        whole = here.fetch(SyncState(), "whole")
        here.night(1)
        try:
            fetched = here.fetch(SyncState(), "run")
        except TryAgainError:
            # A token that is rejected right after it was issued ends the try, not the run.
            assert kind == "expired_token"
            fetched = here.fetch(SyncState(), "run")
        assert fetched.state == DONE and read_content(fetched) == read_content(whole)
        assert fetched.playlists_rejected == 0 and sum(here.slept) <= 120


@MODES
@pytest.mark.parametrize("kind", COMMON_FAULTS)
def test_a_fault_of_the_accounts_service_that_passes_leaves_no_trace(
    stock: Path, tmp_path: Path, mode: str, kind: str
) -> None:
    fault = f'kind = "{kind}"\nendpoint = "token"\nnth = 1\ncount = 2\nnight = 1\nseconds = 0.3\n'
    with open_mock_site(stock, tmp_path / "place", mode, f"{STILL}[[fault]]\n{fault}") as here:
        ada = here.account("ada")
        expire_token(here)
        here.night(1)
        assert here.fetch(SyncState(), "run").state == DONE
        after = here.accounts.get_account("ada")
        assert after.token.access_token != ada.token.access_token and after.trouble is None


@MODES
@pytest.mark.parametrize("kind", ["new_refresh_token", "no_new_refresh_token"])
def test_a_refresh_token_is_kept_where_no_new_one_comes(stock: Path, tmp_path: Path, mode: str, kind: str) -> None:
    with open_mock_site(stock, tmp_path / "place", mode, f'[[fault]]\nkind = "{kind}"\nendpoint = "token"\n') as here:
        before = here.account("ada").token
        for _ in range(3):
            expire_token(here)
            assert here.api().fetch_profile().is_success()
        after = here.accounts.get_account("ada").token
        assert (after.refresh_token == before.refresh_token) is (kind == "no_new_refresh_token")


@MODES
def test_an_invalid_grant_is_no_loss(stock: Path, tmp_path: Path, mode: str) -> None:
    fault = 'kind = "invalid_grant"\nendpoint = "token"\nnth = 1\nnight = 1\naccount = "ada"\n'
    with open_mock_site(stock, tmp_path / "place", mode, f"{STILL}[[fault]]\n{fault}") as here:
        before = here.account("ada").token
        expire_token(here)
        here.night(1)
        with pytest.raises(MustSignInError, match=r"Run bin/sign-in ada\."):
            here.fetch(SyncState(), "run")
        assert here.accounts.get_account("ada").token.refresh_token == before.refresh_token
        assert here.accounts.get_account("ada").trouble is not None
        assert here.fetch(SyncState(), "run").state == DONE and here.accounts.get_account("ada").trouble is None


@MODES
def test_many_faults_over_many_nights_end_in_the_same_knowledge(stock: Path, tmp_path: Path, mode: str) -> None:
    changes = "first_day = 2026-11-01\n"
    rate = f"{changes}[faults]\nrate = 0.2\nseed = 3\nseconds = 0\nkinds = {list(RECOVERABLE_FAULTS)}\n"
    known = []
    for folder, scenario in (("without", changes), ("with", rate)):
        with open_mock_site(stock, tmp_path / folder, mode, scenario) as here:
            here.night(0)
            here.account("ada")
            knowledge, tries = SyncState(), 0
            for day in range(8):
                here.night(day)
                expire_token(here)
                while True:
                    tries += 1
                    here.slept.clear()
                    try:
                        fetched = here.fetch(knowledge, f"run {day}")
                        break
                    except TryAgainError as error:
                        assert not isinstance(error, RateLimitedError) or sum(here.slept) > 90
                    finally:
                        assert sum(here.slept) <= 120 + 7 * tries * 20
                    assert tries < 40
                knowledge = get_sync_state(fetched)
            known.append(knowledge)
    without, with_faults = known
    assert without.snapshots == with_faults.snapshots
    assert (without.saved_total, without.saved_newest_at) == (with_faults.saved_total, with_faults.saved_newest_at)
    assert without.followed_ids == with_faults.followed_ids


@MODES
def test_no_stock_yet_may_pass(tmp_path: Path, stock: Path, mode: str) -> None:
    with open_mock_site(stock, tmp_path / "one", mode) as here:
        account = here.account("ada")
    with open_mock_site(tmp_path / "none.sqlite", tmp_path / "two", mode) as empty:
        empty.accounts.store_account(account)
        with pytest.raises(EtlError) as caught:
            empty.fetch(SyncState(), "run")
        assert isinstance(caught.value, TryAgainError | MustSignInError)


def expire_token(here: MockSite) -> None:
    """Make the stored access token expired."""
    account = here.accounts.get_account("ada")
    here.accounts.store_account(replace(account, token=replace(account.token, expires_at=get_now())))
