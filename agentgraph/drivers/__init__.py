"""Drivers: the only code that calls models and user code.

``aio`` turns commands into work and outcomes into steps; ``perform`` finds the function for a kind
of work, and ``work`` holds these functions.
"""
