"""The steps of the campaign: each does something with the project and returns what it has found, or raises an error."""

import argparse
import json
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from campaigns.container_runs import browsing, images
from campaigns.container_runs.engine import Project, run_command
from campaigns.container_runs.warehouse import delete_events, list_differences, read_digests
from etl import database
from etl.settings import CHECKOUT
from launch.airflow_api import ENDED_STATES, AirflowApi

_Found = TypeVar("_Found")
_MAX_IMAGE_BYTES = 2_000_000_000
_ONE_SHOT = ("set-up", "first-start")
_START_SECONDS = 2400
_RECOVERY_SECONDS = 300
_RUN_SECONDS = 1800
_SPARK_SETTINGS = {
    "SPARK_MASTER": "spark://spark-master:7077",
    "SPARK_LOCAL_IP": "scheduler",
    "SPARK_WORKER_CORES": "1",
}
_EVENT_COUNT = "select count(*) as n from warehouse.fact_event"
_KAFKA_SETTINGS = {
    "KAFKA_BOOTSTRAP_SERVERS": "kafka:9092",
    "KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
    "KAFKA_SASL_MECHANISM": "PLAIN",
    "KAFKA_SASL_USERNAME": "warehouse",
}
_STREAMED_MESSAGES = {
    "in the star": "select sum(row_count) as n from audit.run_input where name like 'SpotifyWrapped of %'",
    "in the live tables": "select sum(events) as n from live.batch",
}
_SPARK_STATUS = "import urllib.request as r; print(r.urlopen('http://spark-master:8080/json/').read().decode())"


@dataclass
class Campaign:
    """A project, its settings, a folder for files, and the options of the command."""

    project: Project
    settings: dict[str, str]
    folder: Path
    options: argparse.Namespace

    @property
    def warehouse_url(self) -> str:
        """Return the URL of the warehouse on its published port."""
        return self._build_url("loader", "WAREHOUSE_PASSWORD", "127.0.0.1", self.settings["POSTGRES_PORT"])

    @property
    def admin_url(self) -> str:
        """Return the URL of the warehouse's superuser inside the containers."""
        return self._build_url("postgres", "POSTGRES_PASSWORD", "postgres", "5432")

    @property
    def web_url(self) -> str:
        """Return the address of Airflow."""
        return f"http://127.0.0.1:{self.settings['WEB_PORT']}"

    def read_web_password(self) -> str:
        """Return the password of Airflow's user, as docker/README.md says where it is."""
        return self.project.execute("api-server", "cat", "/state/secrets/airflow-admin").strip()

    def set_variables(self, variables: dict[str, str]) -> None:
        """Add variables to the file of settings."""
        self.settings |= variables
        with self.project.env_file.open("a", encoding="utf-8") as file:
            file.writelines(f"{name}={value}\n" for name, value in variables.items())

    def start_services(self, *options: str, profiles: tuple[str, ...] = (), checkout: Path = CHECKOUT) -> None:
        """Start the project, and wait until it is ready."""
        arguments = ["up", "--detach", "--no-build", "--wait", "--wait-timeout", str(_START_SECONDS), *options]
        self.project.compose(*arguments, profiles=profiles, checkout=checkout)

    def run_dag(self, dag_id: str, conf: dict[str, object]) -> str:
        """Start a run over REST and wait for its end; return its id.

        :raises RuntimeError: if it fails or takes too long.
        """
        return self.wait_for_run(dag_id, self.start_run(dag_id, conf))

    def start_run(self, dag_id: str, conf: dict[str, object]) -> str:
        """Start a run over REST; return its id."""
        return AirflowApi(self.web_url, "admin", self.read_web_password()).start_run(dag_id, conf)

    def wait_for_run(self, dag_id: str, run_id: str) -> str:
        """Wait for the end of a run; return its id.

        :raises RuntimeError: if it fails or takes too long.
        """
        api = AirflowApi(self.web_url, "admin", self.read_web_password())
        state = _wait_for(lambda: _get_ended_state(api, dag_id, run_id), _RUN_SECONDS, f"the run {run_id} of {dag_id}")
        if state != "success":
            reasons = [api.find_failure_reason(dag_id, run_id, task) for task in api.list_tasks(dag_id, run_id)]
            raise RuntimeError(f"{dag_id} {run_id} is {state}: {[reason for reason in reasons if reason]}")
        return run_id

    def _build_url(self, user: str, password: str, host: str, port: str) -> str:
        return f"postgresql://{user}:{self.settings[password]}@{host}:{port}/warehouse"


def build_images(campaign: Campaign) -> str:
    """Build all images; with --previous, the product's image from that commit."""
    engine, options = campaign.project.engine, campaign.options
    if options.stand_ins:
        images.build_base_image(engine)
    with _open_checkout(options.previous) as checkout:
        images.build_product_image(engine, options.certificate, checkout)
    if options.stand_ins:
        images.build_stand_ins(engine, options.certificate)
    return "; ".join([_check_image(engine), *([] if options.previous else [_check_bill_of_materials(engine)])])


def start_project(campaign: Campaign) -> str:
    """Start the project and wait for its first refresh."""
    with _open_checkout(campaign.options.previous) as checkout:
        campaign.start_services(checkout=checkout)
    containers = campaign.project.list_containers()
    ended = {c.service: c.exit_code for c in containers if c.service in _ONE_SHOT}
    require(set(ended.values()) == {0}, f"one-shot services ended with {ended}")
    require(all(c.is_ready() for c in containers if c.service not in _ONE_SHOT), f"not ready: {containers}")
    rows = read_digests(campaign.warehouse_url)
    counts = {name: rows[name][0] for name in ("warehouse.dim_track", "warehouse.fact_event", "mart.listener_year")}
    require(all(counts.values()), f"empty after the first start: {counts}")
    return f"{len(containers)} containers; rows: {counts}"


def upgrade_project(campaign: Campaign) -> str:
    """Replace the image of the previous commit by this one's; the data stays."""
    if campaign.options.previous is None:
        return "not asked for"
    before = read_digests(campaign.warehouse_url)
    images.build_product_image(campaign.project.engine, campaign.options.certificate)
    findings = [_check_image(campaign.project.engine), _check_bill_of_materials(campaign.project.engine)]
    campaign.project.compose("down", "--remove-orphans")
    campaign.start_services()
    differences = list_differences(before, read_digests(campaign.warehouse_url))
    require(not differences, f"changed by the upgrade: {differences}")
    return "; ".join([f"from {campaign.options.previous}: {len(before)} tables have the same rows", *findings])


def refresh_over_rest(campaign: Campaign) -> str:
    """Start the nightly refresh as any program may."""
    return campaign.run_dag("nightly_refresh", {})


def open_pages(campaign: Campaign) -> str:
    """Sign in to the dashboard with a login that an operator adds, and to Airflow."""
    command = ["python", "-m", "launch.add_login", "analyst", "ada"]
    printed = campaign.project.execute("scheduler", *command, environ={"WAREHOUSE_ADMIN_URL": campaign.admin_url})
    password = next(line.split()[1] for line in printed.splitlines() if line.startswith("password"))
    folder = campaign.options.screenshots or campaign.folder
    with browsing.open_browser() as browser:
        dashboard_url = f"http://127.0.0.1:{campaign.settings['DASHBOARD_PORT']}"
        page = browsing.sign_in_to_dashboard(browser, dashboard_url, "ada", password)
        browsing.save_screenshot(browser, folder / "dashboard.png")
        dags = browsing.sign_in_to_airflow(browser, campaign.web_url, "admin", campaign.read_web_password())
        browsing.save_screenshot(browser, folder / "airflow.png")
    return f"dashboard: {len(page.split())} words; Airflow lists {dags.count('_')} names with an underscore"


def kill_each_container(campaign: Campaign) -> str:
    """Kill the containers one after the other; each comes back by itself, and the data is the same."""
    before = read_digests(campaign.warehouse_url)
    services = sorted({c.service for c in campaign.project.list_containers()} - set(_ONE_SHOT))
    seconds = {}
    for service in services:
        killed = campaign.project.kill(service)
        campaign.project.wait_until_ready([service], _RECOVERY_SECONDS, killed.pid)
        seconds[service] = round(campaign.project.wait_until_ready(services, _RECOVERY_SECONDS))
    differences = list_differences(before, read_digests(campaign.warehouse_url))
    require(not differences, f"changed by the kills: {differences}")
    campaign.run_dag("nightly_refresh", {})
    return f"{len(services)} killed and back; the refresh works"


def back_up_and_restore(campaign: Campaign) -> str:
    """Back up, delete all events, restore: all rows are back."""
    before = read_digests(campaign.warehouse_url)
    campaign.project.execute("scheduler", "python", "-m", "launch.backup", "/state/campaign.backup")
    deleted = delete_events(campaign.warehouse_url)
    campaign.project.execute("scheduler", "python", "-m", "launch.restore", "/state/campaign.backup")
    differences = list_differences(before, read_digests(campaign.warehouse_url))
    require(deleted > 0 and not differences, f"{deleted} deleted; after the restore: {differences}")
    return f"{deleted} deleted events are back, {len(before)} tables have the same rows"


def refresh_on_spark_cluster(campaign: Campaign) -> str:
    """Refresh all rows, simulate a feed and load it, at the same time on a cluster of two cores.

    A session has all free cores: a step that waited for the warehouse with them would stop the others.
    """
    campaign.set_variables(_SPARK_SETTINGS)
    campaign.start_services("--scale", "spark-worker=2", profiles=("spark",))
    event_count = _count(campaign, _EVENT_COUNT)
    forms = {"simulate_feed": {"users": 10, "hours": 24, "seed": 2}, "nightly_refresh": {"full_refresh": True}}
    run_ids = {dag_id: campaign.start_run(dag_id, form) for dag_id, form in forms.items()}
    for dag_id, run_id in run_ids.items():
        campaign.wait_for_run(dag_id, run_id)
    _wait_for(lambda: _count(campaign, _EVENT_COUNT) > event_count, _RUN_SECONDS, "the events of the feed")
    status = json.loads(campaign.project.execute("scheduler", "python", "-c", _SPARK_STATUS))
    ended = [application["state"] for application in status["completedapps"]]
    require(status["aliveworkers"] == 2 and "FINISHED" in ended, f"{status['aliveworkers']} workers, {ended}")
    campaign.set_variables({"SPARK_MASTER": "local[*]", "SPARK_LOCAL_IP": "127.0.0.1"})
    return f"{status['aliveworkers']} workers with {status['cores']} cores, {len(ended)} applications"


def stream_events(campaign: Campaign) -> str:
    """Send events into Kafka: they arrive in the star and in the live tables."""
    campaign.set_variables(_KAFKA_SETTINGS)
    campaign.start_services(profiles=("kafka", "streams"))
    command = "python -m launch.simulate_stream --users 20 --hours 24 --full-speed --seed 3"
    printed = campaign.project.execute("scheduler", *command.split())
    found = re.search(r"The stream has ([\d,]+) messages", printed)
    require(found is not None, f"nothing was sent: {printed}")
    sent = int(str(found and found[1]).replace(",", ""))
    counts = {name: _wait_for_messages(campaign, query, sent) for name, query in _STREAMED_MESSAGES.items()}
    killed = [campaign.project.kill(service).service for service in ("kafka", "landing", "live")]
    campaign.project.wait_until_ready(killed, _RECOVERY_SECONDS)
    campaign.set_variables(dict.fromkeys(_KAFKA_SETTINGS, ""))
    return f"{sent} messages sent, {counts}; {killed} killed and back"


def remove_project(campaign: Campaign) -> str:
    """Remove the project with its volumes: nothing is left."""
    campaign.project.compose("down", "--volumes", "--remove-orphans", profiles=("spark", "kafka", "streams"))
    leftovers = campaign.project.list_leftovers()
    require(not leftovers, f"left behind: {leftovers}")
    return "no container, volume or network is left"


def _check_image(engine: str) -> str:
    size = images.measure_image(engine)
    faults = images.find_image_faults(engine)
    require(size <= _MAX_IMAGE_BYTES and not faults, f"{size / 1e9:.2f} GB, {faults}")
    return f"image of {size / 1e9:.2f} GB, without compiler and superuser"


def _check_bill_of_materials(engine: str) -> str:
    unlisted = images.find_unlisted_packages(engine)
    require(not unlisted, f"not in the bill of materials: {unlisted}")
    return "its bill of materials lists all packages"


@contextmanager
def _open_checkout(commit: str | None) -> Iterator[Path]:
    """Yield a checkout of a commit during the context; this checkout if there is none."""
    if commit is None:
        yield CHECKOUT
        return
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "checkout.tar"
        run_command(["git", "-C", str(CHECKOUT), "archive", "--output", str(archive), commit])
        run_command(["tar", "--directory", folder, "--extract", "--file", str(archive)])
        yield Path(folder)


def _get_ended_state(api: AirflowApi, dag_id: str, run_id: str) -> str | None:
    state = str(api.get_run(dag_id, run_id)["state"])
    return state if state in ENDED_STATES else None


def _wait_for_messages(campaign: Campaign, query: str, message_count: int) -> int:
    """Wait until a query counts all messages; return its number."""
    _wait_for(lambda: _count(campaign, query) >= message_count, _RUN_SECONDS, f"{message_count} messages by {query}")
    return _count(campaign, query)


def _count(campaign: Campaign, query: str) -> int:
    with database.connect(campaign.warehouse_url) as connection:
        return int(str(database.fetch_rows(connection, query)[0]["n"] or 0))


def _wait_for(find: Callable[[], _Found | None], seconds: float, name: str) -> _Found:
    deadline = time.monotonic() + seconds
    while not (found := find()):
        if time.monotonic() > deadline:
            raise RuntimeError(f"No end of the wait for {name} after {seconds:.0f} s.")
        time.sleep(2)
    return found


def require(is_met: bool, finding: str) -> None:
    """Raise RuntimeError with a finding if a condition is not met."""
    if not is_met:
        raise RuntimeError(finding)
