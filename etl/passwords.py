"""Generated passwords and keys."""

import secrets

_FIRST_CHARACTER = "p"
"""Prefix of a password that would begin with a hyphen."""


def generate_password(byte_count: int = 32) -> str:
    """Return URL-safe text of ``byte_count`` random bytes that no program takes for an option.

    psql, shells and other programs read an argument that begins with a hyphen as an option, and people paste passwords
    into command lines.
    """
    password = secrets.token_urlsafe(byte_count)
    return _FIRST_CHARACTER + password if password.startswith("-") else password
