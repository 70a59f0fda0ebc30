"""The roles and databases of the embedded server, created by its superuser."""

import hashlib
import subprocess

from etl.database import read_sql
from etl.errors import ActionNeededError
from launch.postgres.data_directory import find_last_line
from launch.postgres.running_server import HOST, Server
from launch.secrets_store import get_secret

DATABASE_OWNERS = {"warehouse": "loader", "airflow": "airflow"}

_ROLES_AND_DATABASES = r"""
\set ON_ERROR_STOP on
\getenv password ROLE_PASSWORD
select format('create role %I login', :'role')
where not exists (select from pg_roles where rolname = :'role') \gexec
select format('alter role %I password %L', :'role', :'password') \gexec
select format('create database %I owner %I', :'database', :'role')
where not exists (select from pg_database where datname = :'database') \gexec
revoke all on database :"database" from public;
revoke all on database postgres, template1 from public;
grant pg_use_reserved_connections to :"role";
"""


def compute_setup_hash() -> str:
    """Return a hash of the set-up, which changes with any part of it."""
    return hashlib.sha256(f"{_ROLES_AND_DATABASES} {DATABASE_OWNERS} {read_sql('access/roles')}".encode()).hexdigest()


def make_roles_and_databases(server: Server) -> None:
    """Create missing roles and databases, set the passwords, then run the part of sql/access for a superuser."""
    for database, role in DATABASE_OWNERS.items():
        _run_psql(
            server,
            ["--set", f"role={role}", "--set", f"database={database}"],
            statements=_ROLES_AND_DATABASES,
            ROLE_PASSWORD=get_secret(server.state_dir, f"postgres-{role}"),
        )
    _run_psql(server, ["--set", "ON_ERROR_STOP=1", "--dbname", "warehouse"], statements=read_sql("access/roles"))


def count_clients(server: Server) -> int:
    """Return the number of client connections, without its own."""
    statement = (
        "select count(*) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()"
    )
    return int(_run_psql(server, ["--command", statement]).strip())


def _run_psql(server: Server, arguments: list[str], statements: str = "", **environ: str) -> str:
    command = [server.get_program_path("psql"), "--no-psqlrc", "--quiet", "--tuples-only", "--host", HOST]
    command += ["--port", str(server.port), "--username", "postgres", "--dbname", "postgres", *arguments]
    environ["PGPASSWORD"] = get_secret(server.state_dir, "postgres-postgres")
    environ["PGREQUIREAUTH"] = "scram-sha-256"
    environ["PGOPTIONS"] = "-c log_min_error_statement=panic"  # statements hold passwords
    result = subprocess.run(command, input=statements, env=environ, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise ActionNeededError(f"The set-up of the embedded PostgreSQL failed: {find_last_line(result.stderr)}")
    return result.stdout
