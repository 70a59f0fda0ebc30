"""From a person's yes to a stored account: by a browser, by a pasted address, or unattended at a stand-in."""

from collections.abc import Callable, Mapping

import requests

from etl.errors import ActionNeededError, TryAgainError
from etl.extract.spotify.accounts import Account, Accounts, Token, check_name, name_from_id
from etl.extract.spotify.api import Api
from etl.extract.spotify.app import App, check_redirect_uri
from etl.extract.spotify.caller import Caller, Clock, utc_now
from etl.extract.spotify.exchange import Limits
from etl.extract.spotify.oauth import Flow


def sign_in(
    app: App,
    accounts: Accounts,
    name: str | None,
    is_pasting: bool,
    say: Callable[[str], None],
    clock: Clock = utc_now,
) -> Account:
    """Ask a person on Spotify's page, and store the account.

    :param name: what to call the account; None takes the name under which it is stored, else Spotify's id.
    :param is_pasting: read the address that the browser was led to from the terminal, instead of waiting for it.
    :param say: shows a line to the person.
    :raises ActionNeededError: where something stands in the way; nothing is stored then.
    :raises TryAgainError: where Spotify does not answer.
    """
    if name is not None:
        check_name(name)
    check_redirect_uri(app.redirect_uri, is_pasting)
    caller = Caller(Limits(), clock)
    flow = Flow(app, caller)
    if not is_pasting:
        say(f"Say yes on Spotify's page; where no browser shows it, open it yourself:\n{flow.page()}")
    return _store(app, accounts, name, flow.redeem(flow.code_from_person(is_pasting)), clock)


def sign_in_unattended(app: App, name: str, accounts: Accounts, clock: Clock = utc_now) -> Account:
    """Sign in at a stand-in, which asks nobody, as its account ``name``.

    :raises ActionNeededError: where the stand-in refuses.
    :raises TryAgainError: where it does not answer.
    """
    check_name(name)
    check_redirect_uri(app.redirect_uri, is_pasting=True)
    caller = Caller(Limits(), clock)
    flow = Flow(app, caller, {"login_hint": name})
    try:
        answer = caller.session.get(flow.page(), allow_redirects=False)
    except requests.RequestException:
        raise TryAgainError(f"{app.accounts_url} cannot be reached.") from None
    if not answer.is_redirect:
        raise ActionNeededError(
            f"{app.accounts_url} does not lead back ({answer.status_code}): only a stand-in signs in unattended."
        )
    return _store(app, accounts, name, flow.redeem(flow.code_from_redirect(answer.headers["Location"])), clock)


def _store(app: App, accounts: Accounts, name: str | None, token: Token, clock: Clock) -> Account:
    now = clock()
    profile = _profile(app, accounts, Account(name or "new", "", "", token, now), clock)
    user_id = str(profile["id"])
    account_id = str(profile.get("account_id") or user_id)
    stored = {other: accounts.get(other).account_id for other in accounts.names() if _is_readable(accounts, other)}
    name_of_this = next((other for other, id_ in stored.items() if id_ == account_id), None)
    chosen = name or name_of_this or name_from_id(user_id)
    if name_of_this not in (None, chosen):
        raise ActionNeededError(
            f"This Spotify account is stored as {name_of_this}: to renew it run bin/sign-in {name_of_this}; to sign in "
            "with another one, choose it on Spotify's page (Not you?)."
        )
    if stored.get(chosen, account_id) != account_id:
        raise ActionNeededError(f"{chosen} is the name of another Spotify account here: run bin/sign-in ANOTHER_NAME.")
    account = Account(chosen, account_id, user_id, token, now)
    accounts.keep(account)
    return account


def _profile(app: App, accounts: Accounts, account: Account, clock: Clock) -> Mapping[str, object]:
    answer = Api(app, account, accounts, clock=clock).me()
    if not answer.is_good():
        raise ActionNeededError(
            f"Spotify does not show the profile ({answer.status}): in development mode the app's dashboard must list "
            "the person among its users."
        )
    profile: Mapping[str, object] = answer.body
    return profile


def _is_readable(accounts: Accounts, name: str) -> bool:
    try:
        accounts.get(name)
    except ActionNeededError:
        return False
    return True
