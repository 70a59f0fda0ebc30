"""Generated passwords and keys, in files that only their owner can read."""

import os
from pathlib import Path

from etl.passwords import generate_password


def make_private_folder(folder: Path) -> Path:
    """Create ``folder`` for its owner only; an existing folder keeps its mode."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def get_secret(state_dir: Path, name: str) -> str:
    """Return the secret ``name`` of ``state_dir``; the first call generates it."""
    path = make_private_folder(state_dir / "secrets") / name
    if not path.exists():
        write_secret(state_dir, name, generate_password())
    return path.read_text(encoding="utf-8")


def write_secret(state_dir: Path, name: str, value: str) -> Path:
    """Write ``value`` as the secret ``name``, unless it exists; of concurrent callers the first one wins.

    :returns: the path of the secret.
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
