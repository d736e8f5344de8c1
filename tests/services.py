"""What AWS's services are like, which botocore reads for each session: that takes longer than most tests."""

from __future__ import annotations

import functools

import botocore.session

from hpo.testing.aws.shapes import model


def read_once() -> None:
    """Let all sessions of this process, and of those forked from it, share what one of them has read."""
    model("s3")  # the emulator's own: a client takes the buckets out of the paths that it has read
    botocore.session.create_loader = functools.cache(botocore.session.create_loader)
