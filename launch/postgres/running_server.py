"""A running embedded server: its addresses, its programs, its processes."""

from dataclasses import dataclass
from pathlib import Path

import psutil

from launch.postgres.installation import Installation
from launch.secrets_store import get_secret

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Server:
    """A running embedded server."""

    state_dir: Path
    major: int
    installation: Installation
    port: int

    def build_url(self, role: str, database: str) -> str:
        """A SQLAlchemy URL, password included, for a role (postgres, loader, airflow) and a database."""
        return f"postgresql://{role}:{get_secret(self.state_dir, f'postgres-{role}')}@{HOST}:{self.port}/{database}"

    def get_program_path(self, name: str) -> str:
        """The path of one of PostgreSQL's own programs, such as psql or pg_dump."""
        return str(self.installation.binaries / name)


def find_running_pid(installation: Installation) -> int | None:
    """The process id of the server where it runs, judged by what the process is and not by its number alone."""
    fields = read_pid_file(installation)
    if not fields:
        return None
    return int(fields[0]) if int(fields[0]) in {process.pid for process in list_processes(installation)} else None


def list_processes(installation: Installation) -> list[psutil.Process]:
    """All processes of the server: those that work in its data folder, which no other process does."""
    server_processes = []
    for process in psutil.process_iter():
        try:
            if process.name().startswith("postgres") and process.cwd() == str(installation.data):
                server_processes.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
    return server_processes


def read_pid_file(installation: Installation) -> list[str]:
    """The lines of the file in which the server says who it is; none where there is no file."""
    try:
        return (installation.data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []
