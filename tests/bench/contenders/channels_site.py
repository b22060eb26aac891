"""The Channels site, as its tutorial builds one; `BENCH_REDIS_URL` names the engine."""

from __future__ import annotations

import os
from typing import Any

GROUP = "execution.{}"


def layer_settings(url: str) -> dict[str, Any]:
    """Make the settings of the channel layer; the layer takes a socket as `unix://` too."""
    return {"hosts": [url]}


def _application() -> Any:
    import django
    from channels.generic.websocket import AsyncWebsocketConsumer
    from channels.routing import ProtocolTypeRouter, URLRouter
    from django.conf import settings
    from django.urls import path

    settings.configure(
        SECRET_KEY="bench",
        CHANNEL_LAYERS={
            "default": {
                "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
                "CONFIG": layer_settings(os.environ["BENCH_REDIS_URL"]),
            }
        },
    )
    django.setup()

    class Viewer(AsyncWebsocketConsumer):  # type: ignore[misc]
        """A viewer of one execution."""

        async def connect(self) -> None:
            self.group = GROUP.format(self.scope["url_route"]["kwargs"]["execution"])
            await self.channel_layer.group_add(self.group, self.channel_name)
            await self.accept()
            await self.send(text_data="ready")

        async def disconnect(self, code: int) -> None:
            await self.channel_layer.group_discard(self.group, self.channel_name)

        async def log(self, event: dict[str, str]) -> None:
            await self.send(text_data=event["text"])

    route = path("ws/<str:execution>/", Viewer.as_asgi())
    return ProtocolTypeRouter({"websocket": URLRouter([route])})


if "BENCH_REDIS_URL" in os.environ:
    application = _application()
