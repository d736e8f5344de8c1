"""Metrics: from the bytes of a log to numbered points, and help when there are none."""
