"""Measure how labeling grows with the number of images: time, bytes on disk, memory."""

import tempfile
from functools import partial
from pathlib import Path

import networks
from labeling import label_anew
from measure import Row, exponent, growth, interleaved

SIZES = (50, 100, 200)
PAGE = 4096
MIB = 2**20


class Watched(networks.Unlabeled):
    """Images that note, whenever one is loaded, how much memory the process holds."""

    def __init__(self, items: list[dict], classes: int) -> None:
        super().__init__(items, classes)
        self.resident: list[int] = []

    def labeling_item(self, index: int) -> dict:
        """Return an image."""
        self.resident.append(int(Path('/proc/self/statm').read_text().split()[1]) * PAGE)
        return super().labeling_item(index)


def labeling_growth(repeats: int, sizes: tuple[int, ...] = SIZES, size: int = 48) -> list[Row]:
    """Label more and more scenes; time and bytes as powers of their number, memory within one labeling."""
    peers = {'tiny': networks.build(networks.resnet18(width=8, classes=6, crop=size))}
    items = networks.scenes(max(sizes), size)
    with tempfile.TemporaryDirectory() as folder:
        functions = {
            str(number): partial(label_anew, peers, networks.Unlabeled(items[:number], 6), Path(folder) / str(number))
            for number in sizes
        }
        label_anew(peers, networks.Unlabeled(items[: min(sizes)], 6), Path(folder) / 'warm')
        # Before any longer labeling, whose freed memory would be used again and hide what this one holds.
        watched = Watched(items, 6)
        label_anew(peers, watched, Path(folder) / 'watched')
        times = interleaved(functions, repeats)
        written = [_bytes(Path(folder) / str(number)) for number in sizes]
    rounds = zip(*(times[str(number)] for number in sizes), strict=True)
    return [
        Row('labeling_growth', [exponent(sizes, seconds) for seconds in rounds], target=1.15),
        Row('bank_growth', [exponent(sizes, written)], target=1.15),
        Row('rss_growth', [growth(watched.resident) * 1000 / MIB], target=5),
    ]


def _bytes(root: Path) -> int:
    return sum(path.stat().st_size for path in root.rglob('*') if path.is_file())
