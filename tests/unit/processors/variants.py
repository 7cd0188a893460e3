"""The variants worker's reactor in a world of twins."""

from adapters.failpoints import Failpoints
from processors.reactor import Reactor
from processors.variants.processor import Tools, VariantsProcessor
from tests.unit.processors.renderers import InProcessRenderer
from tests.unit.processors.worlds import World


def reactor(world: World, renderer: InProcessRenderer, *, keep_position: bool = False) -> Reactor:
    """One that renders in this process."""
    tools = Tools(
        store=world.store,
        keys=world.keys,
        presets=world.presets,
        renderer=renderer,
        journal=world.journal,
        clock=world.clock,
        failpoints=Failpoints(),
        keep_position=keep_position,
    )
    return world.reactor(VariantsProcessor(tools))
