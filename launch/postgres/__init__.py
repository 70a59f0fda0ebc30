"""The embedded PostgreSQL: one server a STATE_DIR, on loopback, with passwords from its first second.

    place     where its files and binaries lie, and which user runs it
    folder    a new data folder
    running   what of a server runs: its addresses, its programs, its processes
    roles     the roles and databases that it is given
    server    its life: start, mend, stop, remove
    use       shared by several, stopped by the last who leaves

Roles: ``postgres`` (superuser), ``loader`` (owner of the database ``warehouse``) and ``airflow`` (owner of the
database ``airflow``); their passwords are in STATE_DIR/secrets. The group roles of sql/access are made beside them, so
that ``loader`` needs no right to make any.
"""

from launch.postgres.lifecycle import remove_servers, restart_if_ended, start_server, stop_server, truncate_log
from launch.postgres.running_server import Server, find_running_pid

__all__ = [
    "Server",
    "find_running_pid",
    "remove_servers",
    "restart_if_ended",
    "start_server",
    "stop_server",
    "truncate_log",
]
