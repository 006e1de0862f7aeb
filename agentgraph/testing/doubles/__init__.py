"""Models that take the place of a real one in a test; `agentgraph.testing` exports them."""
