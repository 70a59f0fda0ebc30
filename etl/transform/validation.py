"""The one mechanism that accepts a row or rejects it with a reason.

In: rows of a source, with the columns that its rules refer to. Out: accepted rows, and rows of ``REJECTED_ROW``; every
row is in exactly one of the two. A source declares ``Rule``s. ``first_violation`` (Spark) or ``first_violation_sql``
(DataFusion) turns them into the column ``reason``, and ``split_rows`` divides the rows by it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Generic, TypeVar

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from etl.engines.datafusion import quote_literal
from etl.formats.contracts import REJECTED_ROW

Condition = TypeVar("Condition", Column, str)


@dataclass(frozen=True)
class Rule(Generic[Condition]):
    """A condition that rejects a row, as a Spark column or in SQL, and the message that becomes the row's reason.

    A condition that is NULL does not reject.
    """

    is_violated: Condition
    message: str


@dataclass(frozen=True)
class ValidationResult:
    """Both outcomes of a validation. Each is a plan over the same rows: persist the rows where reading them is dear."""

    accepted: DataFrame
    rejected: DataFrame


def first_violation(rules: Iterable[Rule[Column]]) -> Column:
    """Return the message of the first rule that a row violates, NULL if it violates none."""
    first, *further = rules
    return reduce(
        lambda reason, rule: reason.when(rule.is_violated, rule.message),
        further,
        F.when(first.is_violated, first.message),
    )


def first_violation_sql(rules: Iterable[Rule[str]]) -> str:
    """Return ``first_violation`` as an expression of SQL."""
    branches = " ".join(f"when {rule.is_violated} then {quote_literal(rule.message)}" for rule in rules)
    return f"case {branches} end"


def split_rows(
    rows: DataFrame,
    accepted_columns: Sequence[Column | str],
    received_row: Column,
    row_number: Column | str = "row_number",
) -> ValidationResult:
    """Split rows by their column ``reason``: NULL accepts a row.

    :param rows: input_id, reason, and the columns that the other parameters refer to.
    :param accepted_columns: the columns of accepted rows.
    :param received_row: the received text, which is stored with a rejected row.
    :param row_number: the number of a rejected row in its input.
    """
    number = F.col(row_number) if isinstance(row_number, str) else row_number
    rejected = rows.where(F.col("reason").isNotNull()).select(
        "input_id", number.alias("row_number"), "reason", received_row.alias("row")
    )
    return ValidationResult(
        rows.where(F.col("reason").isNull()).select(*accepted_columns), rejected.select(*REJECTED_ROW.fieldNames())
    )


def compute_once(
    rows: DataFrame, columns: Sequence[Column], carried_columns: Sequence[Column | str] = ("*",)
) -> DataFrame:
    """Return rows with further columns, each computed once by Spark regardless of the number of references to it.

    :param carried_columns: the columns of ``rows`` that stay; by default all.
    """
    # Spark moves a filter below the columns that it refers to, and copies their expressions into it: a row with twenty
    # fields and several rules each would be parsed over and over. It cannot move a filter below a generator. This
    # generator makes one row of each.
    return rows.select(*carried_columns, F.inline(F.array(F.struct(*columns))))


def select_schema_columns(values: Mapping[str, Column], schema: StructType) -> list[Column]:
    """Return the columns of a schema, cast to its types; NULL where ``values`` has none of the name."""
    return [values.get(field.name, F.lit(None)).cast(field.dataType).alias(field.name) for field in schema.fields]
