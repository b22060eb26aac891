"""Keep an archive in an S3-compatible store, through obstore (the extra `archive`).

Credentials, region and endpoint come from the environment, as for other programs (AWS_…).
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable
from datetime import timedelta
from typing import TypeVar

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store as Bucket

from runtail_broker.errors import ArchiveMissing, ArchiveUnavailable

T = TypeVar("T")
_TIMEOUT = timedelta(seconds=30)


class S3Store:
    """Objects in the bucket and below the prefix that *place* names: `s3://<bucket>/<prefix>`."""

    def __init__(self, place: str) -> None:
        endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
        try:
            self._bucket = Bucket.from_url(
                place,
                client_options={"timeout": _TIMEOUT, "allow_http": endpoint.startswith("http:")},
                retry_config={"max_retries": 2, "retry_timeout": _TIMEOUT},
                config={"endpoint": endpoint} if endpoint else None,
            )
        except BaseError as error:
            raise ValueError(f"archive {place!r} cannot be opened: {error}") from error

    async def put(self, name: str, parts: AsyncIterator[bytes]) -> None:
        await _answered(name, obstore.put_async(self._bucket, name, parts))

    async def read(self, name: str, offset: int, length: int) -> bytes:
        return bytes(
            await _answered(
                name, obstore.get_range_async(self._bucket, name, start=offset, length=length)
            )
        )

    async def tail(self, name: str, length: int) -> bytes:
        found = await _answered(
            name, obstore.get_async(self._bucket, name, options={"range": {"suffix": length}})
        )
        return bytes(await _answered(name, found.bytes_async()))

    async def clear(self, folder: str) -> None:
        await _answered(folder, self._clear(folder))

    async def _clear(self, folder: str) -> None:
        async for some in obstore.list(self._bucket, folder):
            await obstore.delete_async(self._bucket, [each["path"] for each in some])

    async def remove(self, name: str) -> None:
        await _answered(name, obstore.delete_async(self._bucket, name))

    async def names(self) -> AsyncIterator[str]:
        listing = obstore.list(self._bucket)
        while (some := await _answered("", anext(listing, None))) is not None:
            for each in some:
                yield each["path"]


async def _answered(name: str, asked: Awaitable[T]) -> T:
    try:
        return await asked
    except FileNotFoundError as error:
        raise ArchiveMissing(name) from error
    except (BaseError, OSError) as error:
        first, _, _ = str(error).partition("\n")
        raise ArchiveUnavailable(f"the archive does not answer: {first}") from error
