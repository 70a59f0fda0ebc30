"""A lake that several workers share: a listing shows what another worker has added."""

from typing import Any

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from etl.storage.folder import LakeFolder


class ListingStore(MemoryFileSystem):  # type: ignore[misc]
    """A store whose listings are cached by each process, as those of object stores are."""

    protocol = "listing"

    def ls(self, path: str, detail: bool = True, **options: Any) -> Any:
        path = self._strip_protocol(path).rstrip("/")
        if path not in self.dircache:
            self.dircache[path] = super().ls(path, detail=True, **options)
        entries = self.dircache[path] if path in self.dircache else super().ls(path, detail=True, **options)
        return entries if detail else sorted(entry["name"] for entry in entries)


def test_a_listing_has_the_files_of_other_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    fsspec.register_implementation("listing", ListingStore, clobber=True)
    monkeypatch.setattr(MemoryFileSystem, "store", {})
    monkeypatch.setattr(MemoryFileSystem, "pseudo_dirs", [""])
    folder = LakeFolder("listing://lake")
    folder._write_json("/lake/feed/one/manifest.json", {})
    assert folder._list_names("/lake/feed") == ["one"]
    MemoryFileSystem().pipe("/lake/feed/two/manifest.json", b"{}")
    assert folder._list_names("/lake/feed") == ["one", "two"]
