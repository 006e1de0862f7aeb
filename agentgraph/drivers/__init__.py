"""Drivers: the only code that calls models and user code.

``aio`` turns commands into work and outcomes into steps; ``perform`` finds who does a kind of work,
and ``work`` holds how each is done.
"""
