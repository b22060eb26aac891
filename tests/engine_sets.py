"""Clusters and Sentinel sets of real servers for tests: each server a process on loopback.

They run with the settings and the users that `deploy/redis/` ships, only quicker to notice. A
server can be killed, frozen and started again; all are ended by their own process ids.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from tests.certificates import Certificates
from tests.engines import free_port
from tests.polling import until
from tests.server_process import NOTICE_MS, QUICK, Program, Server, sentinel, server

START_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster: primaries first, then as many replicas, the first one of the first primary."""

    servers: list[Server]
    tls: Certificates | None = None

    @property
    def url(self) -> str:
        """The URL for a gateway."""
        return self.url_as("runtail-gateway")

    def url_as(self, user: str) -> str:
        """The URL for *user* of `users.acl`."""
        seeds = ",".join(f"127.0.0.1:{server.port}" for server in self.servers[:3])
        return _url(self.tls, "cluster", user, seeds)

    def primary_of(self, slot: int) -> Server:
        """Find the server that serves *slot* by the word of most of those that answer."""
        rows = [row for server in self.servers if server.answers() for row in _slots(server)]
        ports = [port for first, last, port in rows if first <= slot <= last]
        return self.at(max(ports, key=ports.count))

    def at(self, port: int) -> Server:
        """Find the server that listens at *port*."""
        return next(server for server in self.servers if server.port == port)

    def replicas_of(self, primary: Server) -> list[Server]:
        """List the servers that replicate *primary* and answer."""
        return [s for s in self.servers if s.answers() and _primary_port(s) == primary.port]

    def is_whole(self) -> bool:
        """Say whether all servers answer, know each other, and every replica is in step."""
        return all(
            server.answers() and _is_sound(server, len(self.servers)) for server in self.servers
        )


@dataclass(frozen=True, slots=True)
class SentinelSet:
    """A primary, its replicas, and the Sentinels that watch them."""

    servers: list[Server]
    sentinels: list[Server]
    tls: Certificates | None = None

    @property
    def url(self) -> str:
        """The URL for a gateway."""
        return self.url_as("runtail-gateway")

    def url_as(self, user: str) -> str:
        """The URL for *user* of `users.acl`."""
        seeds = ",".join(f"127.0.0.1:{server.port}" for server in self.sentinels)
        return _url(self.tls, "sentinel", user, f"{seeds}/runtail")

    def primary(self) -> Server:
        """Find the server that the first Sentinel that answers names."""
        sentinel = next(each for each in self.sentinels if each.answers())
        _, port = sentinel.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "runtail")
        return next(server for server in self.servers if server.port == int(port))

    def fail_over(self) -> None:
        """Make another server primary, by command."""
        self.sentinels[0].ask("SENTINEL", "FAILOVER", "runtail")

    def is_whole(self) -> bool:
        """Say whether every Sentinel knows all servers and all others."""
        return all(self._is_known_to(sentinel) for sentinel in self.sentinels)

    def _is_known_to(self, sentinel: Server) -> bool:
        if not sentinel.answers():
            return False
        rows = sentinel.ask("SENTINEL", "MASTER", "runtail")
        told = {
            key.decode(): value.decode() for key, value in zip(rows[::2], rows[1::2], strict=True)
        }
        others = (int(told["num-slaves"]), int(told["num-other-sentinels"]))
        return (
            others == (len(self.servers) - 1, len(self.sentinels) - 1) and told["flags"] == "master"
        )


@contextmanager
def engine_cluster(
    program: Program = "redis",
    *,
    primaries: int = 3,
    replicas: int = 3,
    tls: Certificates | None = None,
    settings: Sequence[str] = (),
) -> Iterator[Cluster]:
    """Run a cluster; *settings* are further lines of each server's configuration."""
    quick = (f"cluster-node-timeout {NOTICE_MS}", *QUICK, *settings)
    with ExitStack() as stack:
        servers = []
        for _ in range(primaries + replicas):
            bus = f"cluster-port {free_port()}"
            own = (bus, "tls-cluster yes", *quick) if tls else (bus, *quick)
            servers.append(stack.enter_context(server(program, ("cluster.conf",), own, tls)))
        _wait(lambda: all(each.answers() for each in servers), "the servers answer")
        for number, each in enumerate(servers):
            each.ask("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            each.ask("CLUSTER", "MEET", "127.0.0.1", servers[0].port, _bus_port(servers[0]))
            if number < primaries:
                first, behind = (16_384 * n // primaries for n in (number, number + 1))
                each.ask("CLUSTER", "ADDSLOTSRANGE", first, behind - 1)
        cluster = Cluster(servers, tls)
        _wait(lambda: all(_knows(s, len(servers)) for s in servers), "the servers know each other")
        for number, each in enumerate(servers[primaries:]):
            name = servers[number % primaries].ask("CLUSTER", "MYID").decode()
            each.ask("CLUSTER", "REPLICATE", name)
        _wait(cluster.is_whole, "the cluster is whole")
        yield cluster


@contextmanager
def sentinel_set(
    program: Program = "redis",
    *,
    replicas: int = 2,
    tls: Certificates | None = None,
    settings: Sequence[str] = (),
) -> Iterator[SentinelSet]:
    """Run a primary, *replicas* of it and three Sentinels."""
    with ExitStack() as stack:
        servers: list[Server] = []
        for number in range(replicas + 1):
            of = (f"replicaof 127.0.0.1 {servers[0].port}",) if number else ()
            own = ("min-replicas-max-lag 2", *QUICK, *of, *settings)
            servers.append(stack.enter_context(server(program, ("replicated.conf",), own, tls)))
        # a Sentinel asks a primary for its replicas every 10 s only
        _wait(lambda: _replicas(servers[0]) == replicas, "the replicas are linked")
        sentinels = [stack.enter_context(sentinel(program, servers[0], tls)) for _ in range(3)]
        found = SentinelSet(servers, sentinels, tls)
        _wait(found.is_whole, "the Sentinels know all")
        yield found


def _url(tls: Certificates | None, kind: str, user: str, place: str) -> str:
    secret = user.replace("runtail", "change-me", 1) if user != "operator" else "change-me-operator"
    scheme, options = ("redis", "") if tls is None else ("rediss", f"?{tls.options}")
    return f"{scheme}+{kind}://{user}:{secret}@{place}{options}"


def _slots(server: Server) -> list[tuple[int, int, int]]:
    return [(int(row[0]), int(row[1]), int(row[2][1])) for row in server.ask("CLUSTER", "SLOTS")]


def _bus_port(server: Server) -> int:
    row = server.ask("CLUSTER", "NODES").decode().split()
    return int(row[1].partition("@")[2].partition(",")[0])


def _primary_port(server: Server) -> int:
    role = server.ask("ROLE")
    return int(role[2]) if role[0] == b"slave" else 0


def _replicas(primary: Server) -> int:
    return len(primary.ask("ROLE")[2]) if primary.answers() else 0


def _knows(server: Server, count: int) -> bool:
    info = server.ask("CLUSTER", "INFO")
    return b"cluster_known_nodes:%d\r" % count in info and b"cluster_slots_assigned:16384\r" in info


def _is_sound(server: Server, count: int) -> bool:
    info = server.ask("CLUSTER", "INFO")
    told = server.info()
    in_step = told["role"] == "master" or told["master_link_status"] == "up"
    return b"cluster_state:ok" in info and _knows(server, count) and in_step


def _wait(check: Callable[[], object], what: str) -> None:
    until(check, what, START_SECONDS)
