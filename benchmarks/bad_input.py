"""Malformed rows and files for each parser: whether row counts add up and each file is accepted or gets a message.

    python -m benchmarks.bad_input [--parsers NAME …] [--rows N] [--files N] [--seed S] [--real FOLDER] [--verbose]

Malformed rows stand in files that are whole: these are received, loaded and published as any other, and the audit's
accounts are held against the number of rows that were written; parsers of one load share it. Malformed files are
received one by one; those that are kept are loaded as well. Rows are mutated from real ones where ``--real`` names a
folder with ``kaggle`` and ``account_export`` in it, else from made ones.
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

import etl.spark
from benchmarks._bad_files import Outcome, examined
from benchmarks._bad_parsers import EVENTS, PARSERS, Parser
from benchmarks._bad_values import Spoiler
from etl import warehouse
from etl.config import Settings, settings
from etl.jobs import events, refresh
from etl.lake import Lake, Received
from etl.load.migrate import migrate
from etl.spark import session
from etl.warehouse import engine
from launch import postgres
from launch.jars import lend_jars

_DAY = date(2026, 11, 21)
_SHOWN_REASONS = 6
_NUMBERS = count(1)
_ACCOUNTS = """
    select input_id, rows_in, rows_loaded, rows_duplicate, rows_rejected from audit.row_count where run_id = :run_id
"""
_REASONS = """
    select input_id, reason, count(*) as size from audit.rejected_row where run_id = :run_id group by input_id, reason
"""


@dataclass
class Account:
    """What one load made of its inputs; ``wrong`` says in words what does not add up, ``crash`` what it died of."""

    rows_in: int = 0
    accepted: int = 0
    duplicate: int = 0
    rejected: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    crash: str = ""

    def __str__(self) -> str:
        if self.crash:
            return f"CRASH {self.crash}"
        numbers = f"{self.rows_in} rows: {self.accepted} accepted, {self.duplicate} duplicate, {self.rejected} rejected"
        return f"{numbers}, {'; '.join(['WRONG', *self.wrong]) if self.wrong else 'which add up'}"


class Bench:
    """A server and a session, and one house after the other."""

    def __init__(self, server: postgres.Server, spark: SparkSession, folder: Path) -> None:
        self.folder = folder
        self._server = server
        self._superuser("create database bad_template owner loader")
        migrate(server.url("loader", "bad_template"))
        for module in (etl.spark, refresh):  # a session of Spark's that ends would end this one
            module.session = lambda *_: _shared(spark)  # type: ignore[attr-defined]

    def _superuser(self, statement: str) -> None:
        place = engine(self._server.url("postgres", "postgres")).execution_options(isolation_level="AUTOCOMMIT")
        with place.connect() as connection:
            connection.execute(text(statement))

    @contextmanager
    def house(self) -> Iterator[Settings]:
        """A lake and a warehouse, gone afterwards."""
        name = f"bad_{next(_NUMBERS)}"
        state = self.folder / name
        state.mkdir()
        self._superuser(f"create database {name} template bad_template owner loader")
        environ = {"STATE_DIR": str(state), "WAREHOUSE_URL": self._server.url("loader", name), "CLUSTER_COUNT": "2"}
        yield settings(environ)
        self._superuser(f"drop database {name} with (force)")
        shutil.rmtree(state)


@contextmanager
def bench() -> Iterator[Bench]:
    """A bench whose server and session end with it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lend_jars(folder)
        server = postgres.start(folder)
        try:
            chosen = settings({**os.environ, "STATE_DIR": name, "WAREHOUSE_URL": server.url("loader", "warehouse")})
            with session(chosen, "benchmark bad input") as spark:
                yield Bench(server, spark, folder)
        finally:
            postgres.remove(folder)


@contextmanager
def _shared(spark: SparkSession) -> Iterator[SparkSession]:
    yield spark


def rows_of(parsers: Sequence[Parser], bench: Bench, real: Path | None, size: int, seed: int) -> dict[str, Account]:
    """Malformed rows, from files to accounts, by the name of the parser and the load."""
    with bench.house() as here:
        folder, lake = Path(here.state_dir) / "files", Lake(here.lake_url)
        folder.mkdir()
        received: dict[str, list[Received]] = {}
        wrong: dict[str, list[str]] = {}
        for parser in parsers:
            for path, expected in parser.packed(folder, real, size, Spoiler(seed)):
                inputs = parser.receive(path, lake)
                path.unlink()
                found = sum(one.row_count for one in inputs)
                if found != expected:
                    wrong.setdefault(parser.name, []).append(f"{path.name} holds {expected} rows, {found} were counted")
                received.setdefault(parser.name, []).extend(inputs)
        accounts = loaded(parsers[0], here, received)
        for name, words in wrong.items():
            accounts[name].wrong += words
        return accounts


def loaded(parser: Parser, here: Settings, received: Mapping[str, Sequence[Received]]) -> dict[str, Account]:
    """The accounts of the load of what the lake holds, by the names of parsers; answers of the API are loaded twice.

    :param parser: one of those whose inputs they are; all are of one load.
    """
    accounts = _accounts(parser.load, here, received)
    if parser.name == "answers" and not any(one.crash for one in accounts.values()):
        accounts |= {"answers as events": _accounts(EVENTS, here, received)["answers"]}
    return accounts


def _accounts(load: str, here: Settings, received: Mapping[str, Sequence[Received]]) -> dict[str, Account]:
    run_id = f"bad input, {load}"
    try:
        _load(load, run_id, here)
    except Exception as error:
        return {" ".join(received): Account(crash=_told(error))}
    with warehouse.connect(here.warehouse_url) as connection:
        found = warehouse.rows(connection, _ACCOUNTS, run_id=run_id)
        reasons = warehouse.rows(connection, _REASONS, run_id=run_id)
    return {name: _account(load, inputs, found, reasons) for name, inputs in received.items()}


def _account(
    load: str, inputs: Sequence[Received], found: Sequence[dict[str, Any]], reasons: Sequence[dict[str, Any]]
) -> Account:
    """The account of some inputs."""
    ids = {one.input_id: one.row_count for one in inputs}
    own = [one for one in found if one["input_id"].removesuffix(".events") in ids]
    names = ("rows_in", "rows_loaded", "rows_duplicate", "rows_rejected")
    rows_in, accepted, duplicate, rejected = (int(sum(one[name] for one in own)) for name in names)
    told: Counter[str] = Counter()
    for one in reasons:
        if one["input_id"].removesuffix(".events") in ids:
            told[one["reason"]] += one["size"]
    account = Account(rows_in, accepted, duplicate, rejected, dict(told.most_common()))
    if rows_in != accepted + duplicate + rejected or rejected != told.total():
        account.wrong.append("the parts are not the whole")
    is_of_events_alone = own and own[0]["input_id"].endswith(".events")
    if rows_in != sum(ids.values()) and not is_of_events_alone:
        account.wrong.append(f"{sum(ids.values())} rows were received")
    return account


def _load(load: str, run_id: str, here: Settings) -> None:
    if load == EVENTS:
        if events.plan_events(run_id, here):
            events.load_events(run_id, _DAY, here)
    elif refresh.plan_refresh(run_id, "benchmark", _DAY, False, here):
        refresh.transform_catalogue(run_id, here)
        refresh.fit_clusters(run_id, here)
        refresh.load_catalogue(run_id, here)


def _told(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    causes = [line for line in lines if "Caused by" in line or "SQLSTATE" in line]
    where = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {where.name}: {' | '.join([*lines[:1], *causes[:3]])[:900]}"


def files_of(
    parser: Parser, bench: Bench, real: Path | None, size: int, seed: int
) -> tuple[list[Outcome], int, dict[str, Account]]:
    """Malformed files: what came of each, the most memory in MiB, and the accounts of the load of those kept."""
    with bench.house() as here:
        outcomes, peak_mib = examined(parser.name, here.lake_url, real, size, seed)
        kept = {one.input_id: one for outcome in outcomes for one in outcome.received}
        return outcomes, peak_mib, loaded(parser, here, {parser.name: list(kept.values())}) if kept else {}


def _tell(name: str, what: str, account: Account, is_verbose: bool) -> None:
    print(f"{name}, {what}: {account}")
    for reason, size in list(account.reasons.items())[: None if is_verbose else _SHOWN_REASONS]:
        print(f"    {size:>7} {reason}")
    sys.stdout.flush()


def _tell_files(name: str, outcomes: Sequence[Outcome], peak_mib: int, is_verbose: bool) -> None:
    kinds = Counter(one.kind for one in outcomes)
    sentences = Counter(one.form for one in outcomes if one.kind == "refused")
    told = ", ".join(f"{kinds[kind]} {kind}" for kind in ("kept", "refused", "crash", "hang"))
    longest = max((one.seconds for one in outcomes), default=0)
    print(f"{name}, files: {told}; {len(sentences)} sentences, peak {peak_mib} MiB, longest {longest:.1f} s")
    for one in outcomes:
        if one.kind in ("crash", "hang"):
            print(f"    {one.kind.upper()} {one.name}: {one.sentence}")
    for form, size in sentences.most_common() if is_verbose else ():
        example = next(one for one in outcomes if one.form == form)
        print(f"    {size:>5} ({example.name}) {example.sentence}")
    sys.stdout.flush()


def main() -> int:
    """:returns: 1 where an account does not add up, or a parser crashed or hung."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--parsers", nargs="+", choices=PARSERS, default=list(PARSERS), metavar="NAME")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--files", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--real", type=Path, help="a folder with the folders kaggle and account_export")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    chosen = [PARSERS[name] for name in options.parsers]
    accounts: list[Account] = []
    outcomes: list[Outcome] = []
    with bench() as here:
        for _, group in groupby(chosen if options.rows else [], lambda one: one.group):
            found = rows_of(list(group), here, options.real, options.rows, options.seed)
            for name, account in found.items():
                _tell(name, "rows", account, options.verbose)
            accounts += found.values()
        for one in chosen if options.files else []:
            came, peak_mib, found = files_of(one, here, options.real, options.files, options.seed)
            _tell_files(one.name, came, peak_mib, options.verbose)
            for name, account in found.items():
                _tell(name, "files kept", account, options.verbose)
            outcomes += came
            accounts += found.values()
    print(f"seed {options.seed}, pyspark {version('pyspark')}, hypothesis {version('hypothesis')}")
    is_good = not any(one.crash or one.wrong for one in accounts)
    return 0 if is_good and not any(one.kind in ("crash", "hang") for one in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
