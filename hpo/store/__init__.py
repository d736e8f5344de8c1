"""The store: everything a job knows, in one SQLite file."""
