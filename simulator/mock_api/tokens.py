"""Signed tokens that contain all their data, so that a restart loses nothing.

A token is a JSON object in base64 and its HMAC under a key, which the mock API's state folder stores readable by its
owner only.
"""

import base64
import binascii
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from simulator.mock_api.hashed_ids import make_spotify_id

TokenKind = Literal["code", "access", "refresh"]
Clock = Callable[[], float]
REFRESH_MONTHS = 6


@dataclass(frozen=True)
class Token:
    """The content of a token. ``account`` is empty for an app's own token; ``bound_to`` binds a code to its request."""

    kind: TokenKind
    client_id: str
    account: str
    scope: str
    authorised_at: float
    expires_at: float
    bound_to: str = ""
    number: str = ""


class TokenSigner:
    """Signer and verifier of tokens."""

    def __init__(self, state: Path, clock: Clock) -> None:
        self._key = _read_or_create_key(state / "token-key")
        self.clock = clock
        self._revoked_numbers: set[str] = set()

    def sign_token(self, token: Token) -> str:
        """Return ``token`` as the text that a client sends."""
        payload = base64.urlsafe_b64encode(json.dumps(asdict(token)).encode()).rstrip(b"=")
        return f"{payload.decode()}.{self._compute_signature(payload)}"

    def verify_token(self, text: str, kind: TokenKind) -> Token | None:
        """Return the token of a kind, expired or not; None if this mock API has not signed it."""
        payload, _, signature = text.partition(".")
        if not hmac.compare_digest(self._compute_signature(payload.encode()).encode(), signature.encode()):
            return None
        try:
            token = Token(**json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))))
        except (binascii.Error, ValueError, TypeError):
            return None
        return token if token.kind == kind else None

    def is_expired(self, token: Token) -> bool:
        """Return whether a token has expired."""
        return self.clock() >= token.expires_at or token.number in self._revoked_numbers

    def revoke_token(self, token: Token) -> None:
        """Expire a token now; a restart loses the revocation."""
        self._revoked_numbers.add(token.number)

    def _compute_signature(self, payload: bytes) -> str:
        return base64.urlsafe_b64encode(hmac.digest(self._key, payload, hashlib.sha256)).rstrip(b"=").decode()


def compute_refresh_expiry(authorised_at: float) -> float:
    """Return the expiry of a refresh token: six months after the authorisation, at the same time of the same day."""
    start = datetime.fromtimestamp(authorised_at, UTC)
    months = start.month - 1 + REFRESH_MONTHS
    year, month = start.year + months // 12, months % 12 + 1
    for day in range(start.day, 0, -1):
        try:
            return start.replace(year=year, month=month, day=day).timestamp()
        except ValueError:  # no such day in that month
            continue
    raise AssertionError("every month has a first day")


def make_token_id() -> str:
    """Return an id that no other token has."""
    return make_spotify_id(secrets.token_hex(16), length=12)


def _read_or_create_key(path: Path) -> bytes:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    if not path.exists():
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_bytes(32))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_bytes()
