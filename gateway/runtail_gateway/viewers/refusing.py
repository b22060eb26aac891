"""Tell a viewer why it is not served, or not any more."""

from __future__ import annotations

from runtail_gateway.protocol.message import Message, plain
from runtail_gateway.protocol.refused import Refused
from runtail_gateway.viewers.viewer import Gone, Outlet


def told(refused: Refused) -> Message:
    """Make the message that says why."""
    return plain("error", {"code": refused.code, "message": refused.message})


async def tell(outlet: Outlet, message: Message) -> None:
    """Send *message*; never raises."""
    try:
        await outlet.send(message)
    except Gone:
        return  # it left before it could be told


async def refuse(outlet: Outlet, refused: Refused) -> None:
    """Say why, and close; never raises."""
    try:
        await outlet.send(told(refused))
        await outlet.close(refused.close_code, refused.code)
    except Gone:
        return  # it left before it could be told
