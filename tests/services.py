"""What AWS's services are like, which botocore reads for each session: that takes longer than most tests."""

from __future__ import annotations

import functools

import botocore.session


def read_once() -> None:
    """Let all sessions of this process, and of those forked from it, share what one of them has read."""
    botocore.session.create_loader = functools.cache(botocore.session.create_loader)
