"""Refuse files that are too long to be read at once, and functions of the package of more than a screen."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE, TESTS = ROOT / "hpo", ROOT / "tests"
LINES_OF_FILE = 300
LINES_OF_FUNCTION = 40


def too_long(path: Path) -> Iterator[str]:
    """Yield what of a file is too long."""
    text = path.read_text(encoding="utf-8")
    place = path.relative_to(ROOT)
    if (lines := text.count("\n")) > LINES_OF_FILE:
        yield f"{place}: {lines} lines; at most {LINES_OF_FILE}: does it have one subject?"
    if path.is_relative_to(TESTS):
        return  # a test tells a story, which may be a long one
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > LINES_OF_FUNCTION:
                yield f"{place}:{node.lineno}: {node.name} has {lines} lines; at most {LINES_OF_FUNCTION}"


files = sorted(path for folder in (PACKAGE, TESTS) for path in folder.rglob("*.py"))
if found := [problem for path in files for problem in too_long(path)]:
    sys.exit("\n".join(found))
