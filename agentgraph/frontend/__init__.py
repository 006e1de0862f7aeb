"""The front end: the only code that knows authoring objects and the IR.

``reading`` sees every object once and says what the table depends on (the outline), ``discover``
gives identities, ``lower_*`` turn what was read into declarations of a chart, ``tables`` keeps the
tables of outlines, and ``bind`` says what the symbols of one stand for. Agents are read by their
shape, so that those of the published SDK can be checked as well.
"""
