"""Planted secrets of a whole bin/run, searched for in files, database rows, logs, processes and sockets.

    python -m campaigns.leaks [--keep]

The product runs with an app of its own (client id and secret, an account that is signed in and one whose tokens are
rejected) against a mock API, a file server that wants a token, a failure notice by mail with a password, and exports
with private fields. Every text of every input is made to be taken for SQL, a template or a path, and so is what is put
into the forms of the DAGs. Tasks are made to fail: tokens rejected, no API, another password of the database, zip files
that reach out. Meanwhile all processes are looked at twice a second (arguments, environments, listening sockets), and
so are short-lived files; what lives for less than that may be missed. Afterwards every file below STATE_DIR and the
temporary folder and every row of both databases is searched for the secrets, as they are, in base64 and in hexadecimal
digits.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks._running_product import RunningProduct
from campaigns.leak_search import scenarios as scenes
from campaigns.leak_search.hostile_inputs import (
    serve_files,
    write_api_seed_data,
    write_exports,
    write_feeds,
    write_kaggle_files,
)
from campaigns.leak_search.planted_secrets import (
    PlantedSecrets,
    add_stored_secrets,
    count_rows,
    search_database,
    search_files,
)
from campaigns.leak_search.process_watch import ProcessWatch
from etl.database import libpq_url
from etl.extract.spotify.account_store import Account, AccountStore, Token
from etl.extract.spotify.app import App
from etl.extract.spotify.sign_in import sign_in_unattended
from etl.load.access.logins import add_login
from etl.settings import CHECKOUT
from launch.environment import build_environment
from launch.mock_api import MockApi
from launch.postgres import Server
from launch.postgres import start_server as start_server
from launch.spark_jars import link_jars
from simulator.mock_api.seed_data import get_seed_data_path

CLIENT_ID = "leaks"
_SECRET_FOLDERS = {"secrets", "accounts"}
"""Folders of STATE_DIR that store secrets, readable by their owner only."""
_PROCESSES_WITH_SECRETS = ("Airflow", "bin/run")
"""Kinds of processes that need secrets in their environment."""

_LOOPBACK_ADDRESSES = ("127.0.0.1", "::1", "::ffff:127.0.0.1")


@dataclass
class LeakFigures:
    """The searched items and the findings; the goal of every finding is 0."""

    finding_count: int = 0

    def print_figure(self, label: str, searched: str, findings: list[str]) -> None:
        """Print one figure, and each finding below it."""
        self.finding_count += len(findings)
        print(f"{label:<46} {len(findings):>3}   of {searched}", flush=True)
        for finding in sorted(findings):
            print(f"    {finding[:300]}", flush=True)


def main() -> int:
    """Run the campaign.

    :returns: 0 without findings.
    """
    parser = argparse.ArgumentParser(prog="python -m campaigns.leaks", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave the folder with everything there")
    keeps_folder = parser.parse_args().keep
    base = Path(tempfile.mkdtemp(prefix="leaks-"))
    base.chmod(0o755)  # the embedded server's own user must reach it, as in a usual home
    try:
        return _run_campaign(base)
    finally:
        print(f"everything is in {base}") if keeps_folder else shutil.rmtree(base, ignore_errors=True)


def _run_campaign(base: Path) -> int:
    state, temporary, planted, figures = base / "state", base / "tmp", PlantedSecrets(), LeakFigures()
    for folder in (state, temporary, base / "inputs"):
        folder.mkdir()
    os.umask(0o077)  # as launch/bootstrap.py leaves it
    link_jars(state)
    with ExitStack() as stack:
        environ, inputs = _prepare_environment(base, planted, stack)
        watch = ProcessWatch(state, [state / "spark", temporary], planted)
        product = RunningProduct(state, environ.pop("KAGGLE_PATH"), TMPDIR=str(temporary), **environ)
        add_stored_secrets(planted, state)
        watch.start()
        stack.callback(watch.stop)
        with product:
            product.wait_until_published()
            add_stored_secrets(planted, state)
            server = start_server(state)
            planted.add_secret("Fernet key", build_environment(state, server)["AIRFLOW__CORE__FERNET_KEY"])
            _run_scenarios(product, server, inputs, planted, figures)
            _search_databases(server, planted, figures)
            watch.stop()
            _search_files(state, temporary, planted, figures)
    _print_watch_figures(watch, figures)
    print(f"{figures.finding_count} findings, {len(planted.values)} secrets and private fields looked for")
    return 1 if figures.finding_count else 0


@dataclass
class ScenarioInputs:
    """The surroundings that the scenarios need."""

    api: MockApi
    exports: dict[str, Path]


def _prepare_environment(
    base: Path, planted: PlantedSecrets, stack: ExitStack
) -> tuple[dict[str, str], ScenarioInputs]:
    inputs = base / "inputs"
    kaggle = write_kaggle_files(inputs / "kaggle")
    token = planted.plant_secret("token in an address")
    address = stack.enter_context(serve_files(kaggle, token))
    secret = planted.plant_secret("client secret")
    api = _start_mock_api(base / "api", secret, stack)
    _sign_in_account(base / "state", App(CLIENT_ID, secret, _REDIRECT, f"{api.url}/v1/", api.url), planted)
    environ = {
        "KAGGLE_PATH": f"{address}/tracks_by_genre.csv?token={token}",
        "SPOTIPY_CLIENT_ID": CLIENT_ID,
        "SPOTIPY_CLIENT_SECRET": secret,
        "SPOTIFY_API_URL": f"{api.url}/v1/",
        "SPOTIFY_ACCOUNTS_URL": api.url,
        "FAILURE_NOTIFIER": json.dumps(_NOTIFIER),
        "AIRFLOW_CONN_SMTP_DEFAULT": f"smtp://me:{planted.plant_secret('password of the mail server')}@127.0.0.1:9",
    }
    exports = write_exports(inputs / "exports", planted.plant_secret("private field of an export"))
    scenes.receive_inputs(base / "state", inputs / "kaggle", write_feeds(inputs / "feeds"))
    return environ, ScenarioInputs(api, exports)


_REDIRECT = "http://127.0.0.1:8888/callback"
_NOTIFIER = {
    "class": "airflow.providers.smtp.notifications.smtp.SmtpNotifier",
    "to": "nobody@example.org",
    "from_email": "nobody@example.org",
    "subject": "A task has failed",
    "html_content": "See its log.",
}


def _start_mock_api(state: Path, secret: str, stack: ExitStack) -> MockApi:
    write_api_seed_data(get_seed_data_path(state))
    scenario = state / "scenario.toml"
    scenario.write_text(f'client_secret = "{secret}"\n', encoding="utf-8")
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(CHECKOUT), "AIRFLOW_HOME": str(state)}
    api = MockApi(state, {**environ, "STAND_IN_SCENARIO": str(scenario), "STAND_IN_MODE": "extended"})
    stack.callback(api.stop)
    return api


def _sign_in_account(state: Path, app: App, planted: PlantedSecrets) -> None:
    accounts = AccountStore(state, CLIENT_ID)
    token = sign_in_unattended(app, "ada", accounts).token
    planted.add_secret("access token", token.access_token)
    planted.add_secret("refresh token", str(token.refresh_token))
    now = datetime.now(UTC)
    invalid_token = Token(
        planted.plant_secret("refused access token"), planted.plant_secret("refused refresh token"), now, ""
    )
    accounts.store_account(Account("eve", "eve", "eve", invalid_token, now - timedelta(days=1)))


def _run_scenarios(
    product: RunningProduct, server: Server, inputs: ScenarioInputs, planted: PlantedSecrets, figures: LeakFigures
) -> None:
    """Run every scenario that could reveal a secret or execute data as code, and compare what must not change."""
    api, url = product.api, server.build_url("loader", "warehouse")
    columns_before = scenes.list_columns(url)
    login = add_login(server.build_url("postgres", "warehouse"), "analyst", "ada")
    planted.add_secret("password of a login", login)
    states = {
        f"an export: {name}": scenes.run_dag(api, "account_import", _make_export_form(path))
        for name, path in inputs.exports.items()
    }
    accepted_count, rejected_count = scenes.fill_forms(api)
    states["the events of all"] = scenes.run_dag(api, "load_events", {})
    inputs.api.stop()
    states["a look without an API"] = scenes.run_dag(api, "recently_played", {})
    with scenes.change_password(server, planted.plant_secret("other password of the loader")):
        states["marts with a wrong password"] = scenes.run_dag(api, "build_marts", {})
    print("\n".join(f"  {name}: {state}" for name, state in states.items()))
    print(f"  harmful texts in forms: {accepted_count} runs, {rejected_count} rejected by the form")
    _print_changed_columns(columns_before, url, product.state, figures)


def _make_export_form(path: Path) -> dict[str, object]:
    return {"path": str(path), "user": "ada", "timezone": "Europe/Berlin"}


def _print_changed_columns(columns_before: list[str], url: str, state: Path, figures: LeakFigures) -> None:
    changed = sorted(set(columns_before) ^ set(scenes.list_columns(url)))
    figures.print_figure("tables that data or forms changed", f"{len(columns_before)} columns", changed)
    written = [str(path) for path in (*state.parent.rglob("leak"), *state.parent.rglob("leaked"))]
    figures.print_figure("files that data or forms made", "two names", written)
    unchanged_counts = scenes.count_unchanged_texts(url)
    missing_columns = [
        name for name in ("dim_track.name", "dim_artist.name", "dim_genre.genre") if not unchanged_counts.get(name)
    ]
    figures.print_figure("columns without the hostile texts word for word", str(unchanged_counts), missing_columns)


def _search_databases(server: Server, planted: PlantedSecrets, figures: LeakFigures) -> None:
    for database in ("warehouse", "airflow"):
        rows, findings = search_database(planted, libpq_url(server.build_url("postgres", database)))
        searched = f"{sum(rows.values()):,} rows of {len(rows)} tables"
        if database == "airflow":
            row_counts = {
                name: count_rows(rows, name) for name in ("xcom", "rendered_task_instance_fields", ".log", "dag_run")
            }
            searched += " (" + ", ".join(f"{name.strip('.')} {count}" for name, count in row_counts.items()) + ")"
        figures.print_figure(
            f"database {database}", searched, [f"{table}: {', '.join(labels)}" for table, labels in findings.items()]
        )


def _search_files(state: Path, temporary: Path, planted: PlantedSecrets, figures: LeakFigures) -> None:
    files = [path for path in _walk_files(state) if path.relative_to(state).parts[0] not in _SECRET_FOLDERS]
    for label, selected_files in {
        "logs": [path for path in files if "logs" in path.relative_to(state).parts],
        "lake": [path for path in files if path.relative_to(state).parts[0] == "lake"],
        "all files below STATE_DIR": files,
        "temporary files that stayed": list(_walk_files(temporary)),
    }.items():
        count, findings = search_files(planted, selected_files)
        descriptions = [
            f"{path}: {', '.join(names)}" for path, names in findings.items() if not _is_login_on_screen(path, names)
        ]
        figures.print_figure(label, f"{count:,} files", descriptions)
    _, own_findings = search_files(
        planted, (path for path in _walk_files(state) if path.relative_to(state).parts[0] in _SECRET_FOLDERS)
    )
    if not own_findings:
        figures.print_figure("the search itself: secrets in their own folders", "0 files", ["it finds nothing at all"])


def _is_login_on_screen(path: Path, names: list[str]) -> bool:
    """Return whether only the web interface's login was found in the report, which shows it to the user of bin/run."""
    return path.name == "output.txt" and names == ["secrets/airflow-admin"]


def _walk_files(folder: Path) -> Iterator[Path]:
    for inner, _, names in os.walk(folder):
        yield from (Path(inner, name) for name in names if not Path(inner, name).is_symlink())


def _print_watch_figures(watch: ProcessWatch, figures: LeakFigures) -> None:
    looks, kinds = f"{watch.scan_count} looks", ", ".join(sorted(watch.kinds))
    descriptions = [f"{kind}: {', '.join(sorted(labels))}" for kind, labels in watch.argument_leaks.items()]
    figures.print_figure("arguments of all processes", looks, descriptions)
    descriptions = [
        f"{kind}: {', '.join(sorted(labels))}"
        for kind, labels in watch.environment_leaks.items()
        if labels and not kind.startswith(_PROCESSES_WITH_SECRETS)
    ]
    figures.print_figure("environments that need none", f"{looks}: {kinds}", descriptions)
    descriptions = [
        f"{kind} at {address}" for address, kind in watch.listening_sockets if address not in _LOOPBACK_ADDRESSES
    ]
    figures.print_figure(
        "listeners beyond loopback", f"{len(watch.listening_sockets)}: {sorted(watch.listening_sockets)}", descriptions
    )
    descriptions = [f"{path}: {', '.join(sorted(labels))}" for path, labels in watch.scratch_leaks.items()]
    figures.print_figure("short-lived files", f"{watch.scratch_files:,} looked into", descriptions)
    figures.print_figure("files that others on the machine can read", looks, sorted(watch.open_files))


if __name__ == "__main__":
    sys.exit(main())
