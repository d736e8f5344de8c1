"""boto3 without anything of the caller's environment."""

from __future__ import annotations

import os
from typing import Any

from hpo.testing.aws.account import REGION


def session(access_key: str, secret_key: str) -> Any:
    """Return a session of boto3's with these credentials, whatever profile or files the caller has."""
    import boto3
    from botocore.session import Session

    core = Session(
        {
            "profile": (None, [], None, None),
            "config_file": (None, [], os.devnull, None),
            "credentials_file": (None, [], os.devnull, None),
        }
    )
    return boto3.Session(access_key, secret_key, region_name=REGION, botocore_session=core)
