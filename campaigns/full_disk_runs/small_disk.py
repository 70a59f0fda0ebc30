"""Disks in memory that a campaign can fill as far as it needs."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

_BALLAST = ".ballast"
_POLL_SECONDS = 0.02


@dataclass(frozen=True)
class SmallDisk:
    """A file system that is mounted at ``folder``."""

    folder: Path

    def measure_free_bytes(self) -> int:
        """Return the free bytes."""
        stats = os.statvfs(self.folder)
        return stats.f_bavail * stats.f_frsize

    @contextmanager
    def fill_disk(self, free_bytes_left: int) -> Iterator[None]:
        """Fill the disk up to the given free bytes; free the space at the end."""
        ballast = self.folder / _BALLAST
        try:
            with ballast.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, max(1, self.measure_free_bytes() - free_bytes_left))
            yield
        finally:
            ballast.unlink(missing_ok=True)


@contextmanager
def mount_small_disks(sizes: dict[Path, str]) -> Iterator[dict[Path, SmallDisk]]:
    """Mount a disk in memory at each folder, with a size such as 2g; only the superuser may."""
    with ExitStack() as stack:
        for folder, size in sizes.items():
            folder.mkdir(parents=True, exist_ok=True)
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=711", "tmpfs", folder], check=True)
            stack.callback(subprocess.run, ["umount", "--lazy", folder], check=False)
        yield {folder: SmallDisk(folder) for folder in sizes}


class DiskUsage:
    """The peak usage of disks while the context is open, by disk."""

    def __init__(self, disks: dict[str, SmallDisk]) -> None:
        self._disks = disks
        self._initially_free = {name: disk.measure_free_bytes() for name, disk in disks.items()}
        self.used_bytes = dict.fromkeys(disks, 0)
        self._is_over = Event()
        self._thread = Thread(target=self._poll_disks, daemon=True)

    def __enter__(self) -> "DiskUsage":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _poll_disks(self) -> None:
        while not self._is_over.is_set():
            for name, disk in self._disks.items():
                used = self._initially_free[name] - disk.measure_free_bytes()
                self.used_bytes[name] = max(self.used_bytes[name], used)
            time.sleep(_POLL_SECONDS)
