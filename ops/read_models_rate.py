"""A column of progress: how many records a second."""

from rich.progress import ProgressColumn, Task
from rich.text import Text


class Rate(ProgressColumn):
    """Records a second."""

    def render(self, task: Task) -> Text:
        """Empty until something is known."""
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f}/s")
