# A stand-in for the official image of Kafka, for a machine that reaches no image registry. It has the interface that
# docker/compose.yaml uses: settings as KAFKA_… variables, the volume of the data, and bash.
FROM docker.io/library/listening-warehouse AS jars
# hadolint ignore=DL3002
USER root
RUN --mount=type=secret,id=ca,target=/usr/local/share/ca-certificates/build.crt update-ca-certificates
RUN python -c "import os; from pathlib import Path; from launch.kafka.jars import get_jars_folder, resolve_jars; state = Path('/jars'); state.mkdir(); resolve_jars(state, {**os.environ, 'AIRFLOW_HOME': '/jars'}); get_jars_folder(state).rename('/opt/kafka')" \
    && chmod --recursive a+rX /opt/kafka

FROM docker.io/library/listening-warehouse
# hadolint ignore=DL3002
USER root
RUN useradd --uid 1000 appuser && install --directory --owner=appuser /var/lib/kafka/data
COPY --from=jars /opt/kafka /opt/kafka
COPY kafka_entrypoint.py /usr/local/bin/
VOLUME /var/lib/kafka/data
USER appuser
ENTRYPOINT ["python", "/usr/local/bin/kafka_entrypoint.py"]
