"""A folder of the lake: files that are written whole or not at all, wherever fsspec reaches."""

import json
import os
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

_DRAFT_SUFFIX = ".part"


class LakeFolder:
    """A folder under a URL."""

    def __init__(self, url: str) -> None:
        self.url = url
        # Another worker may have added files since an object store was listed.
        self._filesystem, self._root = url_to_fs(url, use_listings_cache=False)
        # An object store confirms an object when it is durable.
        self._is_local = isinstance(self._filesystem, LocalFileSystem)

    def sweep_drafts(self, before: datetime) -> int:
        """Remove drafts three levels below the folder that were last written before a time.

        :returns: the number of files removed.
        """
        paths = self._filesystem.glob(f"{self._root}/*/*/*{_DRAFT_SUFFIX}")
        drafts = [path for path in paths if self._get_modified_at(path) < before]
        for path in drafts:
            self._filesystem.rm(path)
        return len(drafts)

    def _write_file(self, path: str, blocks: Iterable[bytes], is_durable: bool = False) -> None:
        """Write a file whole or not at all; two processes may write the same file at once.

        :param is_durable: whether the file must survive a power loss right after the call, which takes longer.
        """
        # Each writer has a draft of its own, so that two of them never mix their bytes; the last one to move wins.
        # On a local disk the move is atomic. An object store copies the draft and deletes it; readers of an object
        # store see either the old object or the new one, never a part.
        draft = f"{path}.{uuid4().hex}{_DRAFT_SUFFIX}"
        self._filesystem.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
        try:
            with self._filesystem.open(draft, "wb") as target:
                for block in blocks:
                    target.write(block)
                if is_durable and self._is_local:
                    target.flush()
                    os.fsync(target.fileno())
            self._filesystem.mv(draft, path)
            if is_durable and self._is_local:
                _sync_folder(path.rsplit("/", 1)[0])
        except BaseException:
            with suppress(OSError):
                self._filesystem.rm(draft)
            raise

    def _write_json(self, path: str, document: dict[str, Any], is_durable: bool = False) -> None:
        self._write_file(path, [json.dumps(document, ensure_ascii=False, indent=1).encode()], is_durable)

    def _read_json(self, path: str) -> dict[str, Any]:
        with self._filesystem.open(path, "r", encoding="utf-8") as source:
            return dict(json.load(source))

    def _list_names(self, folder: str) -> list[str]:
        """Return the names of the files and folders in a folder, sorted, without drafts; none for a missing folder."""
        paths = self._filesystem.ls(folder, detail=False) if self._filesystem.exists(folder) else []
        return sorted(path.rstrip("/").rsplit("/", 1)[-1] for path in paths if not path.endswith(_DRAFT_SUFFIX))

    def _get_folder_size(self, folder: str) -> int:
        """Return the bytes of all files in a folder; 0 for a missing folder."""
        return int(self._filesystem.du(folder)) if self._filesystem.exists(folder) else 0

    def _get_modified_at(self, path: str) -> datetime:
        modified: datetime = self._filesystem.modified(path)
        return modified if modified.tzinfo else modified.replace(tzinfo=UTC)


def _sync_folder(path: str) -> None:
    """Make the names of a folder's files durable: a rename alone may be lost with the power."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
