"""The container files: linted, and checked without an engine; the campaign ``containers`` starts them."""

import json
import os
import re
import runpy
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml

from launch.streams import get_progress_path

DOCKER = Path(__file__).resolve().parents[1] / "docker"
ONE_SHOT = {"set-up", "first-start"}
SET_IN_THE_CONTAINER = {"STATE_DIR", "IS_STAND_IN"}
"""Set by the Dockerfile, and by run_component.py if the mock API is used."""


def _run_main(script: str, *arguments: Any) -> int:
    """Call the main function of a script. docker/ is not a package: it would hide the library of that name."""
    code: int = runpy.run_path(str(DOCKER / script))["main"](*arguments)
    return code


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    text = (DOCKER / "compose.yaml").read_text(encoding="utf-8")
    content: dict[str, Any] = yaml.safe_load(text)
    return content


def test_hadolint_finds_nothing() -> None:
    hadolint = Path(sys.executable).parent / "hadolint"
    done = subprocess.run([hadolint, DOCKER / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_ports_are_published_on_loopback_only(compose: dict[str, Any]) -> None:
    ports = [port for service in compose["services"].values() for port in service.get("ports", [])]
    assert ports and all(port.startswith("127.0.0.1:") for port in ports)


def test_passwords_are_asked_for_and_never_given(compose: dict[str, Any]) -> None:
    text = (DOCKER / "compose.yaml").read_text(encoding="utf-8")
    passwords = re.findall(r"\$\{(\w*PASSWORD\w*)([^}]*)\}", text)
    # That of a Kafka is optional, and empty if it is not set.
    assert passwords and all(suffix.startswith(":?") or suffix == ":-" for _, suffix in passwords)
    example = (DOCKER / ".env.example").read_text(encoding="utf-8")
    assert {name for name, _ in passwords} == set(re.findall(r"^#?(\w*PASSWORD\w*)=$", example, re.MULTILINE))


def test_the_containers_are_told_every_setting_that_a_dag_or_a_job_reads(compose: dict[str, Any]) -> None:
    checkout = DOCKER.parent
    table = (checkout / "docs" / "settings.md").read_text(encoding="utf-8")
    named = set(re.findall(r"(?m)^\| `([A-Z_]+)` \|", table))
    sources = [path for folder in ("dags", "etl") for path in (checkout / folder).rglob("*.py")]
    read = {name for path in sources for name in re.findall(r'["{]([A-Z_]+)\b', path.read_text(encoding="utf-8"))}
    assert {"KEEP_DAYS", "LAKE_URL", "REFRESH_CRON", "AIRFLOW_METADATA_URL"} <= named & read
    # Only the dashboard writes texts, and has the key of a language model.
    environment = {
        name: value
        for service in ("scheduler", "dashboard")
        for name, value in compose["services"][service]["environment"].items()
    }
    assert (named & read) - SET_IN_THE_CONTAINER == (named & read & set(environment)) - SET_IN_THE_CONTAINER
    example = (DOCKER / ".env.example").read_text(encoding="utf-8")
    offered = {name for value in environment.values() for name in re.findall(r"\$\{(\w+)", value)}
    assert offered <= set(re.findall(r"(?m)^#?([A-Z_]+)=", example))


def test_every_lasting_service_has_a_healthcheck(compose: dict[str, Any]) -> None:
    without = {name for name, service in compose["services"].items() if "healthcheck" not in service}
    assert without == ONE_SHOT


def test_a_healthcheck_asks_for_its_own_service(compose: dict[str, Any]) -> None:
    checks = {
        name: service["healthcheck"]["test"] for name, service in compose["services"].items() if name not in ONE_SHOT
    }
    asked = {name: check[3] for name, check in checks.items() if check[1:3] == ["python", "docker/health.py"]}
    assert set(checks) - set(asked) == {"postgres", "kafka"}
    assert asked == {name: name.replace("dag-", "dag_") for name in asked} | {"api-server": "metadatabase"}


def test_every_service_waits_for_one_that_exists(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for service in services.values():
        for name, wait in service.get("depends_on", {}).items():
            lasting = "healthcheck" in services[name]
            assert wait["condition"] == ("service_healthy" if lasting else "service_completed_successfully")


def test_spark_runs_only_in_its_profile(compose: dict[str, Any]) -> None:
    assert {name for name, s in compose["services"].items() if s.get("profiles") == ["spark"]} == {
        "spark-master",
        "spark-worker",
    }


def test_the_broker_runs_only_in_its_profile(compose: dict[str, Any]) -> None:
    assert [name for name, service in compose["services"].items() if service.get("profiles") == ["kafka"]] == ["kafka"]


def test_a_restarted_container_takes_no_network_away_from_another(compose: dict[str, Any]) -> None:
    assert not [name for name, service in compose["services"].items() if "network_mode" in service]


@pytest.mark.parametrize("name", ["dashboard", "mock-api"])
def test_servers_without_a_need_for_secrets_get_none(compose: dict[str, Any], name: str) -> None:
    variables = compose["services"][name]["environment"]
    assert not [value for value in variables.values() if "PASSWORD" in value or "SECRET" in value]


@pytest.mark.parametrize("name", ["dashboard", "mock-api"])
def test_servers_listen_for_the_other_containers(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STATE_DIR", str(tmp_path))
    monkeypatch.setenv("WAREHOUSE_URL", "postgresql://postgres:5432/warehouse")
    monkeypatch.delenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", raising=False)
    started: list[list[str]] = []
    monkeypatch.setattr("os.execvpe", lambda _, command, __: started.append(command) or sys.exit(0))
    monkeypatch.setattr("os.umask", lambda _: 0)
    with pytest.raises(SystemExit):
        _run_main("run_component.py", [name])
    assert "0.0.0.0" in " ".join(started[0])


def test_volumes_that_are_used_exist(compose: dict[str, Any]) -> None:
    used = {v.split(":")[0] for s in compose["services"].values() for v in s.get("volumes", [])}
    named = {volume for volume in used if re.fullmatch(r"\w+", volume)}
    assert named == set(compose["volumes"])


def test_what_the_image_copies_and_the_compose_file_mounts_exists(compose: dict[str, Any]) -> None:
    copied = re.findall(r"^COPY (?!--)(\S+) ", (DOCKER / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    ignored = (DOCKER / "Dockerfile.dockerignore").read_text(encoding="utf-8").split()
    assert copied and all((DOCKER.parent / name).exists() and f"!{name.split('/')[0]}" in ignored for name in copied)
    assert (DOCKER / "databases.sh").stat().st_mode & 0o111


def test_every_container_runs_a_part_that_is_known(compose: dict[str, Any]) -> None:
    commands = {s["command"] for s in compose["services"].values() if "command" in s}
    environ = {**os.environ, "PYTHONPATH": str(DOCKER.parent)}
    command = [sys.executable, DOCKER / "run_component.py", "--help"]
    usage = subprocess.run(command, env=environ, capture_output=True, text=True)
    assert commands == set(re.findall(r"[\w-]+", re.search(r"\{(.+?)\}", usage.stdout)[1]))  # type: ignore[index]


@pytest.mark.parametrize("name", ["api-server", "dag-processor", "scheduler", "triggerer"])
def test_airflow_knows_each_part_and_its_options(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STATE_DIR", str(tmp_path))
    monkeypatch.setenv("AIRFLOW__API__HOST", "0.0.0.0")
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "postgresql://airflow:hidden@127.0.0.1:1/airflow")
    started: list[tuple[list[str], dict[str, str]]] = []
    monkeypatch.setattr("os.execvpe", lambda _, command, environ: started.append((command, environ)) or sys.exit(0))
    monkeypatch.setattr("os.umask", lambda _: 0)
    monkeypatch.setattr("launch.first_start.prepare_scheduling", lambda *_: None)
    with pytest.raises(SystemExit):
        _run_main("run_component.py", [name])
    command, environ = started[0]
    assert command[:4] == [sys.executable, "-m", "airflow", name]
    assert environ["AIRFLOW__API__HOST"] == "0.0.0.0" and environ["AIRFLOW__API_AUTH__JWT_SECRET"]


def test_set_up_says_in_a_sentence_why_it_cannot(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STATE_DIR", str(tmp_path))
    monkeypatch.setenv("WAREHOUSE_URL", "postgresql://loader:hidden@127.0.0.1:1/warehouse")
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "postgresql://airflow:hidden@127.0.0.1:1/airflow")
    assert _run_main("run_component.py", ["set-up"]) == 1
    printed = capsys.readouterr().err
    assert "127.0.0.1:1/warehouse" in printed and "hidden" not in printed


@pytest.fixture
def api_server() -> Iterator[str]:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"scheduler": {"status": "healthy"}, "triggerer": {"status": None}}).encode())

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    server = HTTPServer(("127.0.0.1", 0), Answer)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def test_health_is_what_airflow_says(api_server: str) -> None:
    assert _run_main("health.py", "scheduler", api_server) == 0
    assert _run_main("health.py", "triggerer", api_server) == 1


@pytest.mark.parametrize("name", ["dashboard", "mock-api"])
def test_a_server_is_healthy_while_it_responds(name: str, api_server: str) -> None:
    assert _run_main("health.py", name, api_server) == 0
    assert _run_main("health.py", name, "http://127.0.0.1:1/") == 1


@pytest.mark.parametrize("name", ["landing", "live"])
def test_streams_are_healthy_while_they_write_their_progress(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("STATE_DIR", str(tmp_path))
    assert _run_main("health.py", name) == 1
    file = get_progress_path(tmp_path, name)
    file.touch()
    assert _run_main("health.py", name) == 0
    os.utime(file, (0, 0))
    assert _run_main("health.py", name) == 1


def test_without_an_api_server_nothing_is_healthy() -> None:
    assert _run_main("health.py", "scheduler", "http://127.0.0.1:1/") == 1
