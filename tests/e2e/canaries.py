"""Secrets and personal words let loose in a product, and every place where none of them may be found."""

import base64
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qs, quote, urlsplit

import httpx
import psycopg
from psycopg import sql

from tests.e2e.product import Product
from tests.log_records import read_topic
from tests.programs import asked

TOPICS = ("assets", "identity", "operations", "subject-keys", "dead-letters")
# What carries a secret by its nature: the way to an object, and a browser's cookie.
CARRIERS = frozenset({"location", "set-cookie"})
# Tables that hold clear text for whoever it belongs to, and lose it when that person is erased.
PERSONAL = frozenset({"assets", "accounts", "api_keys", "sessions"})


@dataclass
class Canaries:
    """What was let loose, by what it is."""

    loose: dict[str, str] = field(default_factory=dict)

    def word(self, what: str) -> str:
        """A word that stands nowhere else."""
        return self.known(what, f"canary{secrets.token_hex(8)}")

    def known(self, what: str, text: str) -> str:
        """Something that the product made, and that is as secret."""
        assert len(text) >= 6, what
        self.loose[what] = text
        return text

    def signatures(self, what: str, url: str) -> None:
        """The signature in a presigned address."""
        for name, values in parse_qs(urlsplit(url).query).items():
            if name.lower() in {"x-amz-signature", "signature"}:
                self.known(f"{what}'s signature", values[0])

    def found_in(self, place: str, told: bytes) -> list[str]:
        """Which of them stand in the bytes, as they are or in one of the ways in which they are carried."""
        lowered = told.lower()
        return [
            f"{what} in {place}"
            for what, text in self.loose.items()
            if any(form in told or form.lower() in lowered for form in _forms(text))
        ]


def _forms(text: str) -> Iterator[bytes]:
    data = text.encode()
    yield data
    yield quote(text, safe="").encode()
    yield data.hex().encode()
    # Wherever the text stands in what was encoded, one of three shifts shows its middle.
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + data)
        middle = encoded[4 if shift else 0 : len(encoded) // 4 * 4 - 4]
        if len(middle) >= 8:
            yield middle


def places(product: Product, answers: list[httpx.Response]) -> Iterator[tuple[str, bytes]]:
    """Everything that the product tells to whoever operates or overhears it."""
    for program in (product.api, product.worker, product.projector):
        yield f"the log of {program.name}", program.output().encode()
        yield f"the metrics of {program.name}", asked(f"{program.metrics_url}/metrics").content
        yield f"the probes of {program.name}", asked(f"{program.metrics_url}/readyz").content
    for answer in answers:
        kept = [f"{name}: {value}" for name, value in answer.headers.items() if name not in CARRIERS]
        yield f"the headers of {answer.request.method} {answer.request.url.path}", "\n".join(kept).encode()
        if answer.status_code >= 400:
            yield f"the problem of {answer.request.method} {answer.request.url.path}", answer.content
    yield from _records(product)
    yield from _rows(product)


def _records(product: Product) -> Iterator[tuple[str, bytes]]:
    env = product.world.env
    for topic in TOPICS:
        for record in read_topic(env, f"{env['TOPIC_PREFIX']}.{topic}.v1"):
            parts = (record.key or b"", record.value or b"", *(value for _, value in record.headers))
            yield f"{topic} at {record.partition}/{record.offset}", b"\n".join(parts)


def _rows(product: Product) -> Iterator[tuple[str, bytes]]:
    with psycopg.connect(product.world.env["DATABASE_URL"]) as connection:
        named = connection.execute(
            "select schemaname, tablename from pg_tables"
            " where schemaname not in ('pg_catalog', 'information_schema')"
        ).fetchall()
        for schema, table in named:
            if table in PERSONAL:
                continue
            rows = connection.execute(
                sql.SQL("select to_jsonb(t)::text from {} as t").format(sql.Identifier(schema, table))
            )
            yield f"table {schema}.{table}", "\n".join(row[0] for row in rows).encode()
