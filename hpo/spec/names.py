"""What names look like, for those who read no spec."""

from __future__ import annotations

import re

JOB_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,30}[A-Za-z0-9])?")
"""A job's name: letters, digits and inner hyphens, at most 32 in all."""

ALGORITHM = re.compile("[A-Za-z_][A-Za-z0-9_.-]{0,63}")
"""The name of one of several algorithms."""
