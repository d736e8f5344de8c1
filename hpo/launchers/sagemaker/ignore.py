"""Which files of a folder are left out: patterns as in a .gitignore."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

FILE = ".hpoignore"
"""The file in a folder with its patterns."""

ALWAYS = (FILE, ".git", "__pycache__", ".ipynb_checkpoints", ".DS_Store", ".venv")
"""Left out of programs, unless a pattern with `!` says otherwise."""

_GLOB = re.compile(r"\*\*/|(?<=/)\*\*$|\*|\?|\[!?[^\]/]+\]|[^*?\[]+|\[")


@dataclass(frozen=True, slots=True)
class _Pattern:
    regex: re.Pattern[str]
    includes: bool
    folders_only: bool


class Ignored:
    """Tells by a file's path below its folder whether it is left out; of several patterns the last counts."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._patterns = [pattern for line in lines if (pattern := _pattern(line))]

    def __call__(self, path: str, *, is_folder: bool) -> bool:
        """Tell whether a path, with slashes, is left out; what is in such a folder is, too."""
        left_out = False
        for pattern in self._patterns:
            if (is_folder or not pattern.folders_only) and pattern.regex.fullmatch(path):
                left_out = not pattern.includes
        return left_out


def _pattern(line: str) -> _Pattern | None:
    text = line.strip()
    if not text or text.startswith("#"):
        return None
    includes, text = text.startswith("!"), text.removeprefix("!")
    folders_only, text = text.endswith("/"), text.rstrip("/")
    anywhere = "" if "/" in text else "(?:.*/)?"
    regex = "".join(map(_translated, _GLOB.findall(text.lstrip("/"))))
    return _Pattern(re.compile(anywhere + regex, re.DOTALL), includes, folders_only)


def _translated(part: str) -> str:
    match part:
        case "**/":
            return "(?:.*/)?"
        case "**":
            return ".*"
        case "?":
            return "[^/]"
        case _ if part.startswith("*"):
            return "[^/]*"
        case _ if part.startswith("[") and len(part) > 1:
            inner = part[1:-1].replace("\\", "\\\\")
            return f"[^{inner[1:]}]" if inner.startswith("!") else f"[{inner}]"
        case _:
            return re.escape(part)
