"""A running embedded server: its URLs, programs and processes."""

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
        """Return a SQLAlchemy URL with password for a role (postgres, loader, airflow) and a database."""
        return f"postgresql://{role}:{get_secret(self.state_dir, f'postgres-{role}')}@{HOST}:{self.port}/{database}"

    def get_program_path(self, name: str) -> str:
        """Return the path of a PostgreSQL program, such as psql or pg_dump."""
        return str(self.installation.binaries / name)


def find_running_pid(installation: Installation) -> int | None:
    """Return the server's process id, or None; a reused number of another process does not count."""
    fields = read_pid_file(installation)
    if not fields:
        return None
    return int(fields[0]) if int(fields[0]) in {process.pid for process in list_processes(installation)} else None


def list_processes(installation: Installation) -> list[psutil.Process]:
    """Return the server's processes: postgres processes whose working directory is its data directory."""
    server_processes = []
    for process in psutil.process_iter():
        try:
            if process.name().startswith("postgres") and process.cwd() == str(installation.data):
                server_processes.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
    return server_processes


def read_pid_file(installation: Installation) -> list[str]:
    """Return the lines of the server's pid file; empty without a file."""
    try:
        return (installation.data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []
