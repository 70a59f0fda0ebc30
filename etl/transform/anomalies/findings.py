"""The columns of findings, and the scores of rules."""

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql.types import DoubleType, StringType, TimestampType

from etl.formats.contracts.columns import build_schema

FINDING = build_schema(
    user_id=StringType(),
    rule=StringType(),
    window_start=TimestampType(),
    window_end=TimestampType(),
    reason=StringType(),
    score=DoubleType(),
)
"""One finding: a user breaks a rule in a window.

- ``reason``: in words, with the numbers that the rule compares.
- ``score``: how likely the finding is to be an anomaly, above 0 and at most the rule's weight, which is below 1.
"""


@dataclass(frozen=True)
class Rule:
    """A rule as Spark columns."""

    name: str
    score: Column
    """NULL or 0 if the rule finds nothing."""
    reason: Column


def saturate(excess: Column, scale: float, weight: float) -> Column:
    """Return a score that grows with an excess from 0 to the weight: half of it at ``scale``, 3/4 at twice the scale.

    :param excess: by how much a limit is exceeded; NULL or less than 0 gives NULL.
    :param weight: the largest score of the rule: less for weaker evidence.
    """
    return F.when(excess > 0, weight * (1 - F.pow(F.lit(0.5), excess / scale)))


def list_findings(rules: Sequence[Rule]) -> Column:
    """Return an array of the findings of some rules: structs of rule, score and reason."""
    findings = F.array(
        *(
            F.struct(F.lit(rule.name).alias("rule"), rule.score.alias("score"), rule.reason.alias("reason"))
            for rule in rules
        )
    )
    return F.filter(findings, lambda finding: finding["score"] > 0)
