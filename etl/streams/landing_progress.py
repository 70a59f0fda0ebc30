"""The progress file of landing: what the supervisor and ``watch_streams`` know about the process."""

import json
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


@dataclass
class LandingProgress:
    """The progress of a landing process, written to STATE_DIR/streams/landing.progress.

    The file is a JSON object: ``process_id``, ``topic``, ``topic_id``, ``updated_at``, by partition ``positions`` (the
    offset after the landed ones) and ``lag`` (offsets that are not landed), since its start ``landed_count`` and
    ``rejected_count`` (messages), and ``last_error`` (NULL while all is well). It is written after each landed file and
    every few seconds; a file that is older than two minutes is that of a process that does not run.
    """

    path: Path
    topic: str
    topic_id: str = ""
    positions: dict[int, int] = field(default_factory=dict)
    lag: dict[int, int] = field(default_factory=dict)
    landed_count: int = 0
    rejected_count: int = 0
    last_error: str | None = None

    def write(self) -> None:
        """Write the file whole."""
        document: dict[str, Any] = {
            "process_id": os.getpid(),
            "topic": self.topic,
            "topic_id": self.topic_id,
            "updated_at": datetime.now(UTC).isoformat(),
            "positions": self.positions,
            "lag": self.lag,
            "landed_count": self.landed_count,
            "rejected_count": self.rejected_count,
            "last_error": self.last_error,
        }
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_name(f"{self.path.name}.{os.getpid()}.part")
        draft.write_text(json.dumps(document), encoding="utf-8")
        draft.replace(self.path)
