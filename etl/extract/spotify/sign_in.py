"""From a user's consent to a stored account: by a browser, by a pasted address, or unattended at a mock API."""

from collections.abc import Callable, Mapping

import requests

from etl.errors import ActionNeededError, TryAgainError
from etl.extract.spotify.account_store import Account, AccountStore, Token, check_name, derive_name
from etl.extract.spotify.app import App, check_redirect_uri
from etl.extract.spotify.client import ApiClient
from etl.extract.spotify.http_client import Clock, HttpClient, get_utc_now
from etl.extract.spotify.http_session import HttpLimits
from etl.extract.spotify.oauth import SignInFlow


def sign_in(
    app: App,
    accounts: AccountStore,
    name: str | None,
    is_pasting: bool,
    show: Callable[[str], None],
    clock: Clock = get_utc_now,
) -> Account:
    """Ask the user for consent on Spotify's page, and store the account.

    :param name: of the account; None takes the name under which it is stored, else Spotify's id.
    :param is_pasting: read the address that the browser was redirected to from the terminal, instead of listening.
    :param show: shows a line to the user.
    :raises ActionNeededError: if the user must act first; nothing is stored.
    :raises TryAgainError: if Spotify does not respond.
    """
    if name is not None:
        check_name(name)
    check_redirect_uri(app.redirect_uri, is_pasting)
    http_client = HttpClient(HttpLimits(), clock)
    flow = SignInFlow(app, http_client)
    if not is_pasting:
        show(f"Say yes on Spotify's page; where no browser shows it, open it yourself:\n{flow.get_authorize_url()}")
    return _store_account(app, accounts, name, flow.redeem_code(flow.request_code(is_pasting)), clock)


def sign_in_unattended(app: App, name: str, accounts: AccountStore, clock: Clock = get_utc_now) -> Account:
    """Sign in to a mock API, which needs no consent, as its account ``name``.

    :raises ActionNeededError: if the mock API denies it.
    :raises TryAgainError: if it does not respond.
    """
    check_name(name)
    check_redirect_uri(app.redirect_uri, is_pasting=True)
    http_client = HttpClient(HttpLimits(), clock)
    flow = SignInFlow(app, http_client, {"login_hint": name})
    try:
        response = http_client.session.get(flow.get_authorize_url(), allow_redirects=False)
    except requests.RequestException:
        raise TryAgainError(f"{app.accounts_url} cannot be reached.") from None
    if not response.is_redirect:
        raise ActionNeededError(
            f"{app.accounts_url} does not lead back ({response.status_code}): only a stand-in signs in unattended."
        )
    return _store_account(
        app, accounts, name, flow.redeem_code(flow.parse_redirect(response.headers["Location"])), clock
    )


def _store_account(app: App, accounts: AccountStore, name: str | None, token: Token, clock: Clock) -> Account:
    now = clock()
    profile = _fetch_profile(app, accounts, Account(name or "new", "", "", token, now), clock)
    user_id = str(profile["id"])
    account_id = str(profile.get("account_id") or user_id)
    account_ids = {
        account_name: accounts.get_account(account_name).account_id
        for account_name in accounts.get_names()
        if _is_readable(accounts, account_name)
    }
    existing_name = next((account_name for account_name, id_ in account_ids.items() if id_ == account_id), None)
    chosen_name = name or existing_name or derive_name(user_id)
    if existing_name not in (None, chosen_name):
        raise ActionNeededError(
            f"This Spotify account is stored as {existing_name}: to renew it run bin/sign-in {existing_name}; to sign "
            "in with another one, choose it on Spotify's page (Not you?)."
        )
    if account_ids.get(chosen_name, account_id) != account_id:
        raise ActionNeededError(
            f"{chosen_name} is the name of another Spotify account here: run bin/sign-in ANOTHER_NAME."
        )
    account = Account(chosen_name, account_id, user_id, token, now)
    accounts.store_account(account)
    return account


def _fetch_profile(app: App, accounts: AccountStore, account: Account, clock: Clock) -> Mapping[str, object]:
    response = ApiClient(app, account, accounts, clock=clock).fetch_profile()
    if not response.is_success():
        raise ActionNeededError(
            f"Spotify does not show the profile ({response.status}): in development mode the app's dashboard must list "
            "the person among its users."
        )
    profile: Mapping[str, object] = response.body
    return profile


def _is_readable(accounts: AccountStore, name: str) -> bool:
    try:
        accounts.get_account(name)
    except ActionNeededError:
        return False
    return True
