"""Kafka's jars, resolved once into STATE_DIR/kafka by the Ivy that pyspark ships; afterwards no network is needed.

They are apart from Spark's jars, which have other versions of the same libraries.
"""

import hashlib
import os
import shutil
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from xml.sax.saxutils import quoteattr

from etl.errors import ActionNeededError
from etl.settings import CHECKOUT
from launch.processes import run_logged
from launch.secrets_store import make_private_folder

KAFKA_VERSION = "4.4.0"
COORDINATES = (
    "at.yawk.lz4:lz4-java:1.11.2",
    "com.dynatrace.hash4j:hash4j:0.22.0",
    "com.fasterxml.jackson.core:jackson-annotations:2.21",
    "com.fasterxml.jackson.core:jackson-core:2.21.7",
    "com.fasterxml.jackson.core:jackson-databind:2.21.7",
    "com.fasterxml.jackson.datatype:jackson-datatype-jdk8:2.21.7",
    "com.github.ben-manes.caffeine:caffeine:3.2.0",
    "com.github.luben:zstd-jni:1.5.7-17",
    "com.google.re2j:re2j:1.8",
    "com.typesafe.scala-logging:scala-logging_2.13:3.9.6",
    "com.yammer.metrics:metrics-core:2.2.0",
    "commons-validator:commons-validator:1.10.1",
    "net.sf.jopt-simple:jopt-simple:5.0.4",
    "net.sourceforge.argparse4j:argparse4j:0.7.0",
    "org.apache.kafka:kafka-clients:4.4.0",
    "org.apache.kafka:kafka-coordinator-common:4.4.0",
    "org.apache.kafka:kafka-group-coordinator-api:4.4.0",
    "org.apache.kafka:kafka-group-coordinator:4.4.0",
    "org.apache.kafka:kafka-metadata:4.4.0",
    "org.apache.kafka:kafka-raft:4.4.0",
    "org.apache.kafka:kafka-server-common:4.4.0",
    "org.apache.kafka:kafka-server:4.4.0",
    "org.apache.kafka:kafka-share-coordinator:4.4.0",
    "org.apache.kafka:kafka-storage-api:4.4.0",
    "org.apache.kafka:kafka-storage:4.4.0",
    "org.apache.kafka:kafka-tools-api:4.4.0",
    "org.apache.kafka:kafka-transaction-coordinator:4.4.0",
    "org.apache.kafka:kafka_2.13:4.4.0",
    "org.apache.logging.log4j:log4j-api:2.25.5",
    "org.apache.logging.log4j:log4j-core:2.25.5",
    "org.apache.logging.log4j:log4j-slf4j-impl:2.25.5",
    "org.bitbucket.b_c:jose4j:0.9.6",
    "org.hdrhistogram:HdrHistogram:2.2.2",
    "org.jspecify:jspecify:1.0.0",
    "org.pcollections:pcollections:4.0.2",
    "org.scala-lang:scala-library:2.13.18",
    "org.slf4j:slf4j-api:1.7.36",
    "org.xerial.snappy:snappy-java:1.1.10.7",
)
"""What the broker and its storage tool load, of the dependencies of kafka_2.13: each jar alone, at its own version."""


def get_jars_folder(state: Path) -> Path:
    """Return the folder of Kafka's jars; it exists once all of them are there."""
    return state / "kafka" / f"jars-{hashlib.sha256(','.join(COORDINATES).encode()).hexdigest()[:12]}"


def get_java_path(environ: Mapping[str, str]) -> str:
    """Return the path of the program java: of JAVA_HOME, else of PATH."""
    home = environ.get("JAVA_HOME")
    return str(Path(home) / "bin" / "java") if home else "java"


def resolve_jars(state: Path, environ: dict[str, str]) -> bool:
    """Fetch Kafka's jars if they are missing.

    DEFAULT_ARTIFACT_REPOSITORY names a repository to ask before Maven Central, as it does for Spark; Java's own
    settings (JAVA_TOOL_OPTIONS) name a proxy.

    :returns: whether they were missing.
    :raises ActionNeededError: if they cannot be fetched.
    """
    folder = get_jars_folder(state)
    if folder.exists():
        return False
    ivy = make_private_folder(folder.parent) / f".ivy-{os.getpid()}"
    shutil.rmtree(ivy, ignore_errors=True)
    ivy.mkdir()
    try:
        exit_code, last_output = run_logged("kafka-jars", _build_ivy_command(ivy, environ), environ, state)
        jar_count = len(list((ivy / "jars").glob("*.jar")))
        if exit_code != 0 or jar_count != len(COORDINATES):
            raise ActionNeededError(
                f"Kafka's jars could not be fetched; the first start with streams needs the network ({last_output}). "
                f"Log: {state / 'logs' / 'kafka-jars.log'}"
            )
        _publish_folder(ivy / "jars", folder)
    finally:
        shutil.rmtree(ivy, ignore_errors=True)
    return True


def link_jars(state: Path) -> None:
    """Link the product's Kafka jars into another state folder, for tests and benchmarks; fetch them if missing."""
    own_state_dir = Path(os.environ.get("STATE_DIR") or CHECKOUT / ".state")
    resolve_jars(own_state_dir, {**os.environ, "AIRFLOW_HOME": str(state)})
    make_private_folder(state / "kafka")
    if not get_jars_folder(state).exists():
        get_jars_folder(state).symlink_to(get_jars_folder(own_state_dir))


def _build_ivy_command(ivy: Path, environ: Mapping[str, str]) -> list[str]:
    settings, module = ivy / "settings.xml", ivy / "ivy.xml"
    settings.write_text(_build_settings(ivy / "cache", environ.get("DEFAULT_ARTIFACT_REPOSITORY")), encoding="utf-8")
    module.write_text(_build_module(), encoding="utf-8")
    return [
        *(get_java_path(environ), "-jar", str(_find_ivy_jar())),
        *("-settings", str(settings), "-ivy", str(module)),
        # Without "bundle", Ivy skips the jars of scala-logging and snappy, and reports no error.
        *("-retrieve", f"{ivy}/jars/[artifact]-[revision].[ext]", "-types", "jar", "bundle"),
    ]


def _find_ivy_jar() -> Path:
    spec = find_spec("pyspark")
    if spec is None or spec.origin is None:
        raise ActionNeededError("pyspark is not installed; start bin/run, which installs it.")
    return next((Path(spec.origin).parent / "jars").glob("ivy-*.jar"))


def _build_settings(cache: Path, repository: str | None) -> str:
    resolvers = '<ibiblio name="central" m2compatible="true"/>'
    if repository:
        resolvers = f'<ibiblio name="first" m2compatible="true" root={quoteattr(repository)}/>{resolvers}'
    return (
        f'<ivysettings><settings defaultResolver="all"/><caches defaultCacheDir={quoteattr(str(cache))}/>'
        f'<resolvers><chain name="all">{resolvers}</chain></resolvers></ivysettings>'
    )


def _build_module() -> str:
    dependencies = "".join(
        f'<dependency org="{group}" name="{name}" rev="{revision}" conf="default->master" transitive="false"/>'
        for group, name, revision in (coordinate.split(":") for coordinate in COORDINATES)
    )
    return (
        '<ivy-module version="2.0"><info organisation="listening-warehouse" module="kafka"/>'
        '<configurations><conf name="default"/></configurations>'
        f"<dependencies>{dependencies}</dependencies></ivy-module>"
    )


def _publish_folder(draft: Path, folder: Path) -> None:
    try:
        draft.rename(folder)
    except OSError:  # another process was faster
        if not folder.exists():
            raise
