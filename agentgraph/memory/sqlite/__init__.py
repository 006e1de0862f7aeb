"""The SQLite file behind a session: schema, rows, remembered histories."""
