"""How often a process that folds batches looks for cycles of garbage."""

import gc


def collect_seldom() -> None:
    """Lets batches pass without a search for cycles: they make many objects and hardly a cycle.

    The limit is beyond what a batch of ten thousand events makes; it frees nearly all of it at its end.

    The search after every few hundred objects, as is the default, costs a quarter of the time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(500_000, 20, 100)
