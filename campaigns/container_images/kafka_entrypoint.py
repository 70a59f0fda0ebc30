"""Run Kafka with the settings of KAFKA_… variables, as the official image does: KAFKA_LOG_DIRS becomes log.dirs."""

import os
import subprocess
from pathlib import Path

_CLUSTER_ID = "5L6g3nShT-eMCtK--X86sw"
_JAVA = ["java", "-cp", "/opt/kafka/*", "-Dlog4j2.level=INFO"]


def main() -> None:
    """Format the data folder if it is new, and become the broker."""
    settings = {
        name.removeprefix("KAFKA_").lower().replace("__", "\0").replace("_", ".").replace("\0", "_"): value
        for name, value in os.environ.items()
        if name.startswith("KAFKA_")
    }
    properties = Path("/tmp/server.properties")
    properties.write_text("".join(f"{name}={' '.join(value.split())}\n" for name, value in settings.items()))
    options = ["--cluster-id", _CLUSTER_ID, "--config", str(properties), "--ignore-formatted"]
    subprocess.run([*_JAVA, "kafka.tools.StorageTool", "format", *options], check=True)
    os.execvp("java", [*_JAVA, "-Xmx512m", "kafka.Kafka", str(properties)])


if __name__ == "__main__":
    main()
