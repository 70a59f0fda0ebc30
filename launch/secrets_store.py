"""Passwords and keys, made once and readable by their owner only."""

import os
from pathlib import Path

from etl.passwords import generate_password


def make_private_folder(folder: Path) -> Path:
    """Make ``folder`` so that only its owner sees what is in it; one that exists keeps its mode."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def get_secret(state_dir: Path, name: str) -> str:
    """The secret ``name`` under ``state_dir``: ``generate_password``'s, the same on every call."""
    path = make_private_folder(state_dir / "secrets") / name
    if not path.exists():
        write_secret(state_dir, name, generate_password())
    return path.read_text(encoding="utf-8")


def write_secret(state_dir: Path, name: str, value: str) -> Path:
    """Write ``value`` as the secret ``name`` where there is none yet; of two callers at once the first one wins.

    :returns: the file that holds it.
    """
    path = make_private_folder(state_dir / "secrets") / name
    draft = path.with_name(f".{name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(value)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return path
