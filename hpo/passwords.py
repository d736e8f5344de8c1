"""Passwords in addresses of databases: they are in nothing that hpo shows or stores."""

from __future__ import annotations

import re

# A password is at most so long: after each // one is looked for to there.
_PASSWORD = re.compile(
    r"(//[^:/\s]*:)((?![0-9]+(?:/[^@#\s]*)?#)\S{1,4096})(?=@)"  # before the host, unless it is a port
    r"|((?:[?&;=]|%3b)\w*(?:passw|pwd)\w*(?:=|%3d))([^&#;\s]+)",  # among what follows the ?
    re.IGNORECASE,
)


def without_password(text: str) -> str:
    """Return an address, or a text with one in it, as it may be shown: with *** for the password."""
    return _PASSWORD.sub(r"\1\3***", text)


def passwords_of(address: str) -> list[str]:
    """Return the passwords that are written in an address, as they stand there."""
    return [found[2] or found[4] for found in _PASSWORD.finditer(address)]
