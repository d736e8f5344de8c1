"""Paths as users write them."""

from __future__ import annotations

from pathlib import Path

from hpo.errors import UsageError


def expanded(path: str) -> Path:
    """Return the path with `~` and `~user` replaced by the home folder; raises UsageError for nobody's."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        home = Path(path).parts[0]
        raise UsageError(f"no home folder is known for `{home}`; write the whole path") from None
