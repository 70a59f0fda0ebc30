"""The steps of the campaign: each does something with the project and returns what it has found, or raises an error."""

import argparse
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from campaigns.container_runs import browsing, cost, images
from campaigns.container_runs.engine import Project
from campaigns.container_runs.warehouse import delete_events, list_differences, read_digests
from etl import database
from etl.settings import CHECKOUT
from launch.airflow_api import AirflowApi
from launch.triggered_runs import TRIGGERED_DAGS

_Found = TypeVar("_Found")
_MAX_IMAGE_BYTES = 2_000_000_000
_ONE_SHOT = ("set-up", "first-start")
_START_SECONDS = 2400
_MAX_COST_RATIO = 1.5
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
    start_cost: cost.Cost | None = None

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

    def run_dags(self, forms: dict[str, dict[str, object]]) -> str:
        """Start runs over REST at the same time, and wait until no run goes on, of them or of those that they trigger.

        :param forms: by DAG.
        :returns: the ids of the runs.
        :raises RuntimeError: if one fails or takes too long.
        """
        api = AirflowApi(self.web_url, "admin", self.read_web_password())
        run_ids = {dag_id: api.start_run(dag_id, form) for dag_id, form in forms.items()}
        _wait_for(lambda: _is_idle(api), _RUN_SECONDS, f"the runs {run_ids}")
        for dag_id, run_id in run_ids.items():
            state = api.get_run(dag_id, run_id)["state"]
            reasons = [api.find_failure_reason(dag_id, run_id, task) for task in api.list_tasks(dag_id, run_id)]
            _require(state == "success", f"{dag_id} {run_id} is {state}: {[reason for reason in reasons if reason]}")
        return ", ".join(run_ids.values())

    def _build_url(self, user: str, password: str, host: str, port: str) -> str:
        return f"postgresql://{user}:{self.settings[password]}@{host}:{port}/warehouse"


def build_images(campaign: Campaign) -> str:
    """Build all images; with --previous, the product's image from that commit."""
    engine, options = campaign.project.engine, campaign.options
    if options.stand_ins:
        images.build_base_image(engine)
    with images.open_checkout(options.previous) as checkout:
        images.build_product_image(engine, options.certificate, checkout)
    if options.stand_ins:
        images.build_stand_ins(engine, options.certificate)
    return "; ".join([_check_image(engine), *([] if options.previous else [_check_bill_of_materials(engine)])])


def start_project(campaign: Campaign) -> str:
    """Start the project and wait for its first refresh."""
    with images.open_checkout(campaign.options.previous) as checkout:
        start = partial(campaign.start_services, checkout=checkout)
        campaign.start_cost = cost.measure_start(campaign.project.engine, start)
    containers = campaign.project.list_containers()
    ended = {c.service: c.exit_code for c in containers if c.service in _ONE_SHOT}
    _require(set(ended.values()) == {0}, f"one-shot services ended with {ended}")
    _require(all(c.is_ready() for c in containers if c.service not in _ONE_SHOT), f"not ready: {containers}")
    rows = read_digests(campaign.warehouse_url)
    counts = {name: rows[name][0] for name in ("warehouse.dim_track", "warehouse.fact_event", "mart.listener_year")}
    _require(all(counts.values()), f"empty after the first start: {counts}")
    return f"{campaign.start_cost}; {len(containers)} containers; rows: {counts}"


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
    _require(not differences, f"changed by the upgrade: {differences}")
    return "; ".join([f"from {campaign.options.previous}: {len(before)} tables have the same rows", *findings])


def refresh_over_rest(campaign: Campaign) -> str:
    """Start the nightly refresh as any program may."""
    return campaign.run_dags({"nightly_refresh": {}})


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
        waited = campaign.project.wait_until_ready([service], _RECOVERY_SECONDS, killed.pid)
        seconds[service] = round(waited + campaign.project.wait_until_ready(services, _RECOVERY_SECONDS))
    differences = list_differences(before, read_digests(campaign.warehouse_url))
    _require(not differences, f"changed by the kills: {differences}")
    campaign.run_dags({"nightly_refresh": {}})
    return f"{seconds} seconds until all are healthy; {len(before)} tables have the same rows; the refresh works"


def back_up_and_restore(campaign: Campaign) -> str:
    """Back up, delete all events, restore: all rows are back."""
    before = read_digests(campaign.warehouse_url)
    campaign.project.execute("scheduler", "python", "-m", "launch.backup", "/state/campaign.backup")
    deleted = delete_events(campaign.warehouse_url)
    campaign.project.execute("scheduler", "python", "-m", "launch.restore", "/state/campaign.backup")
    differences = list_differences(before, read_digests(campaign.warehouse_url))
    _require(deleted > 0 and not differences, f"{deleted} deleted; after the restore: {differences}")
    return f"{deleted} deleted events are back, {len(before)} tables have the same rows"


def refresh_on_spark_cluster(campaign: Campaign) -> str:
    """Refresh all rows, simulate a feed and load it, at the same time on a cluster of two cores.

    A session has all free cores: a step that waited for the warehouse with them would stop the others.
    """
    campaign.set_variables(_SPARK_SETTINGS)
    campaign.start_services("--scale", "spark-worker=2", profiles=("spark",))
    event_count = _count(campaign, _EVENT_COUNT)
    campaign.run_dags(
        {"simulate_feed": {"users": 10, "hours": 24, "seed": 2}, "nightly_refresh": {"full_refresh": True}}
    )
    _require(_count(campaign, _EVENT_COUNT) > event_count, "no event of the feed was loaded")
    status = json.loads(campaign.project.execute("scheduler", "python", "-c", _SPARK_STATUS))
    ended = [application["state"] for application in status["completedapps"]]
    _require(status["aliveworkers"] == 2 and "FINISHED" in ended, f"{status['aliveworkers']} workers, {ended}")
    campaign.set_variables({"SPARK_MASTER": "local[*]", "SPARK_LOCAL_IP": "127.0.0.1"})
    return f"{status['aliveworkers']} workers with {status['cores']} cores, {len(ended)} applications"


def stream_events(campaign: Campaign) -> str:
    """Send events into Kafka: they arrive in the star and in the live tables."""
    campaign.set_variables(_KAFKA_SETTINGS)
    campaign.start_services(profiles=("kafka", "streams"))
    command = "python -m launch.simulate_stream --users 20 --hours 24 --full-speed --seed 3"
    printed = campaign.project.execute("scheduler", *command.split())
    found = re.search(r"The stream has ([\d,]+) messages", printed)
    _require(found is not None, f"nothing was sent: {printed}")
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
    _require(not leftovers, f"left behind: {leftovers}")
    return "no container, volume or network is left"


def compare_with_bin_run(campaign: Campaign) -> str:
    """Remove the project, then run ``bin/run --exit``: the start of the containers took about as much."""
    if campaign.start_cost is None:
        raise RuntimeError("The project was not started.")
    remove_project(campaign)
    bin_run = cost.measure_bin_run(campaign.folder / "state", campaign.settings)
    ratios = campaign.start_cost.divide(bin_run)
    finding = f"containers {campaign.start_cost}; bin/run {bin_run}; ratios {ratios[0]:.2f} and {ratios[1]:.2f}"
    _require(ratios[1] <= _MAX_COST_RATIO, finding)
    return finding


def _check_image(engine: str) -> str:
    size = images.measure_image(engine)
    faults = images.find_image_faults(engine)
    _require(size <= _MAX_IMAGE_BYTES and not faults, f"{size / 1e9:.2f} GB, {faults}")
    return f"image of {size / 1e9:.2f} GB, without compiler and superuser"


def _check_bill_of_materials(engine: str) -> str:
    unlisted = images.find_unlisted_packages(engine)
    _require(not unlisted, f"not in the bill of materials: {unlisted}")
    return "its bill of materials lists all packages"


def _is_idle(api: AirflowApi) -> bool:
    """Return whether no run goes on, and no changed asset will start one."""
    return not any(api.has_queued_events(dag_id) for dag_id in TRIGGERED_DAGS) and not api.list_unfinished_runs()


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


def _require(is_met: bool, finding: str) -> None:
    if not is_met:
        raise RuntimeError(finding)
