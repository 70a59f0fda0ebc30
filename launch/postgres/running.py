"""A running embedded server: its addresses, its programs, its processes."""

from dataclasses import dataclass
from pathlib import Path

import psutil

from launch.postgres.place import Place
from launch.secrets_store import secret

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Server:
    """A running embedded server."""

    state_dir: Path
    major: int
    place: Place
    port: int

    def url(self, role: str, database: str) -> str:
        """A SQLAlchemy URL, password included, for a role (postgres, loader, airflow) and a database."""
        return f"postgresql://{role}:{secret(self.state_dir, f'postgres-{role}')}@{HOST}:{self.port}/{database}"

    def program(self, name: str) -> str:
        """The path of one of PostgreSQL's own programs, such as psql or pg_dump."""
        return str(self.place.binaries / name)


def running_pid(place: Place) -> int | None:
    """The process id of the server where it runs, judged by what the process is and not by its number alone."""
    fields = pid_file(place)
    if not fields:
        return None
    return int(fields[0]) if int(fields[0]) in {process.pid for process in processes(place)} else None


def processes(place: Place) -> list[psutil.Process]:
    """All processes of the server: those that work in its data folder, which no other process does."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.name().startswith("postgres") and process.cwd() == str(place.data):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
    return found


def pid_file(place: Place) -> list[str]:
    """The lines of the file in which the server says who it is; none where there is no file."""
    try:
        return (place.data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []
