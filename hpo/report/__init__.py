"""Reports: what a job has found, as data."""
