"""bin/add-login: let a person into the warehouse as analyst, operator, listener or artist; show, end and remove logins
and their sessions.
"""

import argparse
import sys
from contextlib import suppress
from datetime import datetime

from sqlalchemy.engine import make_url

from etl.errors import ActionNeededError, EtlError
from etl.extract.spotify.account_store import find_account_stores
from etl.load.access.grants import ROLES
from etl.load.access.logins import (
    Login,
    add_login,
    end_login_sessions,
    list_login_sessions,
    list_logins,
    remove_login,
    reset_password,
)
from launch.console import Screen
from launch.environment import get_state_dir
from launch.warehouse_client import resolve_admin_url

_EPILOG = """
analyst   reads warehouse and mart, without names, birthdates and genders
operator  reads what an analyst reads, and the audit
listener  sees the own events, years, tastes and playlists: ID is the user_id of warehouse.dim_user
artist    sees the own audience: ID is the artist_id of warehouse.dim_artist
"""


def main(arguments: list[str]) -> int:
    """Add, list or remove.

    :returns: 0, or 1 where nothing has changed.
    """
    screen = Screen()
    options = _build_parser().parse_args(arguments)
    try:
        with resolve_admin_url() as url:
            if options.list:
                _list_logins(url, screen)
            elif options.sessions:
                _list_sessions(url, screen)
            elif options.end:
                screen.print_line(f"Sessions ended: {end_login_sessions(url, options.end)}.")
            elif options.remove:
                remove_login(url, options.remove)
                screen.print_line(f"The login {options.remove} is gone.")
            elif options.new_password:
                _show_password(url, options.new_password, reset_password(url, options.new_password), screen)
            else:
                if not options.kind or not options.name:
                    raise ActionNeededError("Say whom to let in as what, such as: bin/add-login analyst ada")
                owner_id = _find_owner_id(options.id) if options.kind == "listener" else None
                _show_password(
                    url, options.name, add_login(url, options.kind, options.name, options.id, owner_id), screen
                )
    except EtlError as error:
        screen.print_error(str(error))
        return 1
    return 0


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bin/add-login",
        description=__doc__,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("kind", nargs="?", choices=ROLES, help="what the person may see")
    parser.add_argument("name", nargs="?", metavar="NAME", help="the name to sign in with, such as ada")
    parser.add_argument("id", nargs="?", metavar="ID", help="of a listener the user, of an artist the artist")
    parser.add_argument("--list", action="store_true", help="show all logins")
    parser.add_argument("--sessions", action="store_true", help="show who is connected")
    parser.add_argument("--end", metavar="NAME", help="end the sessions of a login, or one session by its number")
    parser.add_argument("--remove", metavar="NAME", help="take a login away")
    parser.add_argument("--new-password", metavar="NAME", help="give a login another password")
    return parser


def _show_password(url: str, name: str, password: str, screen: Screen) -> None:
    address = make_url(url)
    screen.print_line(f"login     {name}")
    screen.print_line(f"password  {password}")
    screen.print_line(
        f"server    {address.host or 'localhost'}, port {address.port or 5432}, database {address.database}"
    )
    screen.print_line(
        "The password is shown this once and kept nowhere: hand it over, or store it in a password manager."
    )


def _list_logins(url: str, screen: Screen) -> None:
    logins = list_logins(url)
    if not logins:
        screen.print_line("Nobody has a login yet: bin/add-login analyst NAME")
    for login in logins:
        screen.print_line(f"{login.login_name:<24} {login.kind:<9} {_describe_entity(login)}")
    for name in (login.login_name for login in logins if login.has_own_password):
        screen.print_line(
            f"{name} has chosen its own password, whose length the server does not check: bin/add-login --new-password "
            f"{name} gives it a long one."
        )


def _list_sessions(url: str, screen: Screen) -> None:
    sessions = list_login_sessions(url)
    if not sessions:
        screen.print_line("No login is connected.")
    for session in sessions:
        screen.print_line(
            f"{session.pid:<8} {session.login_name:<24} since {_format_minute(session.connected_at)}  "
            f"transaction since {_format_minute(session.transaction_at)}  {session.state or '-'}  {session.application or ''}"
        )


def _format_minute(timestamp: datetime | None) -> str:
    return "-" if timestamp is None else f"{timestamp:%Y-%m-%d %H:%M} UTC"


def _describe_entity(login: Login) -> str:
    if not login.is_known:
        return f"sees nothing any more: bin/add-login --remove {login.login_name}"
    return login.user_id or login.artist_id or ""


def _find_owner_id(user_id: str | None) -> str | None:
    """What playlists call an account that has signed in here; None for others."""
    for accounts in find_account_stores(get_state_dir()):
        for name in accounts.get_names():
            with suppress(EtlError):  # an account that cannot be read is no hindrance
                account = accounts.get_account(name)
                if account.account_id == user_id:
                    return account.user_id
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
