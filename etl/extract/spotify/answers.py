"""The answers of one fetch: each kept at once in the run's folder, all of them one input of the lake in the end.

A fetch that was killed and is run again finds what it had asked and asks only the rest.
"""

import gzip
import hashlib
import io
import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, ParamSpec

from etl.lake import Lake, Received
from etl.schemas.api import BATCHES, EVENT_ENDPOINTS, PAGES

ORIGIN, FORMAT = "api", "spotify_answers"
COLUMNS = ("number", "asked_at", "account", "endpoint", "path", "query", "status", "body", "playlist_id", "snapshot_id")
OF_THE_ACCOUNT = ("me", "my_playlists", *EVENT_ENDPOINTS)
ACCOUNT_PARTS = ("account", "recently_played")
"""What is asked of an account, each a fetch of its own."""

_ASKING = ParamSpec("_ASKING")


@dataclass(frozen=True)
class Answer:
    """One answer of the API, as received: a line of the input.

    ``account`` is the name of the account that asked. Playlist items know the playlist and the snapshot under which
    they were asked.
    """

    asked_at: str
    account: str | None
    endpoint: str
    path: str
    query: dict[str, Any]
    status: int
    body: Any
    playlist_id: str | None = None
    snapshot_id: str | None = None

    def is_good(self) -> bool:
        """Whether it carries what was asked for."""
        return self.status == 200

    def is_about_a_thing(self) -> bool:
        """Whether it says something about the thing asked; a refusal may be about us (our mode, our rights), or about
        any one of many."""
        if self.endpoint in BATCHES:
            return self.is_good() or (self.status == 400 and "," not in self.query["ids"])
        return self.is_good() or self.endpoint not in OF_THE_ACCOUNT

    def line(self) -> dict[str, Any]:
        """The answer as the input's line has it."""
        own = ("playlist_id", "snapshot_id")
        return {k: v for k, v in asdict(self).items() if k not in own or self.endpoint == "playlist_items"}


def thing_count(answer: Answer) -> int:
    """The number of things in an answer: of a page its items, of a batch its list (nulls counted), else 1; 0 of a
    refusal."""
    if not answer.is_good():
        return 0
    if answer.endpoint in PAGES:
        return len(answer.body["items"])
    if answer.endpoint == "followed_artists":
        return len(answer.body["artists"]["items"])
    if answer.endpoint in BATCHES:
        return len(answer.body[answer.endpoint])
    return 1


def account_part(what: str, name: str) -> str:
    """What the fetch of one of ``ACCOUNT_PARTS`` of the account ``name`` is called, in the lake and in the audit."""
    return f"{what}-{name}"


def lines_of(lake: Lake, received: Received) -> Iterator[dict[str, Any]]:
    """The lines of an input."""
    with lake.read(received) as packed, gzip.open(packed, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def packed(lines: Iterable[dict[str, Any]]) -> bytes:
    """Lines as the bytes of an input; equal lines are equal bytes."""
    content = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=content, mtime=0) as file:
        for line in lines:
            file.write(_json(line) + b"\n")
    return content.getvalue()


def event_thing_count(lake: Lake, received: Received) -> int:
    """The number of things in an input that tell of something that its account did, counted from its lines."""
    values = (line for line in lines_of(lake, received) if line["endpoint"] in EVENT_ENDPOINTS)
    return sum(thing_count(Answer(**{k: v for k, v in value.items() if k != "number"})) for value in values)


class Answers:
    """The answers of one fetch ``part`` of the run ``run_id``."""

    def __init__(self, lake: Lake, run_id: str, part: str) -> None:
        """
        :param part: names the fetch within the run, and the file of its input; letters, digits, - and _.
        """
        self._lake, self._run_id, self._part = lake, run_id, part
        self._place = f"answers/{part}"
        self._number: int | None = None
        self.replayed: Counter[str] = Counter()
        """How many answers were found kept, by endpoint."""

    def ask(self, method: Callable[_ASKING, Answer], *args: _ASKING.args, **kwargs: _ASKING.kwargs) -> Answer:
        """The answer to ``method(…)``: the one kept by an earlier try, else a new one, which is then kept.

        A refusal that is about the account's rights is not kept: they may be given meanwhile.
        """
        request = json.dumps([getattr(method, "__name__", ""), args, kwargs], sort_keys=True)
        name = f"{hashlib.sha256(request.encode()).hexdigest()[:32]}.json"
        kept = self._find(name)
        if kept is not None:
            self.replayed[kept.endpoint] += 1
            return kept
        answer = method(*args, **kwargs)
        if answer.is_about_a_thing() or answer.endpoint in BATCHES:
            self._keep(name, answer)
        return answer

    def finish(self, received_at: datetime) -> Received | None:
        """Bring what was kept into the lake as one input; the same answers are the same bytes.

        :returns: the lake's note, or None where no answer says anything.
        """
        answers = [answer for answer in self.all_kept() if answer.is_about_a_thing()]
        if not answers:
            return None
        with tempfile.TemporaryFile() as content:
            # Neither name nor time in gzip's header: equal answers are equal bytes.
            with gzip.GzipFile(filename="", mode="wb", fileobj=content, mtime=0) as packed:
                for number, answer in enumerate(answers):
                    packed.write(_json({"number": number, **answer.line()}) + b"\n")
            size = content.tell()
            content.seek(0)
            input_id = hashlib.file_digest(content, "sha256").hexdigest()[:16]
            content.seek(0)
            name = f"{self._part}.jsonl.gz"
            received = Received(
                input_id=input_id,
                origin=ORIGIN,
                name=name,
                format=FORMAT,
                encoding="utf-8",
                delimiter="",
                columns=COLUMNS,
                row_count=sum(thing_count(answer) for answer in answers),
                size_bytes=size,
                received_at=received_at.isoformat(),
                url=self._lake.input_url(ORIGIN, input_id, name),
            )
            return self._lake.receive(content, received)

    def _find(self, name: str) -> Answer | None:
        content = self._lake.kept(self._run_id, f"{self._place}/{name}")
        kept = _numbered(content)
        return kept[1] if kept else None

    def _keep(self, name: str, answer: Answer) -> None:
        if self._number is None:
            self._number = len(self._lake.kept_names(self._run_id, self._place))
        content = _json({"number": self._number, **asdict(answer)})
        self._lake.keep(self._run_id, f"{self._place}/{name}", content)
        self._number += 1

    def all_kept(self) -> list[Answer]:
        """All that is kept, in the order asked."""
        names = self._lake.kept_names(self._run_id, self._place)
        contents = [self._lake.kept(self._run_id, f"{self._place}/{name}") for name in names]
        numbered = [kept for kept in map(_numbered, contents) if kept]
        return [answer for _, answer in sorted(numbered, key=lambda pair: (pair[0], pair[1].asked_at))]


def _json(value: dict[str, Any]) -> bytes:
    # Escaped, because names may hold halves of surrogate pairs, which UTF-8 has no bytes for.
    return json.dumps(value, ensure_ascii=True).encode()


def _numbered(content: bytes | None) -> tuple[int, Answer] | None:
    """A kept answer and its place in the order asked; None where there is none, or a machine that stopped cut it."""
    try:
        value = json.loads(content or b"")
    except ValueError:
        return None
    return value.pop("number"), Answer(**value)
