"""Calling the user's functions: sync or async, in a thread or in the loop, and cancelling them."""
