"""bin/restore FILE: the warehouse as a backup holds it. All of it or nothing, in one transaction."""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from etl.errors import ActionNeededError, EtlError
from etl.load.access import GRANTS_FILE
from etl.warehouse import engine
from etl.warehouse.sessions import watch
from launch.backup import SCHEMAS
from launch.console import Screen
from launch.environment import state_dir
from launch.only_one import only_one
from launch.warehouse_client import client_environment, program, warehouse_url

_EMPTY_FIRST = f"drop schema if exists {', '.join(SCHEMAS)} cascade;"


def main(arguments: list[str]) -> int:
    """Restore a backup.

    :returns: 0, or 1 where the warehouse is as it was.
    """
    parser = argparse.ArgumentParser(prog="bin/restore", description=__doc__)
    parser.add_argument("file", type=Path)
    source: Path = parser.parse_args(arguments).file
    screen = Screen()
    try:
        with only_one(state_dir()), screen.step(f"Warehouse restored from {source}"):
            read_backup(source)
    except EtlError as error:
        screen.complain(str(error))
        return 1
    return 0


def read_backup(source: Path) -> None:
    """Replace what the warehouse holds by the backup ``source``.

    :raises ActionNeededError: where the file is no backup or does not fit; nothing has changed then.
    """
    listing = subprocess.run([program("pg_restore"), "--list", str(source)], capture_output=True, text=True)
    if listing.returncode != 0:
        raise ActionNeededError(f"{source} cannot be read as a backup: {listing.stderr.strip()}")
    psql = [program("psql"), "--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--output", os.devnull]
    with warehouse_url() as url, client_environment(url) as environ, tempfile.TemporaryFile() as words:
        options = ["--no-owner", "--no-privileges", "--file=-"]
        dump = subprocess.Popen([program("pg_restore"), *options, str(source)], stdout=subprocess.PIPE)
        server = subprocess.Popen(psql, stdin=subprocess.PIPE, stderr=words, env=environ)
        with watch(engine(url)):
            is_whole = _feed(dump, server)
        if server.wait() != 0 or not is_whole:
            words.seek(0)
            reason = words.read().decode("utf-8", "replace").strip() or "the backup is damaged"
            raise ActionNeededError(f"Nothing was restored, the warehouse is as it was: {reason}")


def _feed(dump: "subprocess.Popen[bytes]", server: "subprocess.Popen[bytes]") -> bool:
    """Hand the backup's statements on; without the last one, sent only when all have come, nothing is kept."""
    assert dump.stdout is not None and server.stdin is not None
    try:
        with server.stdin as statements:
            statements.write(f"set client_min_messages = warning; begin; {_EMPTY_FIRST}\n".encode())
            shutil.copyfileobj(dump.stdout, statements)
            is_whole = dump.wait() == 0
            if is_whole:
                statements.write(b"\n" + GRANTS_FILE.read_bytes() + b"\ncommit;\n")
            return is_whole
    except BrokenPipeError:  # the server refused a statement
        dump.kill()
        dump.wait()
        return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
