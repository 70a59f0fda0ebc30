"""A look at all processes, sockets and files, several times a second, for as long as the product runs."""

import os
import stat
import threading
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import psutil

from benchmarks._leaks_plants import Plants
from launch.environment import MARKER

_PAUSE_SECONDS = 0.5
_LARGEST_SCRATCH_BYTES = 4 << 20


class Watch(threading.Thread):
    """What was seen until it was told to stop.

    ``arguments``: secrets in the arguments of a process, by its kind; ``environments``: secrets in the environment,
    by kind; ``kinds``: all kinds seen; ``listeners``: (address, kind); ``scratch``: secrets in short-lived files;
    ``open_files``: what others on this machine could read.
    """

    def __init__(self, state: Path, scratch: list[Path], plants: Plants) -> None:
        super().__init__(daemon=True)
        self.arguments: dict[str, set[str]] = defaultdict(set)
        self.environments: dict[str, set[str]] = defaultdict(set)
        self.kinds: set[str] = set()
        self.listeners: set[tuple[str, str]] = set()
        self.scratch: dict[str, set[str]] = defaultdict(set)
        self.scratch_files = 0
        self.open_files: set[str] = set()
        self.looks = 0
        self._state, self._scratch, self._plants = state, scratch, plants
        self._seen: set[tuple[str, int, int]] = set()
        self._is_over = threading.Event()

    def run(self) -> None:
        """Look until told to stop."""
        while not self._is_over.wait(_PAUSE_SECONDS):
            self.look()

    def stop(self) -> None:
        """End after the look that is under way."""
        self._is_over.set()
        self.join()

    def look(self) -> None:
        """One look at everything."""
        self.looks += 1
        ours = dict(self._processes())
        for connection in psutil.net_connections("inet"):
            if connection.status == psutil.CONN_LISTEN and connection.pid in ours:
                self.listeners.add((connection.laddr.ip, ours[connection.pid]))
        for folder in self._scratch:
            self._look_into(folder)
        self.open_files.update(str(path) for path in open_to_others(self._state))

    def _processes(self) -> Iterator[tuple[int, str]]:
        for process in psutil.process_iter():
            try:
                place = Path("/proc", str(process.pid))
                arguments, environment = (place / "cmdline").read_bytes(), (place / "environ").read_bytes()
                is_server = process.name().startswith("postgres") and str(self._state) in process.cwd()
            except (OSError, psutil.Error):
                continue
            kind = _kind(arguments)
            if what := self._plants.found_in(arguments):
                self.arguments[kind].update(what)
            if f"{MARKER}={self._state}".encode() in environment or is_server:
                self.kinds.add(kind)
                self.environments[kind].update(self._plants.found_in(environment))
                yield process.pid, kind

    def _look_into(self, folder: Path) -> None:
        for path in _files(folder):
            try:
                known = path.stat()
                key = (str(path), known.st_mtime_ns, known.st_size)
                if key in self._seen or known.st_size > _LARGEST_SCRATCH_BYTES:
                    continue
                self._seen.add(key)
                if what := self._plants.found_in(path.read_bytes()):
                    self.scratch[str(path.relative_to(self._state.parent))].update(what)
                self.scratch_files += 1
            except OSError:
                continue


def open_to_others(folder: Path) -> Iterator[Path]:
    """Files below ``folder`` that another user of the machine could read, by the modes of files and folders."""
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        try:
            mode = entry.stat(follow_symlinks=False).st_mode
        except OSError:
            continue
        if stat.S_ISDIR(mode) and mode & stat.S_IXOTH:
            yield from open_to_others(Path(entry.path))
        elif stat.S_ISREG(mode) and mode & stat.S_IROTH:
            yield Path(entry.path)


def _files(folder: Path) -> Iterator[Path]:
    for inner, _, names in os.walk(folder):
        yield from (Path(inner, name) for name in names)


def _kind(arguments: bytes) -> str:
    """A short name for what a process is, without numbers."""
    words = [word.decode(errors="replace") for word in arguments.split(b"\0") if word]
    if not words:
        return "nameless"
    joined = " ".join(words)
    known = {
        "org.apache.spark": "Spark's JVM",
        "pyspark/daemon": "Spark's Python workers",
        "pyspark.daemon": "Spark's Python workers",
        "etl.simulate.spotify_api": "stand-in",
        "streamlit": "dashboard",
        "launch.run": "bin/run",
        "airflow": "Airflow: " + next((w for w in words[1:] if w in _AIRFLOW), "other"),
        "postgres": "PostgreSQL",
    }
    return next((kind for sign, kind in known.items() if sign in joined), Path(words[0]).name)


_AIRFLOW = ("api-server", "api_server", "scheduler", "triggerer", "dag-processor", "db")
