"""The running product, once for each module of end-to-end tests."""

from collections.abc import Iterator

import pytest

from tests.e2e.product import Product, running_product
from tests.servers import World


@pytest.fixture(scope="module")
def product(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """API, worker and projector on servers of their own."""
    with running_product(world, tmp_path_factory.mktemp("product")) as product:
        yield product
