"""Programs for the rules about the source: a line at fault says `# fault`; the innocent programs
are close to the faulty ones."""

from __future__ import annotations

PRELUDE = """\
import asyncio
from contextlib import suppress
from dataclasses import dataclass
from agents import (
    Agent, GuardrailFunctionOutput, InputGuardrail, InputGuardrailTripwireTriggered, RunConfig,
    Runner, SQLiteSession, function_tool, handoff, input_guardrail, output_guardrail,
)

@function_tool
def look_up(word: str) -> str:
    "Look a word up."
    return word

@input_guardrail
def polite(context, agent, text):
    return GuardrailFunctionOutput(None, "please" not in str(text))

desk = Agent(name="Desk")
"""

TYPED = """
from pydantic import BaseModel

class Report(BaseModel):
    title: str

class Summary(BaseModel):
    text: str

writer = Agent(name="Writer", output_type=Report)
"""

FAULTY: dict[str, dict[str, str]] = {
    "AG910": {
        "in an async function": """
async def ask(text):
    return Runner.run_sync(desk, text)  # fault
""",
        "in an async tool": """
@function_tool
async def ask(text: str) -> str:
    "Ask."
    return str(Runner.run_sync(desk, text).final_output)  # fault
""",
        "in an async method, under another name": """
from agents import Runner as R
class Desk:
    async def ask(self, text):
        if text:
            return R.run_sync(desk, text)  # fault
""",
    },
    "AG911": {
        "dropped": """
async def ask(text):
    Runner.run_streamed(desk, text)  # fault
""",
        "only its result is read": """
async def ask(text):
    result = Runner.run_streamed(desk, text)  # fault
    return result.final_output
""",
        "the result before the events": """
async def ask(text):
    result = Runner.run_streamed(desk, text)
    print(result.final_output)  # fault
    async for event in result.stream_events():
        print(event)
""",
        "iterated itself": """
async def ask(text):
    result = Runner.run_streamed(desk, text)
    async for event in result:  # fault
        print(event)
""",
        "iterated without a name": """
async def ask(text):
    async for event in Runner.run_streamed(desk, text):  # fault
        print(event)
""",
        "the second of two": """
async def ask(text):
    result = Runner.run_streamed(desk, text)
    async for event in result.stream_events():
        print(event)
    result = Runner.run_streamed(desk, result.to_input_list())  # fault
    return result.final_output
""",
    },
    "AG912": {
        "what was typed": """
async def chat():
    while True:
        text = input("> ")
        result = await Runner.run(desk, text)  # fault
        print(result.final_output)
""",
        "in the condition, and cleaned": """
def chat():
    while (text := input("> ").strip()) != "quit":
        message = f"The customer says: {text}"
        print(Runner.run_sync(desk, message).final_output)  # fault
""",
        "typed in a thread, as a message": """
async def chat():
    agent = desk
    while True:
        text = await asyncio.to_thread(input, "> ")
        if text == "quit":
            break
        result = await Runner.run(agent, [{"role": "user", "content": text}])  # fault
        agent = result.last_agent
""",
        "in a function": """
async def answer(text):
    result = await Runner.run(desk, input=text)  # fault
    print(result.final_output)

async def chat():
    while True:
        await answer(input("> "))
""",
    },
    "AG913": {
        "a tool of the clone": """
copy = desk.clone(name="Copy")
copy.tools.append(look_up)  # fault
""",
        "a handoff of the original": """
copy = desk.clone(name="Copy", tools=[])
desk.handoffs.append(copy)  # fault
""",
        "in a function, with +=": """
def build():
    copy = desk.clone(instructions="Be brief.")
    copy.input_guardrails += [polite]  # fault
    return copy
""",
        "in a loop": """
def build(names):
    for name in names:
        copy = desk.clone(name=name)
        copy.tools.extend([look_up])  # fault
        yield copy
""",
    },
    "AG914": {
        "itself": """
@function_tool  # fault
async def write(text: str) -> str:
    "Write."
    return str(await Runner.run(writer, text))

writer = Agent(name="Writer", tools=[write])
""",
        "through a handoff": """
@function_tool  # fault
async def write(text: str) -> str:
    "Write."
    return str(await Runner.run(editor, text))

writer = Agent(name="Writer", tools=[write])
editor = Agent(name="Editor", handoffs=[writer])
""",
        "through the code of two tools and a function": """
async def ask(agent_name: str, text: str) -> str:
    return str(await Runner.run(editor, text))

@function_tool  # fault
async def write(text: str) -> str:
    "Write."
    return await ask("editor", text)

@function_tool  # fault
async def edit(text: str) -> str:
    "Edit."
    return str(await Runner.run(writer, text))

writer = Agent(name="Writer", tools=[write])
editor = Agent(name="Editor", tools=[edit])
""",
        "a guardrail of the agent that it runs": """
@input_guardrail  # fault
async def safe(context, agent, text):
    result = await Runner.run(judge, text)
    return GuardrailFunctionOutput(None, "no" in result.final_output)

judge = Agent(name="Judge", input_guardrails=[safe])
""",
    },
    "AG915": {
        "a forced call": """
from agents import ModelSettings

clerk = Agent(
    name="Clerk", tools=[look_up], model_settings=ModelSettings(tool_choice="required")
)

async def ask(text):
    return await Runner.run(clerk, text, max_turns=1)  # fault
""",
        "no turn, with a name": """
LIMIT = 0
Runner.run_sync(desk, "x", max_turns=LIMIT)  # fault
""",
        "a handoff that is forced, of each agent that it may be": """
from agents import ModelSettings

forced = ModelSettings(tool_choice="required")
first = Agent(name="First", handoffs=[desk], model_settings=forced)
second = Agent(name="Second", handoffs=[first], model_settings=forced)

def ask(text, is_new):
    return Runner.run_streamed(first if is_new else second, text, max_turns=1)  # fault
""",
    },
    "AG916": {
        "a constant": """
@dataclass
class Verdict:
    is_safe: bool

judge = Agent(name="Judge", output_type=Verdict)

@input_guardrail
async def safe(context, agent, text):
    result = await Runner.run(judge, text, context=context.context)  # fault
    return GuardrailFunctionOutput(output_info=result.final_output, tripwire_triggered=False)
""",
        "whether there is an output": """
@dataclass
class Verdict:
    is_safe: bool

judge = Agent(name="Judge", output_type=Verdict)

async def safe(context, agent, text):
    result = await Runner.run(judge, text)  # fault
    verdict = result.final_output_as(Verdict)
    print(f"verdict: {verdict}")
    return GuardrailFunctionOutput({"verdict": verdict}, verdict is not None)

desk.input_guardrails.append(InputGuardrail(safe))
""",
        "another value": """
@dataclass
class Verdict:
    is_safe: bool

judge = Agent(name="Judge", output_type=Verdict)

@output_guardrail
async def safe(context, agent, output):
    result = await Runner.run(judge, str(output))  # fault
    verdict = result.final_output
    return GuardrailFunctionOutput(verdict, tripwire_triggered=len(str(output)) > 100)
""",
        "the truth of a model": """
from pydantic import BaseModel

class Verdict(BaseModel):
    is_safe: bool

judge = Agent(name="Judge", output_type=Verdict)

@input_guardrail
async def safe(context, agent, text):
    result = await Runner.run(judge, text)  # fault
    return GuardrailFunctionOutput(None, tripwire_triggered=bool(result.final_output))
""",
    },
    "AG917": {
        "a specialist left out": """
billing = Agent(name="Billing")
refunds = Agent(name="Refunds")  # fault
triage = Agent(name="Triage", handoffs=[billing])

Runner.run_sync(triage if True else desk, "hello")
""",
        "a clone": """
brief = desk.clone(name="Brief")  # fault

def main():
    print(Runner.run_sync(desk, "hello").final_output)

if __name__ == "__main__":
    main()
""",
        "one with tools and handoffs of its own": """
async def main():
    await Runner.run(desk, "hello")

manager: Agent = Agent(  # fault
    name="Manager", tools=[look_up], handoffs=[desk],
)

if __name__ == "__main__":
    asyncio.run(main())
""",
    },
    "AG918": {
        "no try at all": """
guarded = Agent(name="Guarded", input_guardrails=[polite])

def ask(text):
    return Runner.run_sync(guarded, text).final_output  # fault
""",
        "another error is handled": """
guarded = Agent(name="Guarded", input_guardrails=[polite])

async def ask(text):
    try:
        return await Runner.run(guarded, text)  # fault
    except ValueError:
        return None
""",
        "the guardrail of an agent that takes over": """
@output_guardrail
def short(context, agent, output):
    return GuardrailFunctionOutput(None, len(str(output)) > 100)

guarded = Agent(name="Guarded", output_guardrails=[short])
triage = Agent(name="Triage", handoffs=[guarded])

async def ask(text):
    try:
        print("asking")
    except Exception:
        raise
    return await Runner.run(triage, text)  # fault
""",
    },
    "AG306": {
        "another class": TYPED
        + """
async def ask(text):
    result = await Runner.run(writer, text)
    return result.final_output_as(Summary)  # fault
""",
        "text": TYPED
        + """
def ask(text):
    return Runner.run_sync(writer, text).final_output_as(str)  # fault
""",
        "of an agent without an output type": TYPED
        + """
def ask(text):
    result = Runner.run_sync(desk, text)
    return result.final_output_as(Report, raise_if_incorrect_type=True)  # fault
""",
        "of agents behind handoffs": TYPED
        + """
triage = Agent(name="Triage", handoffs=[writer])

async def ask(text):
    result = await Runner.run(triage, text)
    return result.final_output_as(Summary)  # fault
""",
        "of a tool that ends the run": TYPED
        + """
lexicon = Agent(name="Lexicon", tools=[look_up], tool_use_behavior="stop_on_first_tool")

async def ask(text):
    return (await Runner.run(lexicon, text)).final_output_as(Report)  # fault
""",
    },
    "AG920": {
        "a code": """
from agentgraph import allow
allow(desk, "AG999")  # fault
""",
        "a name with a typo": """
from agentgraph import allow
lone = allow(Agent(name="Lone"), "unused-agents")  # fault
""",
        "the second name": """
import agentgraph
agentgraph.allow(
    desk,
    "AG201",
    "unreachable",  # fault
)
""",
    },
}

INNOCENT: dict[str, dict[str, str]] = {
    "AG910": {
        "awaited": "async def ask(text): return await Runner.run(desk, text)",
        "in a function": "def ask(text): return Runner.run_sync(desk, text)",
        "in a thread": """
async def ask(text):
    return await asyncio.to_thread(lambda: Runner.run_sync(desk, text))
""",
        "in a function for a thread, passed by name too": """
async def ask(text):
    def work():
        return Runner.run_sync(desk, text)
    await asyncio.to_thread(Runner.run_sync, desk, text)
    return await asyncio.to_thread(work)
""",
        "of another runner": """
from agents.run import set_default_agent_runner
set_default_agent_runner(object())
async def ask(text): return Runner.run_sync(desk, text)
""",
        "an error that a test expects": """
import pytest
async def test_it():
    with pytest.raises(RuntimeError):
        Runner.run_sync(desk, "hello")
""",
        "of another library": """
class Machine:
    def run_sync(self, agent, text): ...

async def ask(text): return Machine().run_sync(desk, text)
""",
    },
    "AG911": {
        "its events are read": """
async def ask(text):
    result = Runner.run_streamed(desk, text)
    async for event in result.stream_events():
        print(event, result.current_turn)
    return result.final_output
""",
        "its events are read without a name": """
async def ask(text):
    async for event in Runner.run_streamed(desk, text).stream_events():
        yield event
""",
        "returned": """
def begin(text):
    result = Runner.run_streamed(desk, text)
    print(result.current_agent)
    return result
""",
        "passed on, and read after that": """
async def ask(text):
    result = Runner.run_streamed(desk, text)
    await show(result)
    return result.final_output

async def show(result): ...
""",
        "read in a function inside": """
async def ask(text):
    result = Runner.run_streamed(desk, text)
    async def show():
        async for event in result.stream_events():
            print(event)
    await show()
    return result.final_output
""",
        "read in a function above": """
async def ask(text):
    async def show():
        async for event in result.stream_events():
            print(event)
    result = Runner.run_streamed(desk, text)
    await show()
    return result.final_output
""",
        "the result of the run before": """
async def ask(text):
    result = Runner.run_streamed(desk, text)
    async for event in result.stream_events():
        print(event)
    result = Runner.run_streamed(desk, result.to_input_list())
    async for event in result.stream_events():
        print(event)
""",
        "an error that a test expects": """
import pytest
async def test_it():
    with pytest.raises(ValueError):
        Runner.run_streamed(desk, "hello", max_turns=-1)
""",
        "the result of the round before": """
async def chat():
    result = Runner.run_streamed(desk, "hello")
    rounds = 0
    while True:
        if rounds:
            print(result.final_output)
        async for event in result.stream_events():
            rounds += 1
""",
        "consumed in the loop of a chat": """
async def chat():
    items = []
    while True:
        items.append({"role": "user", "content": input()})
        result = Runner.run_streamed(desk, items)
        async for event in result.stream_events():
            print(event)
        items = result.to_input_list()
""",
    },
    "AG912": {
        "a session": """
async def chat():
    session = SQLiteSession("one")
    while True:
        text = input("> ")
        await Runner.run(desk, text, session=session)
""",
        "the items so far": """
async def chat():
    items = []
    while True:
        items.append({"role": "user", "content": input("> ")})
        result = await Runner.run(desk, items)
        items = result.to_input_list()
""",
        "the text so far": """
async def chat():
    history = ""
    while True:
        text = input("> ")
        message = history + text
        result = await Runner.run(desk, message)
        history += text + str(result.final_output)
""",
        "a conversation at the provider": """
async def chat():
    last = None
    while True:
        text = input("> ")
        result = await Runner.run(desk, text, previous_response_id=last)
        last = result.last_response_id
""",
        "options that may hold a session": """
async def chat(**options):
    while True:
        text = input("> ")
        await Runner.run(desk, text, **options)
""",
        "one question": """
async def ask():
    text = input("> ")
    print(await Runner.run(desk, text))
""",
        "a list of questions": """
async def ask(questions):
    while questions:
        print(await Runner.run(desk, questions.pop()))
""",
        "instructions that a function makes": """
said = []

def instructions(context, agent): return str(said)

teller = Agent(name="Teller", instructions=instructions)

async def chat():
    while True:
        text = input("> ")
        said.append((text, await Runner.run(teller, text)))
""",
        "instructions that a function makes, in a file that cannot be imported": """
import a_package_that_is_not_installed
def instructions(context, agent): return str(said)

teller = Agent(name="Teller", instructions=instructions)

async def chat():
    while True:
        text = input("> ")
        await Runner.run(teller, text)
""",
        "an agent with the conversation in its instructions": """
async def chat():
    said = []
    while True:
        text = input("> ")
        agent = Agent(name="Desk", instructions=str(said))
        said.append((text, await Runner.run(agent, text)))
""",
    },
    "AG913": {
        "a list of its own": """
copy = desk.clone(name="Copy", tools=[*desk.tools])
copy.tools.append(look_up)
""",
        "before the clone": """
desk.tools.append(look_up)
copy = desk.clone(name="Copy")
""",
        "a new list after the clone": """
copy = desk.clone(name="Copy")
copy.handoffs = [*desk.handoffs]
copy.handoffs.append(desk)
""",
        "another list": """
copy = desk.clone(name="Copy", tools=[])
copy.tools.append(look_up)
copy.tools.append(look_up)
""",
        "another agent under the name": """
copy = desk.clone(name="Copy")
copy = Agent(name="Other")
copy.tools.append(look_up)
""",
        "another kind of object": """
class Box:
    tools: list = []
    def clone(self): return Box()

box = Box()
other = box.clone()
other.tools.append(1)
""",
    },
    "AG914": {
        "another agent": """
@function_tool
async def write(text: str) -> str:
    "Write."
    return str(await Runner.run(desk, text))

writer = Agent(name="Writer", tools=[write])
""",
        "a clone without the tool": """
@function_tool
async def write(text: str) -> str:
    "Write."
    return str(await Runner.run(plain, text))

writer = Agent(name="Writer", tools=[write])
plain = writer.clone(name="Plain", tools=[])
""",
        "a way that is disabled for good": """
@function_tool
async def write(text: str) -> str:
    "Write."
    return str(await Runner.run(editor, text))

writer = Agent(name="Writer", tools=[write])
editor = Agent(name="Editor", handoffs=[handoff(writer, is_enabled=False)])
""",
        "a guardrail that runs a judge": """
judge = Agent(name="Judge")

@input_guardrail
async def safe(context, agent, text):
    result = await Runner.run(judge, text)
    return GuardrailFunctionOutput(None, "no" in result.final_output)

guarded = Agent(name="Guarded", input_guardrails=[safe], handoffs=[judge])
""",
    },
    "AG915": {
        "a turn more": """
from agents import ModelSettings

clerk = Agent(
    name="Clerk", tools=[look_up], model_settings=ModelSettings(tool_choice="required")
)

async def ask(text):
    return await Runner.run(clerk, text, max_turns=2)
""",
        "a choice of the run, and a handler": """
from agents import ModelSettings

clerk = Agent(
    name="Clerk", tools=[look_up], model_settings=ModelSettings(tool_choice="required")
)
free = RunConfig(model_settings=ModelSettings(tool_choice="none"))

async def ask(text, handlers):
    first = await Runner.run(clerk, text, max_turns=1, run_config=free)
    return first, await Runner.run(clerk, text, max_turns=1, error_handlers=handlers)
""",
        "one of the agents needs no more": """
from agents import ModelSettings

first = Agent(
    name="First", handoffs=[desk], model_settings=ModelSettings(tool_choice="required")
)

def ask(text, is_new):
    return Runner.run_streamed(first if is_new else desk, text, max_turns=1)
""",
        "a number that only the call knows, and no limit": """
from agents import ModelSettings

first = Agent(
    name="First", handoffs=[desk], model_settings=ModelSettings(tool_choice="required")
)

async def ask(text, turns):
    await Runner.run(first, text, max_turns=turns)
    await Runner.run(first, text, max_turns=None)
""",
    },
    "AG916": {
        "a field": """
@dataclass
class Verdict:
    is_safe: bool

judge = Agent(name="Judge", output_type=Verdict)

@input_guardrail
async def safe(context, agent, text):
    result = await Runner.run(judge, text)
    return GuardrailFunctionOutput(result.final_output, not result.final_output.is_safe)
""",
        "a field in a condition": """
@dataclass
class Verdict:
    is_safe: bool

judge = Agent(name="Judge", output_type=Verdict)

@input_guardrail
async def safe(context, agent, text):
    verdict = (await Runner.run(judge, text)).final_output_as(Verdict)
    if verdict.is_safe:
        return GuardrailFunctionOutput(verdict, tripwire_triggered=False)
    return GuardrailFunctionOutput(verdict, tripwire_triggered=True)
""",
        "a function reads it": """
@dataclass
class Verdict:
    is_safe: bool

judge = Agent(name="Judge", output_type=Verdict)

def is_bad(verdict): return not verdict.is_safe

@input_guardrail
async def safe(context, agent, text):
    result = await Runner.run(judge, text)
    return GuardrailFunctionOutput(None, tripwire_triggered=is_bad(result.final_output))
""",
        "an output that is its own verdict": """
judge = Agent(name="Judge", output_type=bool)

@input_guardrail
async def safe(context, agent, text):
    result = await Runner.run(judge, text)
    return GuardrailFunctionOutput(None, tripwire_triggered=bool(result.final_output))
""",
        "a match": """
@dataclass
class Verdict:
    is_safe: bool

judge = Agent(name="Judge", output_type=Verdict)

@input_guardrail
async def safe(context, agent, text):
    result = await Runner.run(judge, text)
    match result.final_output:
        case Verdict(is_safe=True):
            return GuardrailFunctionOutput(None, False)
    return GuardrailFunctionOutput(None, True)
""",
        "a tool": """
@dataclass
class Verdict:
    is_safe: bool

judge = Agent(name="Judge", output_type=Verdict)

@function_tool
async def ask(text: str) -> str:
    "Ask."
    return str(await Runner.run(judge, text))
""",
    },
    "AG917": {
        "a module for others": """
billing = Agent(name="Billing")
refunds = Agent(name="Refunds")

async def ask(text):
    return await Runner.run(billing, text)
""",
        "a handoff, a tool, a list, a run in a function": """
billing = Agent(name="Billing")
refunds = Agent(name="Refunds")
others = [Agent(name="Other")]
late = Agent(name="Late")
triage = Agent(name="Triage", handoffs=[billing], tools=[refunds.as_tool("refund", "Refund.")])

@function_tool
async def ask_late(text: str) -> str:
    "Ask."
    return str(await Runner.run(late, text))

triage.tools.append(ask_late)
Runner.run_sync(triage if True else desk, "hello")
""",
        "exported": """
__all__ = ["desk", "refunds"]
refunds = Agent(name="Refunds")
Runner.run_sync(desk, "hello")
""",
        "asked for by name": """
refunds = Agent(name="Refunds")
def main(name):
    Runner.run_sync(globals()[name], "hello")

if __name__ == "__main__":
    main("desk")
""",
    },
    "AG918": {
        "handled": """
guarded = Agent(name="Guarded", input_guardrails=[polite])

def ask(text):
    try:
        return Runner.run_sync(guarded, text)
    except InputGuardrailTripwireTriggered:
        return None
""",
        "handled with all errors, around the caller": """
guarded = Agent(name="Guarded", input_guardrails=[polite])

async def ask(text):
    return await Runner.run(guarded, text)

async def main():
    try:
        await ask("hello")
    except Exception as error:
        print(error)
""",
        "handled by a framework": """
guarded = Agent(name="Guarded", input_guardrails=[polite])

def install(app):
    app.add_exception_handler(InputGuardrailTripwireTriggered, print)

async def ask(text):
    return await Runner.run(guarded, text)
""",
        "suppressed": """
guarded = Agent(name="Guarded", input_guardrails=[polite])

def ask(text):
    with suppress(Exception):
        return Runner.run_sync(guarded, text)
""",
        "expected by a test": """
import pytest
guarded = Agent(name="Guarded", input_guardrails=[polite])

async def test_it():
    with pytest.raises(RuntimeError):
        await Runner.run(guarded, "hello")
""",
        "no guardrail that runs": """
guarded = Agent(name="Guarded", input_guardrails=[polite])
triage = Agent(name="Triage", handoffs=[guarded])

def ask(text):
    return Runner.run_sync(triage, text)
""",
    },
    "AG306": {
        "its own class": TYPED
        + """
async def ask(text):
    result = await Runner.run(writer, text)
    return result.final_output_as(Report)
""",
        "a base class": TYPED
        + """
async def ask(text):
    result = await Runner.run(writer, text)
    return result.final_output_as(BaseModel)
""",
        "one of several ends": TYPED
        + """
triage = Agent(name="Triage", handoffs=[writer])

async def ask(text):
    result = await Runner.run(triage, text)
    return result.final_output_as(Report)
""",
        "an agent that only the call knows": TYPED
        + """
async def ask(agent, text):
    result = await Runner.run(agent, text)
    return result.final_output_as(Summary)
""",
        "a result of two runs": TYPED
        + """
reader = Agent(name="Reader", output_type=Summary)

async def ask(text):
    if text:
        result = await Runner.run(writer, text)
    else:
        result = await Runner.run(reader, text)
    return result.final_output_as(Summary)
""",
        "a function decides": TYPED
        + """
lexicon = Agent(name="Lexicon", tools=[look_up], tool_use_behavior=lambda context, results: None)

async def ask(text):
    result = await Runner.run(lexicon, text)
    return result.final_output_as(Summary)
""",
        "a handler of errors": TYPED
        + """
async def ask(text):
    result = await Runner.run(writer, text, error_handlers={"max_turns": lambda data: None})
    return result.final_output_as(Summary)
""",
        "another variable of that name": TYPED
        + """
async def ask(text):
    result = await Runner.run(writer, text)
    result = text.upper()
    return result.final_output_as(Summary)
""",
    },
    "AG920": {
        "codes and names": """
from agentgraph import allow
allow(desk, "AG201", "unreachable-agent", "AG200", "AG917", "unused-agent")
""",
        "a name that the program computes": """
from agentgraph import allow
for rule in ("AG201", "AG202"):
    allow(desk, rule)
""",
        "a function of the program": """
def allow(agent, rule): return agent
allow(desk, "AG999")
""",
    },
}
