"""Ways to break an account export."""

import io
import json
import stat
import zipfile
from collections.abc import Callable
from random import Random

from campaigns.malformed_input.general_breaks import FileBreak, make_zip
from campaigns.malformed_input.zip_breaks import ZIP_BREAKS


def _make_zip_with_link(content: bytes, rng: Random) -> bytes:
    zip_content = io.BytesIO()
    with zipfile.ZipFile(zip_content, "w") as archive:
        entry = zipfile.ZipInfo("Streaming_History_Audio_1.json")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(entry, "/etc/passwd")
    return zip_content.getvalue()


def _make_named_zip(inner: Callable[[bytes], bytes], name: str = "Streaming_History_Audio_1.json") -> FileBreak:
    return lambda content, rng: make_zip({name: inner(content)})


def _make_record_break(change: Callable[[list[dict[str, object]], Random], object]) -> FileBreak:
    return lambda content, rng: json.dumps(change(json.loads(content), rng)).encode()


_BASIC_EXPORT_JSON = b'[{"endTime": "2024-01-01 00:00", "artistName": "A", "trackName": "B", "msPlayed": 1}]'
_HALF_SURROGATE_JSON = b'[{"ts": "2024-01-01T00:00:00Z", "ms_played": 1, "platform": "\\ud800"}]'

EXPORT_BREAKS: dict[str, FileBreak] = {
    "an object": _make_record_break(lambda records, chance: {"plays": records}),
    "a number": lambda content, chance: b"1",
    "an empty list": lambda content, chance: b"[]",
    "a list of lists": _make_record_break(lambda records, chance: [records]),
    "records among others": _make_record_break(lambda records, chance: [1, None, "x", [], {}, *records]),
    "other fields": _make_record_break(
        lambda records, chance: [{name * 2: value for name, value in record.items()} for record in records]
    ),
    "nothing private": _make_record_break(lambda records, chance: [{"email": "ada@example.org"}] * 5),
    "very deep": lambda content, chance: b"[" * 200_000,
    "very deep within": lambda content, chance: b'[{"ms_played": ' + b"[" * 100_000 + b"]" * 100_000 + b"}]",
    "a long number": lambda content, chance: b'[{"ts": "2024-01-01T00:00:00Z", "ms_played": ' + b"9" * 100_000 + b"}]",
    "NaN": lambda content, chance: b'[{"ts": NaN, "ms_played": -Infinity}]',
    "single quotation marks": lambda content, chance: content.replace(b'"', b"'"),
    "lines": lambda content, chance: b"\n".join(json.dumps(record).encode() for record in json.loads(content)),
    "both formats": lambda content, chance: make_zip(
        {"Streaming_History_Audio_1.json": content, "StreamingHistory0.json": _BASIC_EXPORT_JSON}
    ),
    "half surrogates": lambda content, chance: _HALF_SURROGATE_JSON,
    "no UTF-8": lambda content, chance: content.replace(b"android", b"\xff\xfe").replace(b"a", b"\xe4", 30),
    **ZIP_BREAKS,
    "zip, a link": _make_zip_with_link,
    "zip, absolute": _make_named_zip(bytes, "/etc/cron.d/x.json"),
    "zip, a drive": _make_named_zip(bytes, "C:\\x.json"),
    "zip, odd name": _make_named_zip(bytes, "Streaming_History_\u202e\x1b[31m.json"),
    "zip, many": lambda content, chance: make_zip({f"{number}.json": b"[]" for number in range(2_100)}),
    "zip of a broken one": _make_named_zip(lambda content: content[: len(content) // 2]),
    "zip of an empty one": _make_named_zip(lambda content: b""),
    "zip of a deep one": _make_named_zip(lambda content: b"[" * 200_000),
    "zip of other things": _make_named_zip(lambda content: b'{"email": "ada@example.org"}', "Userdata.json"),
    "zip of a zip": _make_named_zip(
        lambda content: make_zip({"Streaming_History_Audio_1.json": content}), "my_spotify_data.zip"
    ),
}
