"""Trials as containers on a Docker engine."""
