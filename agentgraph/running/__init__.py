"""Running: how a run begins, how it ends, and how an agent tool runs inside another run."""
