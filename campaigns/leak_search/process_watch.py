"""A scan of all processes, sockets and files, several times a second, while the product runs."""

import os
import stat
import threading
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import psutil

from campaigns.leak_search.planted_secrets import PlantedSecrets
from launch.environment import STATE_MARKER

_SCAN_INTERVAL_SECONDS = 0.5
_MAX_SCRATCH_FILE_BYTES = 4 << 20


class ProcessWatch(threading.Thread):
    """Observations until the watch is stopped.

    ``arguments``: secrets in the arguments of a process, by its kind; ``environments``: secrets in the environment,
    by kind; ``kinds``: all observed kinds; ``listeners``: (address, kind); ``scratch``: secrets in short-lived files;
    ``open_files``: files that other users of the machine could read.
    """

    def __init__(self, state: Path, scratch: list[Path], planted: PlantedSecrets) -> None:
        super().__init__(daemon=True)
        self.argument_leaks: dict[str, set[str]] = defaultdict(set)
        self.environment_leaks: dict[str, set[str]] = defaultdict(set)
        self.kinds: set[str] = set()
        self.listening_sockets: set[tuple[str, str]] = set()
        self.scratch_leaks: dict[str, set[str]] = defaultdict(set)
        self.scratch_files = 0
        self.open_files: set[str] = set()
        self.scan_count = 0
        self._state, self._scratch, self._secrets = state, scratch, planted
        self._scanned: set[tuple[str, int, int]] = set()
        self._is_over = threading.Event()

    def run(self) -> None:
        """Scan until the watch is stopped."""
        while not self._is_over.wait(_SCAN_INTERVAL_SECONDS):
            self.scan_once()

    def stop(self) -> None:
        """End after the current scan."""
        self._is_over.set()
        self.join()

    def scan_once(self) -> None:
        """Scan everything once."""
        self.scan_count += 1
        own_processes = dict(self._scan_processes())
        for connection in psutil.net_connections("inet"):
            if connection.status == psutil.CONN_LISTEN and connection.pid in own_processes:
                self.listening_sockets.add((connection.laddr.ip, own_processes[connection.pid]))
        for folder in self._scratch:
            self._scan_folder(folder)
        self.open_files.update(str(path) for path in find_world_readable(self._state))

    def _scan_processes(self) -> Iterator[tuple[int, str]]:
        for process in psutil.process_iter():
            try:
                proc_folder = Path("/proc", str(process.pid))
                arguments, environment = (proc_folder / "cmdline").read_bytes(), (proc_folder / "environ").read_bytes()
                is_server = process.name().startswith("postgres") and str(self._state) in process.cwd()
            except (OSError, psutil.Error):
                continue
            kind = _name_process(arguments)
            if labels := self._secrets.find_in(arguments):
                self.argument_leaks[kind].update(labels)
            if f"{STATE_MARKER}={self._state}".encode() in environment or is_server:
                self.kinds.add(kind)
                self.environment_leaks[kind].update(self._secrets.find_in(environment))
                yield process.pid, kind

    def _scan_folder(self, folder: Path) -> None:
        for path in _walk_files(folder):
            try:
                status = path.stat()
                key = (str(path), status.st_mtime_ns, status.st_size)
                if key in self._scanned or status.st_size > _MAX_SCRATCH_FILE_BYTES:
                    continue
                self._scanned.add(key)
                if labels := self._secrets.find_in(path.read_bytes()):
                    self.scratch_leaks[str(path.relative_to(self._state.parent))].update(labels)
                self.scratch_files += 1
            except OSError:
                continue


def find_world_readable(folder: Path) -> Iterator[Path]:
    """Return files below ``folder`` that another user of the machine could read, by the modes of files and folders."""
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
            yield from find_world_readable(Path(entry.path))
        elif stat.S_ISREG(mode) and mode & stat.S_IROTH:
            yield Path(entry.path)


def _walk_files(folder: Path) -> Iterator[Path]:
    for inner, _, names in os.walk(folder):
        yield from (Path(inner, name) for name in names)


def _name_process(arguments: bytes) -> str:
    """Return a short name for the kind of a process, without numbers."""
    words = [word.decode(errors="replace") for word in arguments.split(b"\0") if word]
    if not words:
        return "nameless"
    joined = " ".join(words)
    kind_by_sign = {
        "org.apache.spark": "Spark's JVM",
        "pyspark/daemon": "Spark's Python workers",
        "pyspark.daemon": "Spark's Python workers",
        "simulator.mock_api": "stand-in",
        "streamlit": "dashboard",
        "launch.run": "bin/run",
        "airflow": "Airflow: " + next((argument for argument in words[1:] if argument in _AIRFLOW_COMMANDS), "other"),
        "postgres": "PostgreSQL",
    }
    return next((kind for sign, kind in kind_by_sign.items() if sign in joined), Path(words[0]).name)


_AIRFLOW_COMMANDS = ("api-server", "api_server", "scheduler", "triggerer", "dag-processor", "db")
