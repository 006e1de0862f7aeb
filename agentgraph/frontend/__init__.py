"""The front end: the only code that knows authoring objects and the IR.

``discover`` finds the agents and gives them identities, ``lower_*`` turn them into declarations of
a chart, and ``bindings`` keeps what the symbols of the chart stand for. Agents are read by their
shape, so that those of the published SDK can be checked as well.
"""
