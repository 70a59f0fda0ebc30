"""The transfer of accounts from one machine to another, as one Airflow connection for each app.

The connection has the name of the app's pool. Its password is the app's secret, its extra contains the accounts. A task
can read connections but cannot write them, while tokens change. The accounts are therefore imported into files, and
later changes are written to these files only.
"""

import json
from collections.abc import Iterable

from etl.errors import ActionNeededError
from etl.extract.spotify.account_store import Account, AccountStore, from_json, to_json

CONNECTION_TYPE = "generic"


def to_connection_json(connection_id: str, secret: str | None, accounts: Iterable[Account]) -> str:
    """Return the JSON that `airflow connections import` reads: one connection, with its secrets."""
    extra = {"accounts": {account.name: json.loads(to_json(account)) for account in accounts}}
    connection = {"conn_type": CONNECTION_TYPE, "password": secret, "extra": json.dumps(extra)}
    return json.dumps({connection_id: connection}, indent=1)


def import_accounts(connection_id: str, extra: object, accounts: AccountStore) -> list[str]:
    """Store the accounts of a connection's extra that are new, or that signed in later than the stored ones.

    :returns: their names.
    :raises ActionNeededError: if an account is not in the form that ``to_connection_json`` writes.
    """
    accounts_by_name = extra.get("accounts", {}) if isinstance(extra, dict) else None
    try:
        exported_accounts = [from_json(json.dumps(account_json)) for account_json in accounts_by_name.values()]  # type: ignore[union-attr]
    except (AttributeError, ValueError, KeyError, TypeError):
        # The message of the error could quote a token.
        raise ActionNeededError(
            f"The accounts in the extra of the Airflow connection {connection_id} cannot be read: write it anew by "
            "bin/sign-in --connection FILE."
        ) from None
    new_accounts = [account for account in exported_accounts if _is_newer(account, accounts)]
    for account in new_accounts:
        accounts.store_account(account)
    return [account.name for account in new_accounts]


def _is_newer(account: Account, accounts: AccountStore) -> bool:
    if account.name not in accounts.get_names():
        return True
    try:
        return accounts.get_account(account.name).authorised_at < account.authorised_at
    except ActionNeededError:
        return True
