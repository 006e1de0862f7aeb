"""Drivers: the only code that calls models and user code.

``aio`` turns commands into work and outcomes into steps; ``perform`` says how each kind of work is
done.
"""
