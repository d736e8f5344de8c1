"""The parts of a metric's pattern: its tokens, its group, and the forms it is used in."""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r"""
      \\Q.*?(?:\\E|$)                                          # quoted text
    | \\[pP]\{[^}]*\} | \\[pP]. | \\x\{[^}]*\} | \\x[0-9A-Fa-f]{2} | \\.
    | \[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\]                  # a class
    | \(\?P?<\w+> | \(\?[a-zA-Z-]*[:)] | \( | \)
    | (?:[*+?]|\{\d+(?:,\d*)?\})\??                            # a repetition
    | \#011
    | .
    """,
    re.VERBOSE | re.DOTALL,
)
_FLAGS = re.compile(r"\(\?([a-zA-Z]*)-([a-zA-Z]*)([:)])")
_REPETITION = re.compile(r"[*+{]")
_CLASS_LETTERS = frozenset("dDsSwW")  # a letter that a backslash turns into a class of characters
_ASSERTIONS = {r"\A": "^", r"\z": "$"}
_PLAIN = re.compile(r"[^\\()\[\]{}*+?|.^$]")


def tokens(regex: str) -> list[str]:
    """Split a pattern that compiles into its tokens; joined, they are the pattern again."""
    return _TOKEN.findall(regex)


def around_group(regex: str) -> tuple[str, str, str]:
    """Return what stands before, in and after the capturing group of a pattern that has exactly one."""
    parts = tokens(regex)
    start = next(i for i, piece in enumerate(parts) if _captures(piece))
    depth = 0
    for end in range(start, len(parts)):
        depth += _nesting(parts[end])
        if depth == 0:
            break
    return "".join(parts[:start]), "".join(parts[start + 1 : end]), "".join(parts[end + 1 :])


def from_group(regex: str, *, alone: bool = False) -> str:
    """Return the pattern from its group on, or the group alone, under the flags that hold there."""
    before, body, after = around_group(regex)
    parts = tokens(before)
    flags = "".join(piece for piece in parts if piece.startswith("(?") and piece.endswith(")"))
    if alone:
        return f"{flags}({body})"
    return f"{flags}{'(?:' * sum(map(_nesting, parts))}({body}){after}"


def with_group(regex: str, body: str) -> str:
    """Return the pattern with another body of its group."""
    before, _, after = around_group(regex)
    return f"{before}({body}){after}"


def on_every_line(regex: str) -> str:
    r"""Return the pattern that finds in many lines at once what `regex` finds in each alone.

    It is meant for an engine that lets nothing match a newline. `#011`, which stands for a tab in
    the patterns and logs of SageMaker, matches a tab too.
    """
    return "(?m)" + "".join(map(_on_every_line, tokens(regex)))


def lost_backslashes(regex: str) -> list[tuple[str, str]]:
    r"""Return (what stands there, what was meant) where a backslash seems lost or doubled: `s+`, `\\s`."""
    parts = tokens(regex)
    lost = [f"{parts[i]}{parts[i + 1]}" for i in _lost(parts)]
    doubled = [f"\\{parts[i + 1]}" for i in _doubled(parts)]
    return [(piece, f"\\{piece}") for piece in lost] + [(f"\\{piece}", piece) for piece in doubled]


def with_backslashes(regex: str) -> str:
    """Return the pattern with its lost backslashes restored, and the doubled ones halved."""
    parts = tokens(regex)
    for i in _lost(parts):
        parts[i] = f"\\{parts[i]}"
    for i in _doubled(parts):
        parts[i] = "\\"
    return "".join(parts)


def literal_text(regex: str) -> str:
    """Return the text that a pattern spells out around its group, blanks for everything else."""
    before, _, after = around_group(regex)
    return "".join(map(_literal, [*tokens(before), " ", *tokens(after)]))


def _captures(piece: str) -> bool:
    return piece == "(" or piece.startswith(("(?P<", "(?<"))


def _nesting(piece: str) -> int:
    if piece == ")":
        return -1
    return 1 if _captures(piece) or (piece.startswith("(?") and piece.endswith(":")) else 0


def _on_every_line(piece: str) -> str:
    if piece == "#011":
        return r"(?:\t|#011)"
    if flags := _FLAGS.fullmatch(piece):  # (?-m) would tie ^ and $ to the ends of the whole text
        on, off, end = flags.groups()
        off = off.replace("m", "")
        return f"(?{on}{'-' if off else ''}{off}{end}"
    return _ASSERTIONS.get(piece, piece)


def _lost(parts: list[str]) -> list[int]:
    return [
        i
        for i, piece in enumerate(parts[:-1])
        if piece in _CLASS_LETTERS
        and _REPETITION.match(parts[i + 1])
        and not (i > 0 and (parts[i - 1].isalpha() or parts[i - 1] == r"\\"))
    ]


def _doubled(parts: list[str]) -> list[int]:
    return [i for i, piece in enumerate(parts[:-1]) if piece == r"\\" and parts[i + 1] in _CLASS_LETTERS]


def _literal(piece: str) -> str:
    if len(piece) == 2 and piece[0] == "\\" and not piece[1].isalnum():
        return piece[1]
    return piece if _PLAIN.fullmatch(piece) else " "
