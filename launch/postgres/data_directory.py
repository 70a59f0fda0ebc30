"""Creation of the embedded server's data directory, with passwords from its first start."""

import os
import shutil
import subprocess
from pathlib import Path

from etl.errors import ActionNeededError
from launch.postgres.installation import Installation, get_initdb_user
from launch.secrets_store import get_secret


def create_data_directory(state_dir: Path, installation: Installation) -> None:
    """Create ``installation.data`` atomically, after removing the leftovers of an earlier try.

    :raises ActionNeededError: if it cannot be created.
    """
    draft, password_file = installation.home / f".{installation.data.name}.draft", installation.home / ".password"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    password_file.unlink(missing_ok=True)
    user = get_initdb_user(installation.user)
    with os.fdopen(os.open(password_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(get_secret(state_dir, "postgres-postgres"))
    if user is not None:
        os.chown(draft, user, user)
        os.chown(password_file, user, user)
    command = [str(installation.binaries / "initdb"), "--pgdata", str(draft), "--username", "postgres"]
    command += ["--pwfile", str(password_file), "--auth-local", "scram-sha-256", "--auth-host", "scram-sha-256"]
    command += ["--encoding", "UTF8", *_get_locale_options(int(installation.data.name)), "--no-instructions"]
    try:
        result = _run_as_user(user, command)
    finally:
        password_file.unlink()
    if result.returncode != 0:
        raise ActionNeededError(f"PostgreSQL's data directory could not be created: {find_last_line(result.stderr)}")
    if installation.user is not None:
        for path in (draft, *draft.rglob("*")):
            os.lchown(path, installation.user, installation.user)
    draft.rename(installation.data)


def _get_locale_options(major: int) -> list[str]:
    # Byte order for text (fast, the same everywhere), Unicode for upper and lower.
    if major >= 17:
        return ["--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"]
    return ["--locale", "C.UTF-8"]


def find_last_line(output: str) -> str:
    """Return the last line of an output that is not blank."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return lines[-1] if lines else "no output"


def _run_as_user(user: int | None, command: list[str]) -> subprocess.CompletedProcess[str]:
    environ = {"PATH": os.defpath, "TZ": "UTC", "LC_ALL": "C"}
    return subprocess.run(
        command,
        env=environ,
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        umask=0o077,
        user=user,
        group=user,
        extra_groups=None if user is None else [],
    )
