"""The sample photograph: a lake in the evening, drawn by numbers, with all that a phone would add."""

import io

import numpy as np
from numpy.random import Generator, default_rng
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms, ImageDraw

Plane = NDArray[np.float32]

# Upright; what is stored lies on its side, as phones do it.
WIDTH, HEIGHT = 4000, 3000
# Light and shapes are soft: they are made at half the size, and only grain and trees at full.
_W, _H = WIDTH // 2, HEIGHT // 2
_HORIZON = int(_H * 0.6)
_SUN = (int(_W * 0.63), int(_H * 0.43))
# Far to near: where a range stands, how jagged it is, its colour in shadow and in the sun, how much snow.
_RANGES = (
    (0.47, 0.16, 3, (112, 112, 150), (236, 172, 142), 0.75),
    (0.53, 0.12, 4, (72, 82, 116), (178, 132, 112), 0.2),
    (0.575, 0.07, 5, (40, 56, 74), (104, 92, 78), 0.0),
    (0.6, 0.035, 9, (20, 34, 38), (58, 62, 44), 0.0),
)
_BANK, _NEEDLES = (16, 22, 20), (14, 24, 22)


def draw(seed: int = 20_240_621) -> bytes:
    """A 12-megapixel JPEG, stored sideways (orientation 6), with position, camera, time and sRGB profile.

    The same bytes for the same seed and versions of numpy and Pillow; takes about two seconds.
    """
    rng = default_rng(seed)
    upper = _mountains(rng, _sky(rng))
    scene = np.concatenate([upper[:_HORIZON], _water(rng, upper)])
    image = _enlarged(rng, scene)
    _shore(rng, image)
    stored = image.transpose(Image.Transpose.ROTATE_90)
    file = io.BytesIO()
    stored.save(file, "JPEG", quality=90, subsampling="4:2:0", exif=_exif(), icc_profile=_srgb_profile())
    return file.getvalue()


def _clouded(rng: Generator, size: tuple[int, int], cells: tuple[int, int], octaves: int) -> Plane:
    """Noise of several sizes, from 0 to 1; `cells` across and down at the coarsest."""
    total = np.zeros(size[::-1], np.float32)
    for octave in range(octaves):
        grid = rng.random((cells[1] << octave, cells[0] << octave), dtype=np.float32)
        smooth = Image.fromarray(grid).resize(size, Image.Resampling.BICUBIC)
        total += np.asarray(smooth) * np.float32(0.55**octave)
    low, high = float(total.min()), float(total.max())
    noise: Plane = (total - np.float32(low)) / np.float32(high - low)
    return noise


def _mixed(one: Plane, other: object, share: Plane) -> Plane:
    """From one colour or picture to another, by a share from 0 to 1 for each pixel."""
    mixed: Plane = one + (np.asarray(other, np.float32) - one) * share[..., None]
    return mixed


def _colour(red: float, green: float, blue: float) -> Plane:
    return np.array((red, green, blue), np.float32)


def _soft(values: Plane, low: float, high: float) -> Plane:
    """0 below `low`, 1 above `high`, without an edge in between."""
    t = np.clip((values - np.float32(low)) / np.float32(high - low), 0, 1)
    share: Plane = t * t * (3 - 2 * t)
    return share


def _sky(rng: Generator) -> Plane:
    """Blue above and gold below, a low sun, and clouds in its light."""
    y, x = (axis.astype(np.float32) for axis in np.mgrid[0:_H, 0:_W])
    height = y / np.float32(_HORIZON)
    sky = _mixed(np.full((_H, _W, 3), (44, 76, 136), np.float32), (168, 152, 178), _soft(height, 0.05, 0.7))
    sky = _mixed(sky, (255, 196, 128), _soft(height, 0.42, 0.95))
    distance = np.hypot(x - _SUN[0], (y - _SUN[1]) * np.float32(1.2)) / np.float32(_W)
    glow = np.exp(-distance / np.float32(0.15))
    clouds = _clouded(rng, (_W, _H), (2, 7), 7)
    thick = _soft(clouds, 0.46, 0.74) * _soft(1.0 - height, 0.05, 0.5)
    lit = _mixed(np.full_like(sky, 118), (255, 214, 172), _soft(glow + clouds * np.float32(0.55), 0.3, 0.85))
    sky = _mixed(sky, lit, thick * np.float32(0.8))
    disc = np.exp(-((distance / np.float32(0.017)) ** 4))
    sky += glow[..., None] * _colour(120, 78, 22) + disc[..., None] * _colour(120, 120, 110)
    return sky


def _ridge(rng: Generator, level: float, jagged: float, peaks: int) -> Plane:
    """The upper edge of a range: a row for each column."""
    x = np.linspace(0, 1, _W)
    line = np.zeros(_W)
    for octave in range(8):
        count = peaks << octave
        line += np.interp(x * count, np.arange(count + 1), rng.random(count + 1)) * 0.48**octave
    edge: Plane = (_H * (level - jagged * (line - line.mean()))).astype(np.float32)
    return edge


def _mountains(rng: Generator, scene: Plane) -> Plane:
    """Ranges one before the other, darker the nearer, their flanks lit from the side of the sun."""
    for level, jagged, peaks, shade, light, snow in _RANGES:
        edge = _ridge(rng, level, jagged, peaks)
        top = max(0, int(edge.min()))
        band, y = scene[top:_HORIZON], np.arange(top, _HORIZON, dtype=np.float32)[:, None]
        rock = _clouded(rng, (_W, len(band)), (peaks * 5, max(2, len(band) * peaks * 5 // _W)), 6)
        flanks: Plane = np.asarray(1 - np.abs(rock * 2 - 1), dtype=np.float32)
        down, across = np.gradient(flanks)
        slope: Plane = np.asarray((across - down * 0.6) * (_W / peaks / 9), dtype=np.float32)
        lit = _soft(slope + flanks * np.float32(0.25), -0.5, 0.8)
        face = _mixed(np.full_like(band, shade), light, lit)
        depth = (y - edge[None, :]) / np.float32(_H * jagged * 1.6)
        white = _soft(np.float32(snow) - depth + (flanks - np.float32(0.55)), 0.0, 0.3) * np.float32(snow > 0)
        face = _mixed(face, _colour(150, 146, 176) + lit[..., None] * _colour(105, 84, 44), white)
        haze = _soft(np.broadcast_to(y / np.float32(_HORIZON), rock.shape), 0.78, 1.02)
        face = _mixed(face, (224, 172, 136), haze * np.float32(0.1 + 4 * (0.61 - level)))
        scene[top:_HORIZON] = _mixed(band, face, np.clip(y - edge[None, :], 0, 1))
    return scene


def _water(rng: Generator, upper: Plane) -> Plane:
    """What is above the horizon once more, upside down, darker, broken by ripples that grow towards us."""
    rows = _H - _HORIZON
    depth = (np.arange(rows, dtype=np.float32) / np.float32(rows))[:, None]
    ripples = _clouded(rng, (_W, rows), (14, 60), 5) - np.float32(0.5)
    y = _HORIZON - 1 - np.arange(rows)[:, None] * 1.02 + ripples * (8 + 190 * depth)
    x = np.arange(_W)[None, :] + ripples * (4 + 60 * depth)
    mirrored = upper[np.clip(y, 0, _HORIZON - 1).astype(np.intp), np.clip(x, 0, _W - 1).astype(np.intp)]
    dark = np.broadcast_to(np.float32(0.06) + np.float32(0.6) * depth**1.3, ripples.shape)
    water = _mixed(mirrored * np.float32(0.93), (20, 48, 78), dark)
    water += (ripples * (10 + 40 * depth))[..., None]
    across = np.abs(np.arange(_W) - _SUN[0])[None, :] / (20 + 240 * depth)
    lane = np.exp(-(across**2)).astype(np.float32) * (1 - depth * np.float32(0.55))
    water += (_soft(ripples, 0.08, 0.3) * lane)[..., None] * _colour(170, 120, 60)
    return water


def _enlarged(rng: Generator, scene: Plane) -> Image.Image:
    """At full size, with the grain of a small sensor."""
    small = Image.fromarray(np.clip(scene, 0, 255).astype(np.uint8))
    whole = np.asarray(small.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC), dtype=np.int16)
    tile = (rng.standard_normal((750, 1000), dtype=np.float32) * np.float32(3.2)).astype(np.int16)
    grain = np.tile(tile, (HEIGHT // 750, WIDTH // 1000))
    return Image.fromarray(np.clip(whole + grain[..., None], 0, 255).astype(np.uint8))


def _shore(rng: Generator, image: Image.Image) -> None:
    """A dark bank in front, firs on both sides of the view, and grass."""
    brush = ImageDraw.Draw(image)
    x = np.linspace(-1, 1, 200)
    rise = 0.985 - 0.16 * np.abs(x) ** 2.4 - 0.012 * rng.random(200)
    bank = [(float((at + 1) / 2 * WIDTH), float(height * HEIGHT)) for at, height in zip(x, rise, strict=True)]
    for side in np.sort(np.concatenate([rng.beta(1.1, 5, 34), 1 - rng.beta(1.1, 6, 26)])):
        edge = float(np.interp(side, (x + 1) / 2, rise)) * HEIGHT
        near = abs(side - 0.5) * 2
        _fir(
            rng,
            brush,
            (float(side) * WIDTH, edge + 30),
            HEIGHT * (0.05 + 0.3 * near**2 * rng.uniform(0.5, 1.2)),
        )
    brush.polygon([(0, HEIGHT), *bank, (WIDTH, HEIGHT)], fill=_BANK)
    for at, below in zip(rng.random(9_000), np.sort(rng.random(9_000) ** 1.6), strict=True):
        foot = float(np.interp(at, (x + 1) / 2, rise)) * HEIGHT + below * 560
        lean, tall = rng.uniform(-24, 24), rng.uniform(20, 60) * (1 + below)
        shade = int(rng.integers(12, 40) * (1 - below * 0.55))
        blade = [(at * WIDTH, foot), (at * WIDTH + lean, foot - tall)]
        brush.line(blade, fill=(shade, shade + 8, shade // 2), width=3)


def _fir(rng: Generator, brush: ImageDraw.ImageDraw, foot: tuple[float, float], tall: float) -> None:
    """One tree: tiers of branches, wider and more ragged towards the ground."""
    x, y = foot
    brush.line([(x, y), (x, y - tall * 1.03)], fill=_NEEDLES, width=max(3, int(tall / 130)))
    tiers = max(8, int(tall / 22))
    for tier in range(tiers):
        share = (tier + 1) / tiers
        wide = tall * 0.2 * share * rng.uniform(0.75, 1.15)
        top, low = y - tall * (1.02 - share * 0.9), y - tall * (0.93 - share * 0.9)
        tips = [
            (x + wide * t, low + abs(t) * wide * 0.25 + rng.uniform(-4, 10)) for t in np.linspace(-1, 1, 13)
        ]
        ragged = [
            point if at % 2 == 0 else (point[0], point[1] - tall * 0.03) for at, point in enumerate(tips)
        ]
        shade = int(rng.integers(0, 9))
        brush.polygon([(x, top), *ragged], fill=tuple(part + shade for part in _NEEDLES))


def _exif() -> Image.Exif:
    exif, base, gps = Image.Exif(), ExifTags.Base, ExifTags.GPS
    exif.update(
        {base.Orientation: 6, base.Make: "Darkroom", base.Model: "Darkroom Sample", base.Software: "numpy"}
    )
    exif[base.DateTime] = "2024:06:21 20:47:13"
    exif.get_ifd(ExifTags.IFD.Exif).update(
        {
            base.DateTimeOriginal: "2024:06:21 20:47:13",
            base.OffsetTimeOriginal: "+02:00",
            base.FNumber: 2.8,
            base.ExposureTime: 0.004,
            base.ISOSpeedRatings: 100,
            base.FocalLength: 4.3,
        }
    )
    exif.get_ifd(ExifTags.IFD.GPSInfo).update(
        {
            gps.GPSLatitudeRef: "N",
            gps.GPSLatitude: (46.0, 41.0, 24.0),
            gps.GPSLongitudeRef: "E",
            gps.GPSLongitude: (7.0, 52.0, 12.0),
        }
    )
    return exif


def _srgb_profile() -> bytes:
    """The profile of the colours above, without the time of its making."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[24:36] = bytes.fromhex("07e8 0001 0001 0000 0000 0000")
    return bytes(profile)
