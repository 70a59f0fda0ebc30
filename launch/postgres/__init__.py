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

from launch.postgres.running import Server, running_pid
from launch.postgres.server import bound_log, mend, remove, start, stop

__all__ = ["Server", "bound_log", "mend", "remove", "running_pid", "start", "stop"]
