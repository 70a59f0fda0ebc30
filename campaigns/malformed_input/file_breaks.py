"""Ways to break a file: of any kind, and of each kind separately."""

from collections.abc import Mapping
from random import Random

from campaigns.malformed_input.avro_breaks import AVRO_BREAKS
from campaigns.malformed_input.export_breaks import EXPORT_BREAKS
from campaigns.malformed_input.general_breaks import GENERAL_BREAKS, FileBreak, flip_bytes
from campaigns.malformed_input.table_breaks import TABLE_BREAKS

BREAKS_BY_SUFFIX: dict[str, Mapping[str, FileBreak]] = {
    ".csv": TABLE_BREAKS,
    ".json": EXPORT_BREAKS,
    ".avro": AVRO_BREAKS,
}


def break_file(good_content: bytes, format_breaks: Mapping[str, FileBreak], rng: Random) -> tuple[str, bytes]:
    """Return the kind of a break, and the bytes of a file broken in this way."""
    breaks = format_breaks if format_breaks and rng.random() < 0.45 else GENERAL_BREAKS
    kind = rng.choice(list(breaks))
    content = breaks[kind](good_content, rng)
    if rng.random() < 0.1:  # and once more, at random
        content = flip_bytes(content, rng)
    return kind, content
