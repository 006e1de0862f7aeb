"""Models through libraries that speak to many vendors: any-llm and LiteLLM.

Requests and replies go through the converter and the gate of Chat Completions (`ChatModel`) or of
the Responses API (`ResponsesModel`). A library is imported at the first call of such a model.
"""
