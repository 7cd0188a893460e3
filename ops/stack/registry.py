"""Apicurio Registry, which keeps the schemas in a file of its own, apart from Postgres."""

from ops.stack.jars import REGISTRY
from ops.stack.ports import HOST
from ops.stack.probes import http_answers
from ops.stack.programs import Kind, Program
from ops.stack.site import FAST, Site, java, server_environment

HEAP = 256


def registry(site: Site) -> Program:
    """The registry, with its Confluent-compatible door."""
    data = site.folder.data / "registry"
    return Program(
        name="registry",
        kind=Kind.SERVER,
        # Asked at start-up only.
        argv=(*java(HEAP, *FAST), "-jar", "quarkus-run.jar"),
        cwd=REGISTRY.folder(site.folder.cache),
        log=site.folder.log_of("registry"),
        env={
            **server_environment(),
            "QUARKUS_HTTP_HOST": HOST,
            "QUARKUS_HTTP_PORT": str(site.ports.registry),
            # A second door, for probes that nobody here asks: any port, or two stacks fight over 9000.
            "QUARKUS_MANAGEMENT_HOST": HOST,
            "QUARKUS_MANAGEMENT_PORT": "0",
            "APICURIO_STORAGE_KIND": "sql",
            "APICURIO_STORAGE_SQL_KIND": "h2",
            # Each commit goes to the disk before it is answered; by default half a second later, which a
            # kill -9 in between turns into a schema that was registered and is gone.
            "APICURIO_DATASOURCE_URL": f"jdbc:h2:file:{data / 'registry'};WRITE_DELAY=0",
            # A line for each request, our probes' above all.
            "QUARKUS_HTTP_ACCESS_LOG_ENABLED": "false",
            "QUARKUS_LOG_LEVEL": "WARN",
            "LOG_LEVEL": "WARN",
        },
        port=site.ports.registry,
        probe=http_answers(f"http://{HOST}:{site.ports.registry}/apis/ccompat/v7/subjects"),
        prepare=lambda: data.mkdir(exist_ok=True),
    )
