"""bin/restore FILE: the warehouse as a backup holds it. All of it or nothing, in one transaction."""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from etl.database import make_engine, read_sql
from etl.database.sessions import watch_sessions
from etl.errors import ActionNeededError, EtlError
from launch.backup import SCHEMAS
from launch.console import Screen
from launch.environment import get_state_dir
from launch.instance_lock import lock_instance
from launch.warehouse_client import get_program_path, make_client_environment, resolve_warehouse_url

_DROP_SCHEMAS = f"drop schema if exists {', '.join(SCHEMAS)} cascade;"


def main(arguments: list[str]) -> int:
    """Restore a backup.

    :returns: 0, or 1 where the warehouse is as it was.
    """
    parser = argparse.ArgumentParser(prog="bin/restore", description=__doc__)
    parser.add_argument("file", type=Path)
    source: Path = parser.parse_args(arguments).file
    screen = Screen()
    try:
        with lock_instance(get_state_dir()), screen.show_step(f"Warehouse restored from {source}"):
            restore_backup(source)
    except EtlError as error:
        screen.print_error(str(error))
        return 1
    return 0


def restore_backup(source: Path) -> None:
    """Replace what the warehouse holds by the backup ``source``.

    :raises ActionNeededError: where the file is no backup or does not fit; nothing has changed then.
    """
    listing = subprocess.run([get_program_path("pg_restore"), "--list", str(source)], capture_output=True, text=True)
    if listing.returncode != 0:
        raise ActionNeededError(f"{source} cannot be read as a backup: {listing.stderr.strip()}")
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
            raise ActionNeededError(f"Nothing was restored, the warehouse is as it was: {reason}")


def _send_statements(dump: "subprocess.Popen[bytes]", server: "subprocess.Popen[bytes]") -> bool:
    """Hand the backup's statements on; without the last one, sent only when all have come, nothing is kept."""
    assert dump.stdout is not None and server.stdin is not None
    try:
        with server.stdin as statements:
            statements.write(f"set client_min_messages = warning; begin; {_DROP_SCHEMAS}\n".encode())
            shutil.copyfileobj(dump.stdout, statements)
            is_whole = dump.wait() == 0
            if is_whole:
                statements.write(b"\n" + read_sql("access/grants").encode() + b"\ncommit;\n")
            return is_whole
    except BrokenPipeError:  # the server refused a statement
        dump.kill()
        dump.wait()
        return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
