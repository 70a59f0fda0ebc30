"""What reading rows comes to, whatever their source."""

from dataclasses import dataclass

from pyspark.sql import DataFrame


@dataclass(frozen=True)
class ValidationResult:
    """Both outcomes of reading rows; each is computed from the rows anew."""

    accepted: DataFrame
    rejected: DataFrame
