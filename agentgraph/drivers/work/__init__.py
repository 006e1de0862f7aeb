"""How each kind of work is done: asking a model, calling tools, handing over, recovering.

One file is one kind, ``(run, command) -> outcome``. Nothing here knows the machine's moves or the
loop; the driver reaches it through ``perform.py`` alone.
"""
