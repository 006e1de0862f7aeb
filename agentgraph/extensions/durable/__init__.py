"""Engines that spread durable runs over machines.

An engine calls `Runner.resume` at least once for each run, and again if the process of that call
dies. That is all it does: what has an outcome stands in the journal, so it is never done twice.
"""
