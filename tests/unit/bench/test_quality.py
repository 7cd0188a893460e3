"""What the imaging benchmark says of quality: as a whole, of each kind of variant, and of what is worse."""

from tests.bench.quality import Quality, verdicts


def quality(size: int, **ssim: float) -> Quality:
    return Quality(ssim=ssim, size=size)


def test_each_kind_of_variant_has_its_claim() -> None:
    qualities = {
        "ours": {
            "a.jpg": quality(100, large=0.98, small=0.95),
            "b.jpg": quality(100, large=0.96, small=0.95),
        },
        "theirs": {
            "a.jpg": quality(80, large=0.97, small=0.96),
            "b.jpg": quality(120, large=0.97, small=0.96),
        },
    }
    assert verdicts(qualities, "ours") == [
        "SSIM: at worst +0.0100 from ours up to the best peer's; bytes +0.0% to theirs.",
        "  large: 0.9700 ours, 0.9700 theirs (mean SSIM); as good.",
        "  small: 0.9500 ours, 0.9600 theirs (mean SSIM); worse.",
        "  worse: b.jpg small, by 0.0100",
        "  worse: b.jpg large, by 0.0100",
        "  worse: a.jpg small, by 0.0100",
    ]


def test_nothing_compared_is_nothing_said() -> None:
    assert verdicts({}, "ours") == []
