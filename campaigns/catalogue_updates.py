"""Whether a catalogue that follows its news equals one that is rebuilt from all rows, run by run.

    python -m campaigns.catalogue_updates [--nights N] [--seed S] [--nights-per-series N]

Each series begins with random files and responses of the API, every second one of the mock API. Each night changes some
inputs at random: files come and go, responses, decisions and audio features of a service change. The campaign ends with
status 1 at the first night whose catalogues differ, and prints the changes and the rows.
"""

import argparse
import random
import sys
import tempfile
from pathlib import Path

from campaigns.catalogue_runs.frame_updates import UpdatedCatalogue
from campaigns.catalogue_runs.random_inputs import RandomInputs
from etl.engines.spark import open_session, options_for_size
from etl.formats.contracts import MOCK_SOURCE
from etl.settings import read_settings
from launch.spark_jars import link_jars

_SHOWN_DIFFERENCES = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--nights", type=int, default=100)
    parser.add_argument("--nights-per-series", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder)
        link_jars(state)
        settings = read_settings({"STATE_DIR": folder, "WAREHOUSE_URL": "postgresql://unused@127.0.0.1:1/none"})
        with open_session(settings, "catalogue_updates", options_for_size(0)) as spark:
            seed, remaining = options.seed, options.nights
            while remaining > 0:
                inputs = RandomInputs(random.Random(seed), MOCK_SOURCE if seed % 2 else "api")
                inputs.fill(file_count=5, row_count=12)
                catalogue = UpdatedCatalogue(spark, inputs)
                for _ in range(min(remaining, options.nights_per_series)):
                    changes = inputs.change()
                    catalogue.follow(inputs)
                    print(
                        f"series {seed} ({inputs.api_source}): {', '.join(changes) or 'no change'};"
                        f" {catalogue.touched_fraction:.0%} of the tracks staged",
                        flush=True,
                    )
                    if differences := catalogue.list_differences():
                        print(*differences[:_SHOWN_DIFFERENCES], sep="\n")
                        sys.exit(1)
                    remaining -= 1
                seed += 1
    print(f"{options.nights} nights: all updated catalogues equal the rebuilt ones.")


if __name__ == "__main__":
    main()
