"""Capture: what a file defines and which runs it would begin, without a run.

`children` starts a child process for each file and reads its messages (`messages`). In the child
`loading` executes the file under a recorder (`recorder`), with no input, without connections and
processes (`refusals`), and within bounds of time and memory (`bounds`). `starts` finds the agents
that a run can start with; `static` reads the calls of a file that cannot be imported.
"""
