"""Trials as programs of this machine."""
