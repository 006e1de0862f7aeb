"""`agentgraph runs`: the durable runs of a journal, as people look at them and decide on them."""
