"""What a run reads from its session and writes to it."""
