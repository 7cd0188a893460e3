"""Shows the sample's outcome on a terminal: the picture itself, its variants, and the time of each step."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

from PIL import Image
from rich.console import Console
from rich.style import Style
from rich.table import Table
from rich.text import Text

PICTURE_COLUMNS = 40
ORDER = ("thumbnail", "small", "medium", "large", "original")


def print_report(
    console: Console, asset: Mapping[str, Any], steps: Sequence[tuple[str, float]], thumbnail: bytes
) -> None:
    """Prints the picture (on a colour terminal), a table of the variants with their URLs, and the steps."""
    console.print()
    if console.is_terminal and console.color_system in {"truecolor", "256"} and thumbnail:
        console.print(picture(thumbnail, PICTURE_COLUMNS))
    console.print(f"Asset {asset['id']} is {asset['status']}", style="bold")
    console.print(variants_table(asset["variants"]))
    for name in sorted(asset["variants"], key=_rank):
        console.print(f"{name}: {asset['variants'][name]['url']}", soft_wrap=True, style="dim")
    console.print()
    console.print(steps_table(steps))


def variants_table(variants: Mapping[str, Mapping[str, Any]]) -> Table:
    """One row a variant: name, dimensions, bytes, type."""
    table = Table(title="What came out", title_justify="left")
    table.add_column("variant")
    table.add_column("pixels", justify="right")
    table.add_column("bytes", justify="right")
    table.add_column("type")
    for name in sorted(variants, key=_rank):
        variant = variants[name]
        pixels = f"{variant['width']} × {variant['height']}"
        table.add_row(name, pixels, f"{variant['size']:,}", variant["content_type"])
    return table


def steps_table(steps: Sequence[tuple[str, float]]) -> Table:
    """One row a step: what happened, milliseconds."""
    table = Table(title="How long each step took", title_justify="left")
    table.add_column("step")
    table.add_column("ms", justify="right")
    for name, milliseconds in steps:
        table.add_row(name, f"{milliseconds:,.0f}")
    return table


def picture(encoded: bytes, columns: int) -> Text:
    """The image drawn with half blocks, two pixels a character."""
    image = Image.open(BytesIO(encoded)).convert("RGB")
    rows = max(2, round(columns * image.height / image.width / 2) * 2)
    small = image.resize((columns, rows))
    drawn = Text()
    for y in range(0, rows, 2):
        for x in range(columns):
            upper, lower = small.getpixel((x, y)), small.getpixel((x, y + 1))
            drawn.append("▀", Style(color=_colour(upper), bgcolor=_colour(lower)))
        drawn.append("\n")
    return drawn


def _colour(pixel: object) -> str:
    match pixel:
        case (int(red), int(green), int(blue)):
            return f"#{red:02x}{green:02x}{blue:02x}"
        case _:
            raise TypeError(f"an RGB pixel was expected, not {pixel!r}")


def _rank(name: str) -> tuple[int, str]:
    return (ORDER.index(name) if name in ORDER else len(ORDER), name)
