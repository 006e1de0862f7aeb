"""Driving a run that makes a trace (docs/decisions/0026-spans-follow-the-fold.md).

Loaded only while a processor of traces listens.
"""
