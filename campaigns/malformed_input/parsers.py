"""The parsers that get malformed inputs: a good file of each, the packaging of malformed rows, and the receiving job.

Rows are real ones if the folder of real files has some of the format, else synthetic ones.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from campaigns.malformed_input import account_exports, feeds, response_lines, tables
from campaigns.malformed_input.row_mutator import RowMutator
from etl.formats.kaggle.file_formats import FORMATS
from etl.storage.inputs import ReceivedInput
from etl.storage.lake import Lake

CATALOGUE, EVENTS = "catalogue", "events"


@dataclass(frozen=True)
class Parser:
    """A parser.

    ``load`` names the load that takes its inputs. ``make_good_file`` makes a small valid file;
    ``write_malformed_files`` writes malformed rows into well-formed files, and yields each with its number of rows.
    """

    name: str
    load: str
    suffix: str
    make_good_file: Callable[[Path | None], bytes]
    write_malformed_files: Callable[[Path, Path | None, int, RowMutator], Iterator[tuple[Path, int]]]
    receive_inputs: Callable[[Path, Lake], Sequence[ReceivedInput]]

    @property
    def load_group(self) -> str:
        """Return the group of parsers that can share a load; synthetic files are loaded only if there are no others."""
        return f"{self.load} {self.name.startswith('made_up')} {self.name == 'answers'}"


PARSERS: dict[str, Parser] = {
    parser.name: parser
    for parser in (
        *(
            Parser(
                name,
                CATALOGUE,
                ".csv",
                partial(tables.make_good_table, name),
                partial(tables.write_malformed_tables, name),
                tables.receive_table,
            )
            for name in FORMATS
        ),
        *(
            Parser(
                name,
                EVENTS,
                ".json",
                partial(account_exports.make_good_export, name),
                partial(account_exports.write_malformed_exports, name),
                account_exports.receive_export,
            )
            for name in account_exports.REAL_EXPORTS
        ),
        *(
            Parser(
                name,
                EVENTS,
                ".avro",
                partial(feeds.make_good_feed, name),
                partial(feeds.write_malformed_feeds, name),
                feeds.receive_feed,
            )
            for name in ("user_activity_1", "user_activity_2", "user")
        ),
        Parser(
            "answers",
            CATALOGUE,
            ".jsonl",
            response_lines.make_good_responses,
            response_lines.write_malformed_responses,
            response_lines.receive_responses,
        ),
    )
}
"""Every parser by its name; API responses are loaded twice, as resources of the catalogue and as events."""
