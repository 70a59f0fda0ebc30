"""The embedded broker's files: its settings, and a data folder that has passwords from its first start."""

import base64
import os
import shutil
import subprocess
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from etl.errors import ActionNeededError
from launch.kafka.jars import get_jars_folder, get_java_path
from launch.ports import HOST, choose_port
from launch.secrets_store import get_secret, make_private_folder

ADMIN, CLIENT = "admin", "warehouse"
"""The broker's own user, which may do everything, and the user of the product's streams."""
MECHANISM = "SCRAM-SHA-512"

_CONSTANT_SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "BROKER",
    "listener.security.protocol.map": "BROKER:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT",
    "sasl.enabled.mechanisms": MECHANISM,
    "sasl.mechanism.inter.broker.protocol": MECHANISM,
    "sasl.mechanism.controller.protocol": MECHANISM,
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "super.users": f"User:{ADMIN}",
    "auto.create.topics.enable": "false",
    # One broker has one replica of everything, and few clients.
    "default.replication.factor": "1",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    # The default of 500 ms costs an idle broker half of its processor time.
    "metadata.max.idle.interval.ms": "5000",
    # A laptop may be off for weeks: the offsets of its consumer groups outlive that.
    "offsets.retention.minutes": str(60 * 24 * 60),
    "log.retention.hours": str(7 * 24),
    "log.segment.bytes": str(128 << 20),
    # The default of 128 MiB is a quarter of the heap.
    "log.cleaner.dedupe.buffer.size": str(16 << 20),
}
_LOG_SETTINGS = """\
status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{yyyy-MM-dd HH:mm:ss,SSS} %-5p %c{1}: %m %ex{short.message}%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
"""


@dataclass(frozen=True)
class BrokerFiles:
    """The folder of one embedded broker, and its two ports."""

    home: Path
    port: int
    controller_port: int

    @property
    def properties(self) -> Path:
        """Return the path of the broker's settings, which contain a password."""
        return self.home / "server.properties"

    @property
    def log_settings(self) -> Path:
        """Return the path of the settings of the broker's log."""
        return self.home / "log4j2.properties"

    @property
    def data(self) -> Path:
        """Return the folder of topics and metadata."""
        return self.home / "data"


def get_port_file(state: Path) -> Path:
    """Return the file with the port for clients."""
    return state / "kafka" / "broker.port"


def prepare_files(state: Path, environ: Mapping[str, str]) -> BrokerFiles:
    """Write the broker's settings and, at the first start, create its data folder.

    The ports are those of the last start if they are free.

    :raises ActionNeededError: if the data folder cannot be created, or if its passwords are gone.
    """
    home = make_private_folder(state / "kafka")
    port = choose_port(get_port_file(state))
    files = BrokerFiles(home, port, choose_port(home / "controller.port", excluded=[port]))
    _check_passwords(state, files)
    _write_private_file(files.log_settings, _LOG_SETTINGS)
    _write_private_file(files.properties, _build_properties(state, files, files.data))
    # Java programs unpack their native libraries here; a killed one leaves them.
    shutil.rmtree(home / "tmp", ignore_errors=True)
    make_private_folder(home / "tmp")
    if not files.data.exists():
        _format_data(state, files, environ)
    return files


def build_java_command(state: Path, environ: Mapping[str, str], *options: str) -> list[str]:
    """Return the beginning of the command of one of Kafka's programs."""
    home = state / "kafka"
    return [
        *(get_java_path(environ), "-cp", f"{get_jars_folder(state)}/*", *options),
        *("-XX:+UseSerialGC", "-Djava.net.preferIPv4Stack=true"),
        # With both options, Java writes no file outside of STATE_DIR.
        *("-XX:+PerfDisableSharedMem", f"-Djava.io.tmpdir={home / 'tmp'}"),
        f"-Dlog4j2.configurationFile={home / 'log4j2.properties'}",
    ]


def _check_passwords(state: Path, files: BrokerFiles) -> None:
    missing = [user for user in (ADMIN, CLIENT) if not (state / "secrets" / f"kafka-{user}").exists()]
    if missing and files.data.exists():
        raise ActionNeededError(
            f"The password kafka-{missing[0]} of the embedded Kafka is missing in {state / 'secrets'}: restore it, or "
            f"delete {files.data} with all messages that were not loaded yet."
        )


def _build_properties(state: Path, files: BrokerFiles, data: Path) -> str:
    login = (
        "org.apache.kafka.common.security.scram.ScramLoginModule required "
        f'username="{ADMIN}" password="{get_secret(state, f"kafka-{ADMIN}")}";'
    )
    broker, controller = f"BROKER://{HOST}:{files.port}", f"CONTROLLER://{HOST}:{files.controller_port}"
    settings = _CONSTANT_SETTINGS | {
        "listeners": f"{broker},{controller}",
        "advertised.listeners": broker,
        "controller.quorum.voters": f"1@{HOST}:{files.controller_port}",
        "listener.name.broker.scram-sha-512.sasl.jaas.config": login,
        "listener.name.controller.scram-sha-512.sasl.jaas.config": login,
        "log.dirs": str(data),
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())


def _format_data(state: Path, files: BrokerFiles, environ: Mapping[str, str]) -> None:
    """Create the data folder atomically, after removing the leftovers of an earlier try."""
    draft, properties, arguments = (files.home / f".format{suffix}" for suffix in ("", ".properties", ".arguments"))
    shutil.rmtree(draft, ignore_errors=True)
    _write_private_file(properties, _build_properties(state, files, draft))
    cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    credentials = [
        f"{MECHANISM}=[name={user},password={get_secret(state, f'kafka-{user}')}]" for user in (ADMIN, CLIENT)
    ]
    lines = ["format", f"--config={properties}", f"--cluster-id={cluster_id}"]
    # Passwords are in a file of arguments, since every user of the machine can read the arguments of a process.
    _write_private_file(
        arguments, "".join(f"{line}\n" for line in [*lines, *(f"--add-scram={c}" for c in credentials)])
    )
    command = [*build_java_command(state, environ), "kafka.tools.StorageTool", f"@{arguments}"]
    try:
        # Its standard output has the keys of the users, and is not kept.
        process = subprocess.run(
            command,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            umask=0o077,
            check=False,
        )
    finally:
        arguments.unlink()
        properties.unlink()
    if process.returncode != 0:
        lines = process.stderr.decode(errors="replace").strip().splitlines() or ["no output"]
        raise ActionNeededError(f"The data folder of the embedded Kafka cannot be created in {files.home}: {lines[-1]}")
    draft.rename(files.data)


def _write_private_file(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)
