"""Three translators work side by side; a judge picks the best text.

python examples/workflows/translations.py "The early bird catches the worm"
agentgraph draw examples/workflows/translations.py
"""

from __future__ import annotations

import sys

from agentgraph import Agent, Runner, Workflow

editor = Agent(
    name="Editor",
    instructions="Correct the spelling of the text. Answer with the text and nothing else.",
)
styles = ("Word for word", "Free", "For children")
translators = [
    Agent(name=style, instructions=f"Translate the text to Spanish. {style}.") for style in styles
]
judge = Agent(
    name="Judge", instructions="Pick the best of these translations, and answer with it alone."
)

flow = Workflow("Translations", start=editor)
texts = flow.parallel("texts", translators)
flow.then(editor, texts)
flow.then(texts, judge)

if __name__ == "__main__":
    print(Runner.run_sync(flow, " ".join(sys.argv[1:]) or "Bees like flowers.").final_output)
