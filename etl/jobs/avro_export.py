"""The export of the warehouse as Avro: its users, tracks, artists and events as the four entity contracts.

In: the warehouse, and a range of dates. Out: a folder with a subfolder of Avro files for each entity, and
a manifest. Spark's executors read the warehouse by ADBC, each a range of keys or
days, and write by spark-avro.

``storage.export_folder`` makes the folder appear at once when all of it is written, in place of an earlier export.
"""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import fsspec
import pyarrow as pa
from pyspark.sql import SparkSession
from pyspark.sql.pandas.types import from_arrow_schema

from etl import database
from etl.database.arrow_reads import PartitionedQuery
from etl.database.entity_partitions import DateRange, EntityPlan, plan_entities
from etl.engines.spark import open_session
from etl.errors import TryAgainError
from etl.formats.avro.container_files import count_records
from etl.formats.avro.records import build_arrow_schema
from etl.formats.contracts.avro import load_contract, write_avro
from etl.settings import CHECKOUT, Settings
from etl.storage.export_folder import replace_export, write_manifest
from etl.storage.full_disk import report_full_disk

_READ_ERROR = re.compile(r"Reading (?P<name>\w+): (?P<message>.*?) \[SQLSTATE (?P<code>\w*)\]", re.DOTALL)

Step = Callable[[str], AbstractContextManager[object]]
"""Shows the progress of a step, given its description."""


@report_full_disk
def export_entities(
    target: Path, settings: Settings, days: DateRange, has_personal_columns: bool, step: Step
) -> dict[str, int]:
    """Write the users, tracks and artists of the warehouse and the events of some days as Avro files.

    Loads wait meanwhile, so that the four entities are of one state.

    :param target: a folder that does not exist, is empty, or has an earlier export, which is replaced.
    :param days: the days of the events, by their time in UTC.
    :param has_personal_columns: whether username, birthdate and gender of users are written.
    :returns: the number of records of each entity.
    :raises ActionNeededError: for the same reasons as ``export_folder.replace_export``.
    """
    with database.lock_warehouse(settings.warehouse_url) as connection, replace_export(target) as draft:
        plans = plan_entities(connection, days, has_personal_columns)
        connection.commit()
        with open_session(settings, "export_avro") as spark:
            for plan in plans:
                with step(f"{plan.row_count:,} {plan.name} records"):
                    _write_entity(spark, plan, draft, settings)
        # The lock ends with its connection. If the connection is lost, a load may have changed the rows that were read.
        database.fetch_rows(connection, "select 1")
        counts = {plan.name: plan.row_count for plan in plans}
        manifest = {
            "contracts": [f"entity_{name}" for name in counts],
            "records": counts,
            "first_date": days.first and days.first.isoformat(),
            "last_date": days.last and days.last.isoformat(),
            "has_personal_columns": has_personal_columns,
        }
        write_manifest(draft, manifest)
    return counts


def _write_entity(spark: SparkSession, plan: EntityPlan, draft: Path, settings: Settings) -> None:
    contract_name = f"entity_{plan.name}"
    query = PartitionedQuery(
        libpq_url=database.libpq_url(settings.warehouse_url),
        name=plan.name,
        statement=(CHECKOUT / "sql" / "queries" / "export" / f"{plan.name}.sql").read_text(encoding="utf-8"),
        parameters=plan.parameters,
        schema=_build_spark_arrow_schema(contract_name),
    )
    count = len(plan.parameters)
    records = spark.range(0, count, 1, count).mapInArrow(query.read_partitions, from_arrow_schema(query.schema))
    folder = draft / plan.name
    try:
        write_avro(records, contract_name, folder.as_uri())
    except Exception as error:
        _raise_read_error(error, settings)
        raise
    written = count_records(fsspec.filesystem("file"), str(folder))
    if written != plan.row_count:
        raise TryAgainError(f"{written:,} {plan.name} records were written, and the warehouse has {plan.row_count:,}.")


def _build_spark_arrow_schema(contract_name: str) -> pa.Schema:
    """Return the Arrow schema of a contract with timestamps in microseconds: Spark takes no other unit."""
    return pa.schema(
        [
            pa.field(field.name, pa.timestamp("us", "UTC") if pa.types.is_timestamp(field.type) else field.type)
            for field in build_arrow_schema(load_contract(contract_name))
        ]
    )


def _raise_read_error(error: Exception, settings: Settings) -> None:
    """Raise an error with a remedy for a query that failed in PostgreSQL."""
    match = _READ_ERROR.search(str(error))
    explanation = match and database.explain_sqlstate(match["code"], match["message"], settings.warehouse_url)
    if explanation:
        raise explanation from error
