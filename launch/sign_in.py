"""bin/sign-in: let the pipeline read a Spotify account, or list those that it may read."""

import argparse
import os
import sys
from datetime import UTC, datetime

from etl.config import settings
from etl.errors import EtlError
from etl.extract.spotify.accounts import Accounts, days_left, sign_in_warning
from etl.extract.spotify.app import App, app_of
from etl.extract.spotify.sign_in import sign_in
from launch.console import Screen
from launch.environment import state_dir


def main(arguments: list[str]) -> int:
    """Sign in or list.

    :returns: 0, or 1 where the sign-in did not come about.
    """
    parser = argparse.ArgumentParser(prog="bin/sign-in", description=__doc__)
    parser.add_argument("name", nargs="?", metavar="NAME", help="what to call the account here, such as ada")
    parser.add_argument("--paste", action="store_true", help="paste the address instead of waiting for the browser")
    parser.add_argument("--list", action="store_true", help="show the accounts, and how long each sign-in lasts")
    options = parser.parse_args(arguments)
    screen = Screen()
    try:
        app = _app()
        accounts = Accounts(state_dir(), app.client_id)
        if options.list:
            list_accounts(accounts, screen, datetime.now(UTC))
            return 0
        account = sign_in(app, accounts, options.name, options.paste, screen.say)
        screen.say(f"Signed in as {account.name}, for {days_left(account, datetime.now(UTC))} days.")
    except EtlError as error:
        screen.complain(str(error))
        return 1
    except KeyboardInterrupt:
        screen.complain("Stopped; nothing was stored.")
        return 130
    return 0


def list_accounts(accounts: Accounts, screen: Screen, now: datetime) -> None:
    """A line an account: name, days left, trouble."""
    names = accounts.names()
    if not names:
        screen.say("Nobody has signed in yet: bin/sign-in NAME")
    for name in names:
        try:
            account = accounts.get(name)
        except EtlError as error:
            screen.complain(str(error))
            continue
        state = account.trouble or sign_in_warning(account, now) or "good"
        screen.say(f"{name:<24} {days_left(account, now):4} days   {state}")


def _app() -> App:
    # Signing in needs no warehouse, and the settings want one named.
    return app_of(settings({"WAREHOUSE_URL": "none", **os.environ, "STATE_DIR": str(state_dir())}))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
