"""What the postgres engine itself adds to a commit and to a link: ``python -m tests.benchmarks.driver``.

docs/real-server.md has the figures.  Nothing here is a test: they depend on the machine, and on what else it does.
"""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable

import numpy as np
from psycopg import pq

import replsim
from replsim.engines.postgres import statements
from replsim.engines.postgres.binaries import Binaries
from replsim.engines.postgres.channel import Worker
from replsim.engines.postgres.job import pack
from replsim.engines.postgres.line import Line
from replsim.engines.postgres.loop import Loop
from replsim.engines.postgres.proxy import Job
from replsim.engines.postgres.server import Server
from replsim.engines.postgres.workspace import Workspace

COMMITS = 5000
TRIPS = 300
PARAMETERS = (b"\0\1", b"\0\0\0\2", bytes(64), b"\0\0\0\1")
LINK = "{name: link, duration: 1s, standbys: {s1: {}}, links: {p -> s1: {latency: %s}}, writers: {app: {rate: 1/s}}}"


def tell(what: str, seconds: list[float]) -> None:
    """Print the percentiles of some durations."""
    p50, p90, p99 = np.percentile(np.array(seconds) * 1e6, [50, 90, 99])
    print(f"{what:40} p50 {p50:8.1f}  p90 {p90:8.1f}  p99 {p99:8.1f} us")


def timed(do: Callable[[], object], count: int) -> list[float]:
    """The seconds that each of ``count`` calls took."""
    took = []
    for _ in range(count):
        start = time.perf_counter()
        do()
        took.append(time.perf_counter() - start)
    return took


def commits() -> None:
    """One client's commits that wait for no disk (``synchronous_commit = off``), by four drivers."""
    with Workspace() as workspace:
        binaries = Binaries.find()
        server = Server(workspace, binaries, "p")
        server.create("secret")
        server.configure({"fsync": "off", "synchronous_commit": "off"})
        server.start()
        server.tell(statements.CREATE)
        script = workspace.folder / "insert.sql"
        script.write_text("INSERT INTO commits VALUES (1, 2, '\\x00');\n")
        script.chmod(0o644)
        command = [binaries["pgbench"], "-h", str(workspace.folder), "-p", str(server.port), "-U", "replsim", "-n"]
        said = workspace.run([*command, "-M", "prepared", "-f", str(script), "-t", str(COMMITS), "postgres"])
        found = re.search(r"latency average = ([\d.]+) ms", said)
        assert found is not None
        print(f"{'pgbench':40} mean {float(found[1]) * 1000:7.1f} us")
        with server.connect() as connection:
            connection.prepare_threshold = 0
            insert = b"INSERT INTO commits VALUES (%s, %s, %s)"
            tell("psycopg", timed(lambda: connection.execute(insert, (1, 2, bytes(64))), COMMITS))
        raw = pq.PGconn.connect(server.conninfo.encode())
        raw.prepare(b"0", statements.INSERT)
        binary = [pq.Format.BINARY] * 4
        tell("libpq, waiting", timed(lambda: raw.exec_prepared(b"0", PARAMETERS, binary), COMMITS))
        raw.finish()
        tell("libpq in the load's loop", _in_the_loop(server))


def _in_the_loop(server: Server) -> list[float]:
    """As the engine's writers do it."""
    loop = Loop(time.time_ns())
    line = Line(loop, server.conninfo, [statements.INSERT])
    took: list[float] = []

    def go() -> None:
        start = time.perf_counter()

        def answered(_: object) -> None:
            took.append(time.perf_counter() - start)
            if len(took) < COMMITS:
                go()
            else:
                loop.stop()

        line.run(0, PARAMETERS, answered)

    go()
    loop.run()
    line.close()
    return took


def links() -> None:
    """Round trips of 200 bytes through a link, beside one without a link."""
    for latency in (None, "0ms", "2ms", "10ms"):
        with socket.create_server(("127.0.0.1", 0)) as server, Workspace() as workspace:
            threading.Thread(target=_echo, args=(server,), daemon=True).start()
            port = server.getsockname()[1]
            if latency:
                job = Job(pack(replsim.loads(LINK % latency)), 1, (("p", "s1"),))
                worker = Worker(workspace, "replsim.engines.postgres.proxy")
                worker.give(time.time_ns(), job)
                own = worker.answer()["p", "s1"]
                worker.ask("serve", "p", port)
                port = own
            with socket.create_connection(("127.0.0.1", port)) as client:
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

                def trip(client: socket.socket = client) -> None:
                    client.sendall(bytes(200))
                    client.recv(1000)

                tell(f"round trip, {latency or 'no link'} one way", timed(trip, TRIPS))


def _echo(server: socket.socket) -> None:
    connection, _ = server.accept()
    with connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while data := connection.recv(65_536):
            connection.sendall(data)


if __name__ == "__main__":
    commits()
    links()
