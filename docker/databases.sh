#!/usr/bin/env bash
# Run once by the PostgreSQL image, in an empty volume: two users without further rights, each with its own database.
set -euo pipefail
psql --set=ON_ERROR_STOP=1 --username="$POSTGRES_USER" --dbname=postgres <<'SQL'
\getenv warehouse_password WAREHOUSE_PASSWORD
\getenv airflow_password AIRFLOW_DATABASE_PASSWORD
create role loader login password :'warehouse_password';
create role airflow login password :'airflow_password';
grant pg_use_reserved_connections to loader, airflow;
create database warehouse owner loader;
create database airflow owner airflow;
revoke all on database warehouse, airflow, postgres, template1 from public;
SQL
psql --set=ON_ERROR_STOP=1 --username="$POSTGRES_USER" --dbname=warehouse --file=/roles.sql
