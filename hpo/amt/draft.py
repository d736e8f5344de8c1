"""A spec that is being made of a tuning job of AMT's, and what of that has no place in it."""

from __future__ import annotations

from dataclasses import dataclass, field

from hpo.spec.nodes import Plain

SECTIONS = (
    "name",
    "strategy",
    "seed",
    "objective",
    "metrics",
    "parameters",
    "algorithms",
    "fixed",
    "limits",
    "stop_when",
    "early_stopping",
    "retry",
    "warm_start",
    "inputs",
    "launcher",
)
"""The keys of a spec in the order in which they are written."""

Mapped = dict[str, Plain]
"""A mapping of the spec."""


@dataclass(slots=True)
class Draft:
    """The sections so far, and by section what is to be said of it: what was not carried over, and why."""

    sections: Mapped = field(default_factory=dict)
    remarks: list[tuple[str, str]] = field(default_factory=list)

    def put(self, section: str, value: Plain) -> None:
        """Set a section; what is empty is left out."""
        if value not in (None, "", {}, []):
            self.sections[section] = value

    def mapping(self, section: str) -> Mapped:
        """Return a section that is a mapping; an empty one where it is not there."""
        value = self.sections.get(section)
        return value if isinstance(value, dict) else {}

    def drop(self, section: str, key: str) -> None:
        """Take an entry out of a section that is a mapping; without its last one there is no section."""
        rest = {name: value for name, value in self.mapping(section).items() if name != key}
        self.sections.pop(section, None)
        self.put(section, rest)

    def remark(self, section: str, text: str) -> None:
        """Say something of a section."""
        self.remarks.append((section, text))

    def lost(self, section: str, text: str) -> None:
        """Say what is not carried over."""
        self.remark(section, f"not carried over: {text}")


def duration(seconds: float | None) -> Plain:
    """Return seconds as a spec's duration: 2h, 15m, 90; null for none."""
    if seconds is None:
        return None
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size:g}{unit}"
    return seconds


def given(**entries: Plain) -> Mapped:
    """Return a mapping without what is empty or false."""
    return {
        key: value for key, value in entries.items() if value is not False and value not in (None, "", {}, [])
    }
