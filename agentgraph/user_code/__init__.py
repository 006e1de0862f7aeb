"""Calling what the user wrote: sync or async, in a thread or not, cancelled or not."""
