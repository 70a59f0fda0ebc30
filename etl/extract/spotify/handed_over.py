"""Sign-ins that are handed over from one machine to another, as one Airflow connection an app.

The connection is named like the app's pool. Its password is the app's secret, its extra the accounts. A task can read
connections and cannot write any, while tokens change: so the accounts are taken into files here, and what changes stays
in these.
"""

import json
from collections.abc import Iterable

from etl.errors import ActionNeededError
from etl.extract.spotify.accounts import Account, Accounts, from_json, to_json

CONNECTION_TYPE = "generic"


def as_connections(connection_id: str, secret: str | None, accounts: Iterable[Account]) -> str:
    """What `airflow connections import` reads: one connection, with secrets in it."""
    extra = {"accounts": {account.name: json.loads(to_json(account)) for account in accounts}}
    connection = {"conn_type": CONNECTION_TYPE, "password": secret, "extra": json.dumps(extra)}
    return json.dumps({connection_id: connection}, indent=1)


def take(connection_id: str, extra: object, accounts: Accounts) -> list[str]:
    """Store the accounts of a connection's extra that are new here, or signed in later than the one here.

    :returns: their names.
    :raises ActionNeededError: where one is not as ``as_connections`` writes it.
    """
    handed = extra.get("accounts", {}) if isinstance(extra, dict) else None
    try:
        found = [from_json(json.dumps(one)) for one in handed.values()]  # type: ignore[union-attr]
    except (AttributeError, ValueError, KeyError, TypeError):
        # The text of the error could quote a token.
        raise ActionNeededError(
            f"The accounts in the extra of the Airflow connection {connection_id} cannot be read: write it anew by "
            "bin/sign-in --connection FILE."
        ) from None
    new = [account for account in found if _is_later(account, accounts)]
    for account in new:
        accounts.keep(account)
    return [account.name for account in new]


def _is_later(account: Account, accounts: Accounts) -> bool:
    if account.name not in accounts.names():
        return True
    try:
        return accounts.get(account.name).authorised_at < account.authorised_at
    except ActionNeededError:
        return True
