"""What comes to a connection is taken in its order, by the one who waits for it."""

from __future__ import annotations

import asyncio

import pytest

from runtail_gateway.viewers.mailbox import Mailbox


async def test_what_came_is_taken_in_its_order() -> None:
    mailbox = Mailbox()
    for number in range(3):
        mailbox.put_nowait(number)
    assert [await mailbox.get() for _ in range(3)] == [0, 1, 2]
    assert mailbox.empty()


async def test_who_waits_gets_what_comes_next() -> None:
    mailbox = Mailbox()
    waiting = asyncio.create_task(mailbox.get())
    await asyncio.sleep(0)
    mailbox.put_nowait("first")
    mailbox.put_nowait("second")
    assert await waiting == "first"
    assert not mailbox.empty()


async def test_nothing_is_lost_with_one_who_leaves() -> None:
    mailbox = Mailbox()
    leaving = asyncio.create_task(mailbox.get())
    await asyncio.sleep(0)
    mailbox.put_nowait("kept")
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert await mailbox.get() == "kept"
