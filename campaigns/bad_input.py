"""Malformed rows and files for each parser: whether row counts add up and each file is accepted or gets a message.

    python -m campaigns.bad_input [--parsers NAME …] [--rows N] [--files N] [--seed S] [--real FOLDER] [--verbose]

Malformed rows are in well-formed files: these are received, loaded and published as any other, and the audit's counts
are compared with the number of written rows; parsers of one load share it. Malformed files are received one by one, and
accepted ones are loaded as well. Rows are mutated from real ones if ``--real`` names a folder with ``kaggle`` and
``account_export`` in it, else from synthetic ones.
"""

import argparse
import os
import shutil
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from importlib.metadata import version
from itertools import count, groupby
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession
from sqlalchemy import text

import etl.engines.spark
from benchmarks._shared_session import share_session
from campaigns.malformed_input.file_outcomes import FileOutcome, run_in_subprocess
from campaigns.malformed_input.parsers import EVENTS, PARSERS, Parser
from campaigns.malformed_input.row_mutator import RowMutator
from etl import database
from etl.database import make_engine
from etl.engines.spark import open_session
from etl.jobs import events, refresh, refresh_plan
from etl.load.migrate import migrate_warehouse
from etl.settings import Settings, read_settings
from etl.storage.inputs import ReceivedInput
from etl.storage.lake import Lake
from launch import postgres
from launch.spark_jars import link_jars

_REFERENCE_DATE = date(2026, 11, 21)
_MAX_SHOWN_REASONS = 6
_DATABASE_NUMBERS = count(1)
_ROW_COUNTS_QUERY = """
    select input_id, rows_in, rows_loaded, rows_duplicate, rows_rejected from audit.row_count where run_id = :run_id
"""
_REASONS_QUERY = """
    select input_id, reason, count(*) as size from audit.rejected_row where run_id = :run_id group by input_id, reason
"""


@dataclass
class RowAccount:
    """The row counts of a load's inputs; ``violations`` lists mismatches as text, ``crash`` is the load's failure."""

    rows_in: int = 0
    accepted: int = 0
    duplicate: int = 0
    rejected: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)
    crash: str = ""

    def __str__(self) -> str:
        if self.crash:
            return f"CRASH {self.crash}"
        numbers = f"{self.rows_in} rows: {self.accepted} accepted, {self.duplicate} duplicate, {self.rejected} rejected"
        return f"{numbers}, {'; '.join(['WRONG', *self.violations]) if self.violations else 'which add up'}"


class LoadEnvironment:
    """A server and a session for one warehouse after another."""

    def __init__(self, server: postgres.Server, spark: SparkSession, folder: Path) -> None:
        self.folder = folder
        self._server = server
        self._run_as_superuser("create database bad_template owner loader")
        migrate_warehouse(server.build_url("loader", "bad_template"))
        share_session(spark, etl.engines.spark, refresh)

    def _run_as_superuser(self, statement: str) -> None:
        admin_engine = make_engine(self._server.build_url("postgres", "postgres")).execution_options(
            isolation_level="AUTOCOMMIT"
        )
        with admin_engine.connect() as connection:
            connection.execute(text(statement))

    @contextmanager
    def open_warehouse(self) -> Iterator[Settings]:
        """Open a lake and a warehouse, removed at the end."""
        name = f"bad_{next(_DATABASE_NUMBERS)}"
        state = self.folder / name
        state.mkdir()
        self._run_as_superuser(f"create database {name} template bad_template owner loader")
        environ = {
            "STATE_DIR": str(state),
            "WAREHOUSE_URL": self._server.build_url("loader", name),
            "CLUSTER_COUNT": "2",
        }
        yield read_settings(environ)
        self._run_as_superuser(f"drop database {name} with (force)")
        shutil.rmtree(state)


@contextmanager
def open_environment() -> Iterator[LoadEnvironment]:
    """Open an environment whose server and session end with it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        link_jars(folder)
        server = postgres.start_server(folder)
        try:
            spark_settings = read_settings(
                {**os.environ, "STATE_DIR": name, "WAREHOUSE_URL": server.build_url("loader", "warehouse")}
            )
            with open_session(spark_settings, "benchmark bad input") as spark:
                yield LoadEnvironment(server, spark, folder)
        finally:
            postgres.remove_servers(folder)


def load_malformed_rows(
    parsers: Sequence[Parser], environment: LoadEnvironment, real_folder: Path | None, size: int, seed: int
) -> dict[str, RowAccount]:
    """Load malformed rows, from files to counts, and return the counts by the name of the parser and the load."""
    with environment.open_warehouse() as load_settings:
        folder, lake = Path(load_settings.state_dir) / "files", Lake(load_settings.lake_url)
        folder.mkdir()
        received: dict[str, list[ReceivedInput]] = {}
        violations_by_parser: dict[str, list[str]] = {}
        for parser in parsers:
            for path, expected in parser.write_malformed_files(folder, real_folder, size, RowMutator(seed)):
                inputs = parser.receive_inputs(path, lake)
                path.unlink()
                row_count = sum(received_input.row_count for received_input in inputs)
                if row_count != expected:
                    violations_by_parser.setdefault(parser.name, []).append(
                        f"{path.name} holds {expected} rows, {row_count} were counted"
                    )
                received.setdefault(parser.name, []).extend(inputs)
        accounts = load_and_account(parsers[0], load_settings, received)
        for name, violations in violations_by_parser.items():
            accounts[name].violations += violations
        return accounts


def load_and_account(
    parser: Parser, load_settings: Settings, received: Mapping[str, Sequence[ReceivedInput]]
) -> dict[str, RowAccount]:
    """Load the lake's inputs and return their counts by parser; API responses are loaded twice.

    :param parser: one of the parsers of the inputs; all belong to one load.
    """
    accounts = _read_accounts(parser.load, load_settings, received)
    if parser.name == "answers" and not any(row_account.crash for row_account in accounts.values()):
        accounts |= {"answers as events": _read_accounts(EVENTS, load_settings, received)["answers"]}
    return accounts


def _read_accounts(
    load: str, load_settings: Settings, received: Mapping[str, Sequence[ReceivedInput]]
) -> dict[str, RowAccount]:
    run_id = f"bad input, {load}"
    try:
        _run_load(load, run_id, load_settings)
    except Exception as error:
        return {" ".join(received): RowAccount(crash=_describe_error(error))}
    with database.connect(load_settings.warehouse_url) as connection:
        count_rows = database.fetch_rows(connection, _ROW_COUNTS_QUERY, run_id=run_id)
        reasons = database.fetch_rows(connection, _REASONS_QUERY, run_id=run_id)
    return {name: _make_account(load, inputs, count_rows, reasons) for name, inputs in received.items()}


def _make_account(
    load: str, inputs: Sequence[ReceivedInput], count_rows: Sequence[dict[str, Any]], reasons: Sequence[dict[str, Any]]
) -> RowAccount:
    """Return the counts of some inputs."""
    ids = {row.input_id: row.row_count for row in inputs}
    own_rows = [row for row in count_rows if row["input_id"].removesuffix(".events") in ids]
    names = ("rows_in", "rows_loaded", "rows_duplicate", "rows_rejected")
    rows_in, accepted, duplicate, rejected = (int(sum(row[name] for row in own_rows)) for name in names)
    reason_counts: Counter[str] = Counter()
    for row in reasons:
        if row["input_id"].removesuffix(".events") in ids:
            reason_counts[row["reason"]] += row["size"]
    account = RowAccount(rows_in, accepted, duplicate, rejected, dict(reason_counts.most_common()))
    if rows_in != accepted + duplicate + rejected or rejected != reason_counts.total():
        account.violations.append("the parts are not the whole")
    is_of_events_alone = own_rows and own_rows[0]["input_id"].endswith(".events")
    if rows_in != sum(ids.values()) and not is_of_events_alone:
        account.violations.append(f"{sum(ids.values())} rows were received")
    return account


def _run_load(load: str, run_id: str, load_settings: Settings) -> None:
    if load == EVENTS:
        if events.plan_events(run_id, load_settings):
            events.load_events(run_id, _REFERENCE_DATE, load_settings)
    elif refresh_plan.plan_refresh(run_id, "benchmark", _REFERENCE_DATE, False, load_settings):
        refresh.transform_catalogue(run_id, load_settings)
        refresh.fit_clusters(run_id, load_settings)
        refresh.load_catalogue(run_id, load_settings)


def _describe_error(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    causes = [line for line in lines if "Caused by" in line or "SQLSTATE" in line]
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {frame.name}: {' | '.join([*lines[:1], *causes[:3]])[:900]}"


def load_malformed_files(
    parser: Parser, environment: LoadEnvironment, real_folder: Path | None, size: int, seed: int
) -> tuple[list[FileOutcome], int, dict[str, RowAccount]]:
    """Receive malformed files; return their outcomes, the peak memory in MiB, and the counts of accepted inputs."""
    with environment.open_warehouse() as load_settings:
        outcomes, peak_mib = run_in_subprocess(parser.name, load_settings.lake_url, real_folder, size, seed)
        accepted_inputs = {
            received_input.input_id: received_input for outcome in outcomes for received_input in outcome.received
        }
        return (
            outcomes,
            peak_mib,
            load_and_account(parser, load_settings, {parser.name: list(accepted_inputs.values())})
            if accepted_inputs
            else {},
        )


def _print_account(name: str, label: str, account: RowAccount, is_verbose: bool) -> None:
    print(f"{name}, {label}: {account}")
    for reason, size in list(account.reasons.items())[: None if is_verbose else _MAX_SHOWN_REASONS]:
        print(f"    {size:>7} {reason}")
    sys.stdout.flush()


def _print_outcomes(name: str, outcomes: Sequence[FileOutcome], peak_mib: int, is_verbose: bool) -> None:
    kinds = Counter(outcome.kind for outcome in outcomes)
    messages = Counter(outcome.message_form for outcome in outcomes if outcome.kind == "rejected")
    kind_counts = ", ".join(f"{kinds[kind]} {kind}" for kind in ("kept", "rejected", "crash", "hang"))
    longest = max((outcome.seconds for outcome in outcomes), default=0)
    print(f"{name}, files: {kind_counts}; {len(messages)} sentences, peak {peak_mib} MiB, longest {longest:.1f} s")
    for outcome in outcomes:
        if outcome.kind in ("crash", "hang"):
            print(f"    {outcome.kind.upper()} {outcome.name}: {outcome.message}")
    for message_form, size in messages.most_common() if is_verbose else ():
        example = next(outcome for outcome in outcomes if outcome.message_form == message_form)
        print(f"    {size:>5} ({example.name}) {example.message}")
    sys.stdout.flush()


def main() -> int:
    """Run the campaign.

    :returns: 1 if counts do not add up, or a parser crashed or hung.
    """
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--parsers", nargs="+", choices=PARSERS, default=list(PARSERS), metavar="NAME")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--files", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--real", type=Path, help="a folder with the folders kaggle and account_export")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    selected = [PARSERS[name] for name in options.parsers]
    accounts: list[RowAccount] = []
    outcomes: list[FileOutcome] = []
    with open_environment() as environment:
        for _, group in groupby(selected if options.rows else [], lambda candidate: candidate.load_group):
            accounts_by_name = load_malformed_rows(list(group), environment, options.real, options.rows, options.seed)
            for name, account in accounts_by_name.items():
                _print_account(name, "rows", account, options.verbose)
            accounts += accounts_by_name.values()
        for selected_parser in selected if options.files else []:
            file_outcomes, peak_mib, accounts_by_name = load_malformed_files(
                selected_parser, environment, options.real, options.files, options.seed
            )
            _print_outcomes(selected_parser.name, file_outcomes, peak_mib, options.verbose)
            for name, account in accounts_by_name.items():
                _print_account(name, "files kept", account, options.verbose)
            outcomes += file_outcomes
            accounts += accounts_by_name.values()
    print(f"seed {options.seed}, pyspark {version('pyspark')}, hypothesis {version('hypothesis')}")
    is_good = not any(row_account.crash or row_account.violations for row_account in accounts)
    return 0 if is_good and not any(outcome.kind in ("crash", "hang") for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
