"""`python -m agentgraph` is the command `agentgraph`."""

from agentgraph.cli import main

if __name__ == "__main__":
    main()
