"""The embedded PostgreSQL: one server for each STATE_DIR, on loopback, with passwords from its first start.

    installation    its files and binaries, and the user that runs it
    data_directory  creation of a data directory
    running_server  the addresses, programs and processes of a running server
    roles           its roles and databases
    lifecycle       start, restart, stop and remove it
    shared_server   a server for several processes, stopped by the last one

Roles: ``postgres`` (superuser), ``loader`` (owner of the database ``warehouse``) and ``airflow`` (owner of the
database ``airflow``); their passwords are in STATE_DIR/secrets. The group roles of sql/access are created as well, so
that ``loader`` needs no privilege to create roles.
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
