#!/usr/bin/env bash
# Like the official image: creates the cluster in an empty volume, runs the scripts, then serves.
set -euo pipefail
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    mkdir --parents "$PGDATA"
    # shellcheck disable=SC2086 # several options
    initdb --pgdata="$PGDATA" --username="$POSTGRES_USER" --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD") $POSTGRES_INITDB_ARGS
    echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
    export PGPASSWORD=$POSTGRES_PASSWORD PGHOST=/tmp
    pg_ctl --pgdata="$PGDATA" --wait --options="-c listen_addresses='' -c unix_socket_directories=/tmp" start
    for script in /docker-entrypoint-initdb.d/*; do
        "$script"
    done
    pg_ctl --pgdata="$PGDATA" --wait --mode=fast stop
    unset PGPASSWORD PGHOST
fi
exec postgres -D "$PGDATA" -c listen_addresses='*' -c unix_socket_directories=/tmp
