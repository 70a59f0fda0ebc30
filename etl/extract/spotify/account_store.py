"""The accounts that signed in to one app: a private file each, STATE_DIR/accounts/<client id>/<name>.json.

Every change happens under a lock of the account and replaces its whole file, so that two concurrent processes neither
lose a token nor use one twice (a refresh token may be valid for one refresh only). No failure deletes a token; only
``AccountStore.remove_account`` does, at the user's request.
"""

import fcntl
import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TextIO

from etl.errors import ActionNeededError, MustSignInError

SIGN_IN_LIFETIME = timedelta(days=180)
"""Refresh tokens expire six months after the user's consent, refreshed or not; this counts the shortest six months."""

WARNING_DAYS = 14

_RESERVED_BYTES = 1 << 14
"""The disk space reserved for a draft; an account's file is smaller."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True)
class Token:
    """The tokens that the accounts service issued; both are secrets."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    expires_at: datetime
    scope: str


@dataclass(frozen=True)
class Account:
    """An account that signed in.

    ``account_id`` never changes; ``user_id`` is the id of a playlist's owner. ``trouble`` is None, or a message that
    says why the user must sign in again.
    """

    name: str
    account_id: str
    user_id: str
    token: Token
    authorised_at: datetime
    trouble: str | None = None


def count_days_left(account: Account, now: datetime) -> int:
    """Return the whole days until the sign-in expires; never less than 0."""
    return max(0, (account.authorised_at + SIGN_IN_LIFETIME - now).days)


def build_sign_in_warning(account: Account, now: datetime) -> str | None:
    """Return a warning if the sign-in expires within ``WARNING_DAYS``, else None."""
    days = count_days_left(account, now)
    if days > WARNING_DAYS:
        return None
    return f"The sign-in of the account {account.name} runs out in {days} days: run bin/sign-in {account.name}."


def check_name(name: str) -> str:
    """Return ``name`` if it is valid as a file name.

    :raises ActionNeededError: if it is not.
    """
    if not _NAME.fullmatch(name):
        raise ActionNeededError(
            f"{name!r} is no name for an account: use up to 64 letters from a to z, digits, - and _, such as ada."
        )
    return name


def derive_name(user_id: str) -> str:
    """Return an account name for a Spotify user id, which may contain any characters."""
    return check_name(re.sub(r"[^A-Za-z0-9_-]+", "-", user_id).strip("-_")[:64] or "account")


def to_json(account: Account) -> str:
    """Return an account as JSON, with its tokens, which are secrets."""
    return json.dumps(asdict(account), default=datetime.isoformat, indent=1)


def from_json(text: str) -> Account:
    """Parse the JSON of ``to_json``.

    :raises ValueError, KeyError, TypeError: if it is not valid; the message of the error could quote a token.
    """
    stored = json.loads(text)
    token = stored["token"]
    return Account(
        name=str(stored["name"]),
        account_id=str(stored["account_id"]),
        user_id=str(stored["user_id"]),
        token=Token(
            access_token=str(token["access_token"]),
            refresh_token=token["refresh_token"],
            expires_at=datetime.fromisoformat(token["expires_at"]),
            scope=str(token["scope"]),
        ),
        authorised_at=datetime.fromisoformat(stored["authorised_at"]),
        trouble=stored["trouble"],
    )


class AccountStore:
    """The accounts of one client id."""

    def __init__(self, state_dir: Path, client_id: str) -> None:
        """Create the store of one app.

        :raises ActionNeededError: if the client id is not valid as a folder name.
        """
        if not _NAME.fullmatch(client_id):
            raise ActionNeededError("SPOTIPY_CLIENT_ID must be letters and digits, as the app's dashboard shows it.")
        self._folder = state_dir / "accounts" / client_id

    def get_names(self) -> list[str]:
        """Return the names of all accounts, sorted."""
        return sorted(path.stem for path in self._folder.glob("*.json") if _NAME.fullmatch(path.stem))

    def get_account(self, name: str) -> Account:
        """Return the account ``name``.

        :raises MustSignInError: if it does not exist, or its file cannot be read.
        """
        path = self._get_path(name)
        try:
            return from_json(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise MustSignInError(f"Nobody has signed in as {name}: run bin/sign-in {name}.", name) from None
        except (OSError, ValueError, KeyError, TypeError):
            # The message of the error could quote the file's content, which is secret.
            raise MustSignInError(f"{path} cannot be read: run bin/sign-in {name} to write it anew.", name) from None

    def store_account(self, account: Account) -> None:
        """Store an account that has just signed in; it replaces an earlier one of that name."""
        with self._lock_account(account.name):
            self._replace_file(account)

    def renew_token(self, name: str, used_token: Token, refresh: Callable[[Token], Token]) -> Account:
        """Get a new access token by ``refresh``, unless another process has just stored one.

        :param used_token: the token that has expired, or that Spotify rejected.
        :param refresh: requests a new token. Its errors pass through and leave the stored account unchanged.
        :returns: the account as stored now, without its trouble.
        """
        with self._lock_account(name):
            account = self.get_account(name)
            if account.token.access_token == used_token.access_token:
                with self._open_draft(name) as draft:  # Before the request: a token that cannot be stored is lost.
                    account = replace(account, token=refresh(account.token), trouble=None)
                    draft.write(to_json(account))
            return account

    def mark_sign_in_failed(self, name: str, token: Token, trouble: str) -> None:
        """Mark an account whose ``token`` Spotify no longer accepts, unless it has signed in again meanwhile."""
        with self._lock_account(name):
            account = self.get_account(name)
            if account.token == token:
                self._replace_file(replace(account, trouble=trouble))

    def remove_account(self, name: str) -> None:
        """Remove an account with its tokens; no run fetches it until the user signs in again."""
        with self._lock_account(name):
            self._get_path(name).unlink(missing_ok=True)
            self._get_path(name).with_suffix(".part").unlink(missing_ok=True)
        self._get_path(name).with_suffix(".lock").unlink(missing_ok=True)

    @contextmanager
    def _lock_account(self, name: str) -> Iterator[None]:
        path = self._get_path(name)
        _make_private(self._folder.parent)
        _make_private(self._folder)
        with os.fdopen(os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _replace_file(self, account: Account) -> None:
        with self._open_draft(account.name) as draft:
            draft.write(to_json(account))

    @contextmanager
    def _open_draft(self, name: str) -> Iterator[TextIO]:
        """Open a file with reserved disk space that replaces the account's file if the block ends without an error."""
        path = self._get_path(name)
        draft = path.with_suffix(".part")
        draft.unlink(missing_ok=True)  # A draft of a killed process: this process has the lock.
        try:
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
                file.write(" " * _RESERVED_BYTES)
                file.seek(0)  # This flushes the reserved bytes.
                yield file
                file.truncate()
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)

    def _get_path(self, name: str) -> Path:
        return self._folder / f"{check_name(name)}.json"


def find_account_stores(state_dir: Path) -> list[AccountStore]:
    """Return the account stores of all apps on this machine."""
    return [AccountStore(state_dir, folder.name) for folder in sorted((state_dir / "accounts").glob("*/"))]


def _make_private(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_mode & 0o077:
        folder.chmod(0o700)
