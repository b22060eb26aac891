"""Taking stock: every execution is met, however little is looked at at once; the list is mended."""

from __future__ import annotations

import pytest
from tests.broker.executions import Execution
from tests.conftest import ENGINES

from runtail_broker.connections.client import Nodes
from runtail_broker.executions import Executions
from runtail_broker.inventory import Inventory, Kept, KeyWalk, ListWalk
from runtail_broker.keys import index_of

pytestmark = pytest.mark.parametrize("engine", ENGINES, indirect=True)


@pytest.fixture
def inventory(nodes: Nodes) -> Inventory:
    return Inventory(nodes)


async def place_of(nodes: Nodes, name: str) -> float | None:
    key = index_of(name)
    place: float | None = await nodes.at(key, lambda node: node.zscore(key, name))
    return place


async def opened(nodes: Nodes, name: str) -> Execution:
    execution = Execution(nodes, name)
    await execution.open()
    return execution


async def test_a_walk_over_the_keys_meets_every_execution_and_nothing_else(nodes: Nodes) -> None:
    names = {f"run-{number}" for number in range(30)}
    for name in names:
        await opened(nodes, name)
    for key in ("runtail:{a b}:state", "runtail:{run-1}:stray", "runtail:settings", "users:1"):
        await nodes.at(key, lambda node, key=key: node.hset(key, "a", "b"))  # type: ignore[misc]
    walk = KeyWalk(nodes)
    for _ in range(2):  # it begins anew
        met: set[str] = set()
        over = False
        while not over:
            some, over = await walk.step(7)
            met.update(some)
        assert met == names


async def test_a_walk_over_the_list_meets_every_place(nodes: Nodes, inventory: Inventory) -> None:
    places = {f"run-{number}": float(number) for number in range(400)}
    assert await inventory.relist(places) == 400
    walk, met, steps = ListWalk(nodes), dict[str, float](), 0
    over = False
    while not over:
        some, over = await walk.step(40)
        assert len(some) < 400
        met, steps = met | some, steps + 1
    assert met == places
    assert steps > 2


async def test_what_is_kept_is_told_of_places_states_and_streams(
    nodes: Nodes, inventory: Inventory
) -> None:
    whole, bare, headless = [await opened(nodes, name) for name in ("whole", "bare", "headless")]
    await whole.publish("a", "b")
    await bare.remove(bare.keys.stream)
    await headless.remove(headless.keys.state)
    await inventory.relist({"whole": 5.0, "ghost": 7.0})
    kept = {k.id: k for k in await inventory.kept(["whole", "bare", "headless", "ghost", "no id"])}
    assert set(kept) == {"whole", "bare", "headless", "ghost"}
    standing = kept["whole"].standing
    assert standing is not None
    assert (kept["whole"].listed_at, standing.seq, standing.spoken) == (5.0, 3, True)
    assert (standing.status, standing.open, standing.ended) == ("running", 1, False)
    assert (kept["bare"].listed_at, kept["bare"].standing is None) == (None, False)
    (entry,) = await headless.entries()
    assert kept["headless"] == Kept("headless", None, None, str(entry.id))
    assert kept["ghost"] == Kept("ghost", 7.0, None)


async def test_a_state_that_cannot_be_read_is_left_out_and_warned_of(
    nodes: Nodes, inventory: Inventory, caplog: pytest.LogCaptureFixture
) -> None:
    await opened(nodes, "sound")
    await (await opened(nodes, "garbled")).set_state(seq="no number")
    for key in ("runtail:{text}:state", "runtail:{flat}:stream"):
        await nodes.at(key, lambda node, key=key: node.set(key, "what no script writes"))  # type: ignore[misc]
    names = ["garbled", "text", "flat", "sound"]
    assert [k.id for k in await inventory.kept(names)] == ["sound"]
    assert [s.id for s in await Executions(nodes).states(["text", "sound"])] == ["sound"]
    assert [look.id for look in await Executions(nodes).looks(["text", "sound"])] == ["sound"]
    for name in names[:3]:
        assert f"what the engine holds of {name} " in caplog.text


async def test_what_is_on_the_list_stays_where_it_is(nodes: Nodes, inventory: Inventory) -> None:
    assert await inventory.relist({"a": 1.0}) == 1
    assert await inventory.relist({"a": 2.0, "b": 3.0}) == 1
    assert (await place_of(nodes, "a"), await place_of(nodes, "b")) == (1.0, 3.0)


async def test_a_place_that_is_another_by_now_is_left_alone(
    nodes: Nodes, inventory: Inventory
) -> None:
    await inventory.relist({"a": 1795644220526.0, "b": 2.0})
    seen = {"a": 1795644220526.0, "b": 99.0, "never listed": 1.0}
    assert await inventory.unlist(seen) == ["a"]
    assert (await place_of(nodes, "a"), await place_of(nodes, "b")) == (None, 2.0)


async def test_what_was_opened_since_it_was_looked_at_keeps_its_place(
    nodes: Nodes, inventory: Inventory
) -> None:
    await inventory.relist({"opened": 1.0, "ghost": 2.0})
    await opened(nodes, "opened")
    assert await inventory.unlist({"opened": 1.0, "ghost": 2.0}) == ["ghost"]
    assert (await place_of(nodes, "opened"), await place_of(nodes, "ghost")) == (1.0, None)


async def test_the_clock_is_the_engines(nodes: Nodes, inventory: Inventory) -> None:
    execution = await opened(nodes, "now")
    standing = (await inventory.kept(["now"]))[0].standing
    assert standing is not None
    assert 0 <= await inventory.now_ms() - standing.last_ms < 60_000
    # the clock of a real engine stands still in a script, the fake's goes on
    assert 0 <= standing.last_ms - standing.created_ms < 1000
    assert execution.id == "now"


async def test_an_execution_that_ended_says_so(nodes: Nodes, inventory: Inventory) -> None:
    execution = await opened(nodes, "over")
    await execution.close("completed")
    assert (await execution.finish()).word == "ended"
    standing = (await inventory.kept(["over"]))[0].standing
    assert standing is not None
    assert (standing.ended, standing.open, standing.guessed, standing.spoken) == (
        True,
        0,
        False,
        False,
    )
