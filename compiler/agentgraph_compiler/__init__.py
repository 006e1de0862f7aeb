"""A compiler for agent workflows: a typed statechart in, diagnostics and a frozen machine out.

This package knows no agent SDK. It imports the standard library, networkx (graph algorithms),
pydantic (JSON at its edges) and graphviz (drawing); anything can be lowered to a
:class:`~agentgraph_compiler.ir.chart.Chart`.
"""
