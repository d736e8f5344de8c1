"""Launchers: where and how a trial's program runs."""
