"""An agent that plans, acts and observes until it is done, in plain Python: `python agent_loop.py`.

Each turn is a step; a tool that fails is tried again; a request to cancel ends the loop between
two turns. Any agent library fits in: what its callbacks tell goes into the same calls.
"""

import itertools
import sys

import runtail
from runtail import Execution

TOOLS = ("search", "read", "write")
ATTEMPTS = 3


@runtail.step("plan", step_type="llm")
def plan(goal: str, notes: list[str]) -> str | None:
    """Choose the next tool; None when the goal is reached."""
    tool = TOOLS[len(notes)] if len(notes) < len(TOOLS) else None
    runtail.info(f"next: {tool or 'nothing, the goal is reached'}", goal=goal)
    return tool


def act(tool: str) -> str:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with runtail.step(tool, step_type="tool", attempt=attempt, attempts=ATTEMPTS) as step:
                if tool == "read" and attempt == 1:
                    raise TimeoutError("the page took too long")
                step.output({"chars": 120})
                return f"what {tool} said"
        except TimeoutError:
            if attempt == ATTEMPTS:
                raise
    raise AssertionError("the last attempt returns or raises")


def loop(run: Execution, goal: str) -> None:
    notes: list[str] = []
    for turn in itertools.count(1):
        if run.cancel_requested:
            run.finish("cancelled", "as requested")
            return
        with run.step(f"turn {turn}"):
            tool = plan(goal, notes)
            if tool is None:
                run.link("answer", "https://example.org/answers/1")
                return
            notes.append(act(tool))
            run.metric("tokens", 250 * turn)


if __name__ == "__main__":
    name = sys.argv[1] if len(sys.argv) > 1 else "agent-1"
    with runtail.execution(name, workflow_id="agent") as run:
        loop(run, "write a summary")
