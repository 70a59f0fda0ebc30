"""Folders of files for other readers: each appears at once when it is complete, and replaces an earlier one."""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from etl.errors import ActionNeededError

MANIFEST_NAME = "export.json"
"""The file with the metadata of an export. It marks the folder as one that a further export may replace."""

_KEPT_SUFFIXES = (".avro", ".json", ".jsonl", ".parquet")


@contextmanager
def replace_export(target: Path) -> Iterator[Path]:
    """Yield a draft folder that takes the place of ``target`` on leaving; on an error ``target`` stays as it was.

    A process that is killed leaves its draft beside the folder; the next export removes it.

    :param target: a folder that does not exist, is empty, or has an earlier export.
    :raises ActionNeededError: if the folder has other files, or cannot be written to.
    """
    _check_target(target)
    draft, old = (target.with_name(f".{target.name}.{kind}") for kind in ("draft", "old"))
    try:
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
    except OSError as error:
        raise ActionNeededError(f"{target} cannot be written ({error.strerror}): name another folder.") from error
    try:
        yield draft
        for path in draft.rglob("*"):
            if path.is_file() and path.suffix not in _KEPT_SUFFIXES:
                path.unlink()  # checksums and markers of Hadoop's file system
        shutil.rmtree(old, ignore_errors=True)
        if target.exists():
            target.rename(old)
        draft.rename(target)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def write_manifest(folder: Path, manifest: Mapping[str, object]) -> None:
    """Write the files of an export into its folder."""
    (folder / MANIFEST_NAME).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def _check_target(target: Path) -> None:
    if target.is_dir():
        if any(target.iterdir()) and not (target / MANIFEST_NAME).exists():
            raise ActionNeededError(f"{target} has files that no export wrote: name another folder.")
    elif target.exists():
        raise ActionNeededError(f"{target} is a file: name a folder.")
