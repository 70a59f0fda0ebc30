"""The scenario: which mode, and later what changes from night to night and what goes wrong."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Literal

from etl.errors import ActionNeededError
from etl.simulate.spotify_api.stock import Stock

Mode = Literal["development", "extended"]


@dataclass(frozen=True)
class Scenario:
    """What one TOML file says; without one, the default."""

    mode: Mode = "development"
    starts_on: date | None = None
    client_secret: str = "stand-in-secret"
    access_token_seconds: int = 3600
    authorised_days_ago: Mapping[str, float] = field(default_factory=dict)

    def first_day(self, stock: Stock) -> date:
        """The day of night 0: the one that the scenario names, else the day on which the stock was written."""
        return self.starts_on or stock.written_on


def read_scenario(path: Path | None) -> Scenario:
    """The scenario in a TOML file.

    :raises ActionNeededError: where the file cannot be read or says something that no scenario can say.
    """
    if path is None:
        return Scenario()
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ActionNeededError(f"The scenario {path} cannot be read: {error}.") from None
    return Scenario(mode=said.get("mode", "development"))
