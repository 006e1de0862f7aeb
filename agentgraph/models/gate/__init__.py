"""The gate: what a model or its server sends passes here before a run reads it.

Rule (docs/design/architecture.md, rule 12): a reply leaves the gate complete and sound, or as an
error that names the model, its server and the fault. A damaged field of bookkeeping, such as a
count of tokens, never costs an answer, and an absent answer is never an empty one.

* `server` names the sender in messages.
* `body` refuses an HTML page, a JSON list or an error that a server sends with status 200.
* `stream` tells whether the client can read an answer, and whether a stream came to its end.
* `chat` reads a reply of Chat Completions, whole or piece by piece; `responses` one of the
  Responses API.
* `counts` reads usage in every vendor's form.
* `reply` is the last check, on the reply of any model, a user's own included.
* `quirks` lists the servers that need an exception, as data.
"""
