"""The kinds of work: asking a model, calling tools, handing over, recovering.

One file holds one kind, ``(bench, command) -> outcome``. Nothing here knows the machine's moves or
the loop; the driver calls it through ``perform.py`` alone.
"""
