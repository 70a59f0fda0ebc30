"""Planted secrets of a whole bin/run, searched for in files, database rows, logs, processes and sockets.

    python -m benchmarks.leaks [--keep]

The product runs with an app of its own (client id and secret, an account that is signed in and one whose tokens are
refused) against a stand-in, a file server that wants a token, a failure notice by mail with a password, and exports
with private fields. Every text of every input is made to be taken for SQL, a template or a path, and so is what is put
into the forms of the DAGs. Tasks are made to fail: tokens refused, no API, another password of the database, zip files
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

from benchmarks import _leaks_scenes as scenes
from benchmarks._leaks_inputs import served, write_api_stock, write_exports, write_feeds, write_kaggle
from benchmarks._leaks_plants import Plants, add_kept_secrets, in_database, in_files, rows_of
from benchmarks._leaks_watch import Watch
from benchmarks._product import Product
from etl.config import CHECKOUT
from etl.extract.spotify.accounts import Account, Accounts, Token
from etl.extract.spotify.app import App
from etl.extract.spotify.sign_in import sign_in_unattended
from etl.load.logins import add_login
from etl.simulate.spotify_api.stock import stock_path
from etl.warehouse import libpq_url
from launch.environment import environment
from launch.jars import lend_jars
from launch.postgres import Server
from launch.postgres import start as start_server
from launch.stand_in import StandIn

CLIENT_ID = "leaks"
_MAY_HOLD = {"secrets", "accounts"}
"""Folders of STATE_DIR that are there to hold secrets, readable by their owner alone."""
_NEED_THEM = ("Airflow", "bin/run")
"""Kinds of processes that cannot do without secrets in their environment."""

_LOOPBACK = ("127.0.0.1", "::1", "::ffff:127.0.0.1")


@dataclass
class Figures:
    """What was looked at, and what was found there; the goal of all is 0."""

    found: int = 0

    def line(self, what: str, looked_at: str, findings: list[str]) -> None:
        """One figure, and each finding below it."""
        self.found += len(findings)
        print(f"{what:<46} {len(findings):>3}   of {looked_at}", flush=True)
        for finding in sorted(findings):
            print(f"    {finding[:300]}", flush=True)


def main() -> int:
    """Run it all.

    :returns: 0 where nothing was found.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks.leaks", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave the folder with everything there")
    is_kept = parser.parse_args().keep
    base = Path(tempfile.mkdtemp(prefix="leaks-"))
    base.chmod(0o755)  # the embedded server's own user is to reach it, as in a usual home
    try:
        return _run(base)
    finally:
        print(f"everything is in {base}") if is_kept else shutil.rmtree(base, ignore_errors=True)


def _run(base: Path) -> int:
    state, temporary, plants, figures = base / "state", base / "tmp", Plants(), Figures()
    for folder in (state, temporary, base / "inputs"):
        folder.mkdir()
    os.umask(0o077)  # as launch/bootstrap.py leaves it
    lend_jars(state)
    with ExitStack() as stack:
        environ, inputs = _surroundings(base, plants, stack)
        watch = Watch(state, [state / "spark", temporary], plants)
        product = Product(state, environ.pop("KAGGLE_PATH"), TMPDIR=str(temporary), **environ)
        add_kept_secrets(plants, state)
        watch.start()
        stack.callback(watch.stop)
        with product:
            product.wait_until_published()
            add_kept_secrets(plants, state)
            server = start_server(state)
            plants.add("Fernet key", environment(state, server)["AIRFLOW__CORE__FERNET_KEY"])
            _provoke(product, server, inputs, plants, figures)
            _search_databases(server, plants, figures)
            watch.stop()
            _search_files(state, temporary, plants, figures)
    _tell_watch(watch, figures)
    print(f"{figures.found} findings, {len(plants.values)} secrets and private fields looked for")
    return 1 if figures.found else 0


@dataclass
class Inputs:
    """What the scenes need of the surroundings."""

    api: StandIn
    exports: dict[str, Path]


def _surroundings(base: Path, plants: Plants, stack: ExitStack) -> tuple[dict[str, str], Inputs]:
    inputs = base / "inputs"
    kaggle = write_kaggle(inputs / "kaggle")
    token = plants.plant("token in an address")
    address = stack.enter_context(served(kaggle, token))
    secret = plants.plant("client secret")
    api = _stand_in(base / "api", secret, stack)
    _sign_in(base / "state", App(CLIENT_ID, secret, _REDIRECT, f"{api.url}/v1/", api.url), plants)
    environ = {
        "KAGGLE_PATH": f"{address}/tracks_by_genre.csv?token={token}",
        "SPOTIPY_CLIENT_ID": CLIENT_ID,
        "SPOTIPY_CLIENT_SECRET": secret,
        "SPOTIFY_API_URL": f"{api.url}/v1/",
        "SPOTIFY_ACCOUNTS_URL": api.url,
        "FAILURE_NOTIFIER": json.dumps(_NOTIFIER),
        "AIRFLOW_CONN_SMTP_DEFAULT": f"smtp://me:{plants.plant('password of the mail server')}@127.0.0.1:9",
    }
    exports = write_exports(inputs / "exports", plants.plant("private field of an export"))
    scenes.bring_into_lake(base / "state", inputs / "kaggle", write_feeds(inputs / "feeds"))
    return environ, Inputs(api, exports)


_REDIRECT = "http://127.0.0.1:8888/callback"
_NOTIFIER = {
    "class": "airflow.providers.smtp.notifications.smtp.SmtpNotifier",
    "to": "nobody@example.org",
    "from_email": "nobody@example.org",
    "subject": "A task has failed",
    "html_content": "See its log.",
}


def _stand_in(state: Path, secret: str, stack: ExitStack) -> StandIn:
    write_api_stock(stock_path(state))
    scenario = state / "scenario.toml"
    scenario.write_text(f'client_secret = "{secret}"\n', encoding="utf-8")
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(CHECKOUT), "AIRFLOW_HOME": str(state)}
    api = StandIn(state, {**environ, "STAND_IN_SCENARIO": str(scenario), "STAND_IN_MODE": "extended"})
    stack.callback(api.stop)
    return api


def _sign_in(state: Path, app: App, plants: Plants) -> None:
    accounts = Accounts(state, CLIENT_ID)
    token = sign_in_unattended(app, "ada", accounts).token
    plants.add("access token", token.access_token)
    plants.add("refresh token", str(token.refresh_token))
    now = datetime.now(UTC)
    made_up = Token(plants.plant("refused access token"), plants.plant("refused refresh token"), now, "")
    accounts.keep(Account("eve", "eve", "eve", made_up, now - timedelta(days=1)))


def _provoke(product: Product, server: Server, inputs: Inputs, plants: Plants, figures: Figures) -> None:
    """Everything that could tell a secret or take data for code; what the inputs must leave as it was is compared."""
    api, url = product.api, server.url("loader", "warehouse")
    before = scenes.tables(url)
    login = add_login(server.url("postgres", "warehouse"), "analyst", "ada")
    plants.add("password of a login", login)
    states = {
        f"an export: {name}": scenes.run(api, "account_import", _export(path)) for name, path in inputs.exports.items()
    }
    let_in, refused = scenes.fill_forms(api)
    states["the events of all"] = scenes.run(api, "load_events", {})
    inputs.api.stop()
    states["a look without an API"] = scenes.run(api, "recently_played", {})
    with scenes.other_password(server, plants.plant("other password of the loader")):
        states["marts with a wrong password"] = scenes.run(api, "build_marts", {})
    print("\n".join(f"  {name}: {state}" for name, state in states.items()))
    print(f"  harmful texts in forms: {let_in} runs, {refused} refused by the form")
    _tell_tables(before, url, product.state, figures)


def _export(path: Path) -> dict[str, object]:
    return {"path": str(path), "user": "ada", "timezone": "Europe/Berlin"}


def _tell_tables(before: list[str], url: str, state: Path, figures: Figures) -> None:
    changed = sorted(set(before) ^ set(scenes.tables(url)))
    figures.line("tables that data or forms changed", f"{len(before)} columns", changed)
    written = [str(path) for path in (*state.parent.rglob("leak"), *state.parent.rglob("leaked"))]
    figures.line("files that data or forms made", "two names", written)
    kept = scenes.kept_word_for_word(url)
    lacking = [name for name in ("dim_track.name", "dim_artist.name", "dim_genre.genre") if not kept.get(name)]
    figures.line("columns without the hostile texts word for word", str(kept), lacking)


def _search_databases(server: Server, plants: Plants, figures: Figures) -> None:
    for database in ("warehouse", "airflow"):
        rows, found = in_database(plants, libpq_url(server.url("postgres", database)))
        of = f"{sum(rows.values()):,} rows of {len(rows)} tables"
        if database == "airflow":
            told = {name: rows_of(rows, name) for name in ("xcom", "rendered_task_instance_fields", ".log", "dag_run")}
            of += " (" + ", ".join(f"{name.strip('.')} {count}" for name, count in told.items()) + ")"
        figures.line(f"database {database}", of, [f"{table}: {', '.join(what)}" for table, what in found.items()])


def _search_files(state: Path, temporary: Path, plants: Plants, figures: Figures) -> None:
    files = [path for path in _files(state) if path.relative_to(state).parts[0] not in _MAY_HOLD]
    for what, chosen in {
        "logs": [path for path in files if "logs" in path.relative_to(state).parts],
        "lake": [path for path in files if path.relative_to(state).parts[0] == "lake"],
        "all files below STATE_DIR": files,
        "temporary files that stayed": list(_files(temporary)),
    }.items():
        count, found = in_files(plants, chosen)
        told = [f"{path}: {', '.join(names)}" for path, names in found.items() if not _is_login_on_screen(path, names)]
        figures.line(what, f"{count:,} files", told)
    _, kept = in_files(plants, (path for path in _files(state) if path.relative_to(state).parts[0] in _MAY_HOLD))
    if not kept:
        figures.line("the search itself: secrets in their own folders", "0 files", ["it finds nothing at all"])


def _is_login_on_screen(path: Path, names: list[str]) -> bool:
    """The report shows the web interface's login to whoever started bin/run, and nothing else."""
    return path.name == "output.txt" and names == ["secrets/airflow-admin"]


def _files(folder: Path) -> Iterator[Path]:
    for inner, _, names in os.walk(folder):
        yield from (Path(inner, name) for name in names if not Path(inner, name).is_symlink())


def _tell_watch(watch: Watch, figures: Figures) -> None:
    looks, kinds = f"{watch.looks} looks", ", ".join(sorted(watch.kinds))
    told = [f"{kind}: {', '.join(sorted(what))}" for kind, what in watch.arguments.items()]
    figures.line("arguments of all processes", looks, told)
    told = [
        f"{kind}: {', '.join(sorted(what))}"
        for kind, what in watch.environments.items()
        if what and not kind.startswith(_NEED_THEM)
    ]
    figures.line("environments that need none", f"{looks}: {kinds}", told)
    told = [f"{kind} at {address}" for address, kind in watch.listeners if address not in _LOOPBACK]
    figures.line("listeners beyond loopback", f"{len(watch.listeners)}: {sorted(watch.listeners)}", told)
    told = [f"{path}: {', '.join(sorted(what))}" for path, what in watch.scratch.items()]
    figures.line("short-lived files", f"{watch.scratch_files:,} looked into", told)
    figures.line("files that others on the machine can read", looks, sorted(watch.open_files))


if __name__ == "__main__":
    sys.exit(main())
