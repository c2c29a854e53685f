"""Web workers wait for PostgreSQL only as long as GitHub and a visitor would."""

from __future__ import annotations

from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.pq import TransactionStatus

Result = TypeVar("Result")
# GitHub waits ten seconds: after these there is time to try a new connection, for three. A little
# more than a webhook waits for a lock, which the server itself tells.
SECONDS = 5.5


class ImpatientConnection(psycopg.Connection[Any]):
    """Gives up a server that took the connection and then never answers.

    Its own limits do not help there, a server that hangs does not look at the clock; nor do those
    of TCP, the machine may be well.
    """

    def wait(
        self, gen: PQGen[Result], interval: float = 0.1, timeout: float | None = None
    ) -> Result:
        try:
            return super().wait(gen, interval, timeout or SECONDS)
        except psycopg.OperationalError:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.pgconn.finish()  # whatever still comes would be taken for the next answer
            raise


def wait_no_longer(connection: Any, **kwargs: Any) -> None:
    """To be called when a connection of Django's was made."""
    if connection.vendor == "postgresql":
        connection.connection.__class__ = ImpatientConnection
