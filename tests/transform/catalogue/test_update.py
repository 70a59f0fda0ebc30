"""An updated catalogue equals a rebuilt one, whatever changes."""

import random

import pytest
from pyspark.sql import SparkSession

from campaigns.catalogue_runs.frame_updates import UpdatedCatalogue
from campaigns.catalogue_runs.random_inputs import RandomInputs
from etl.formats.contracts import MOCK_SOURCE


@pytest.mark.parametrize(("api_source", "seed"), [("api", 1), (MOCK_SOURCE, 2)])
def test_an_updated_catalogue_equals_a_rebuilt_one(spark: SparkSession, api_source: str, seed: int) -> None:
    inputs = RandomInputs(random.Random(seed), api_source)
    inputs.fill(file_count=5, row_count=12)
    catalogue = UpdatedCatalogue(spark, inputs)
    for _ in range(3):
        changes = inputs.change()
        catalogue.follow(inputs)
        assert catalogue.list_differences() == [], changes
