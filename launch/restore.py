"""bin/restore FILE: replace the warehouse by a backup, in one transaction: all of it or nothing."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO, Annotated

import typer

from etl.database import make_engine, read_sql
from etl.database.sessions import watch_sessions
from etl.errors import ActionNeededError
from launch.backup import SCHEMAS
from launch.command_line import run_command
from launch.console import Screen
from launch.environment import get_state_dir
from launch.instance_lock import lock_instance
from launch.warehouse_client import get_program_path, make_client_environment, resolve_warehouse_url

_DROP_SCHEMAS = f"drop schema if exists {', '.join(SCHEMAS)} cascade;"
_DISABLE_TRANSACTION_TIMEOUT = (
    b"select set_config(name, '0', false) from pg_catalog.pg_settings where name = 'transaction_timeout';\n"
)


def main(arguments: list[str]) -> int:
    """Run bin/restore; return its exit code."""
    return run_command("restore", restore, arguments)


def restore(file: Annotated[Path, typer.Argument(metavar="FILE", help="A file that bin/backup has written.")]) -> int:
    """Replace the warehouse by a backup, in one transaction: all of it or nothing.

    bin/run must not be running on the same STATE_DIR.
    """
    with lock_instance(get_state_dir()), Screen().show_step(f"Warehouse restored from {file}"):
        restore_backup(file)
    return 0


def restore_backup(source: Path) -> None:
    """Replace the content of the warehouse by the backup ``source``.

    :raises ActionNeededError: if the file is not a backup or does not fit; the warehouse is unchanged then.
    """
    listing = subprocess.run([get_program_path("pg_restore"), "--list", str(source)], capture_output=True, text=True)
    if listing.returncode != 0:
        raise ActionNeededError(f"{source} is not a readable backup: {listing.stderr.strip()}")
    psql = [get_program_path("psql"), "--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--output", os.devnull]
    with (
        resolve_warehouse_url() as url,
        make_client_environment(url) as environ,
        tempfile.TemporaryFile() as error_output,
    ):
        options = ["--no-owner", "--no-privileges", "--file=-"]
        dump = subprocess.Popen([get_program_path("pg_restore"), *options, str(source)], stdout=subprocess.PIPE)
        server = subprocess.Popen(psql, stdin=subprocess.PIPE, stderr=error_output, env=environ)
        with watch_sessions(make_engine(url)):
            is_whole = _send_statements(dump, server)
        if server.wait() != 0 or not is_whole:
            error_output.seek(0)
            reason = error_output.read().decode("utf-8", "replace").strip() or "the backup is damaged"
            raise ActionNeededError(f"Nothing was restored, the warehouse is unchanged: {reason}")


def _send_statements(dump: "subprocess.Popen[bytes]", server: "subprocess.Popen[bytes]") -> bool:
    """Send the backup's statements to the server; the final commit is sent only if the backup is complete."""
    assert dump.stdout is not None and server.stdin is not None
    try:
        with server.stdin as statements:
            statements.write(f"set client_min_messages = warning; begin; {_DROP_SCHEMAS}\n".encode())
            _send_session_settings(dump.stdout, statements)
            shutil.copyfileobj(dump.stdout, statements)
            is_whole = dump.wait() == 0
            if is_whole:
                statements.write(b"\n" + read_sql("access/grants").encode() + b"\ncommit;\n")
            return is_whole
    except BrokenPipeError:  # the server rejected a statement
        dump.kill()
        dump.wait()
        return False


def _send_session_settings(dump: IO[bytes], statements: IO[bytes]) -> None:
    """Send the settings with which a dump begins; the search path is the last one of those that are always there."""
    for line in dump:
        # Servers before PostgreSQL 17 do not know this setting, which newer clients write into every dump.
        statements.write(_DISABLE_TRANSACTION_TIMEOUT if line.startswith(b"SET transaction_timeout") else line)
        if b"set_config('search_path'" in line:
            return


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
