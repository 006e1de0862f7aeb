"""The SQLite file behind a session: schema, rows, cached histories."""
