"""Check one image and its mask, read as training reads them, by the rules that a run goes by."""

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from mmengine import fileio
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from mmdmt.rules.file_rules import image_findings, image_turned, mask_labels, mask_mode, mask_shape, unreadable
from mmdmt.rules.findings import Finding
from mmdmt.rules.image_content import ImageContent, read_content

_UNREADABLE = (AssertionError, OSError, ValueError, SyntaxError, cv2.error, Image.DecompressionBombError)


@dataclass(frozen=True)
class ImageSource:
    """An image in the list of a dataset, and the transforms that load it and its mask, if it has one."""

    entry: Mapping[str, Any]
    image_loader: Any
    mask_loader: Any = None

    @property
    def path(self) -> str:
        """The image file."""
        return str(self.entry['img_path'])

    @property
    def mask(self) -> str:
        """The mask file; empty if there is none."""
        return str(self.entry['seg_map_path']) if self.mask_loader is not None else ''

    def load_image(self) -> NDArray[Any]:
        """Load the image, (H, W, channels)."""
        return np.asarray(self.image_loader({**self.entry, 'seg_fields': []})['img'])

    def load_mask(self) -> NDArray[np.uint8]:
        """Load the mask, (H, W): class ids as the heads see them."""
        return np.asarray(self.mask_loader({**self.entry, 'seg_fields': []})['gt_seg_map'])


@dataclass(frozen=True, eq=False)
class CheckedImage:
    """Findings in an image and its mask, whose path is empty if there is none.

    ``digest`` is that of the pixels with their shape, empty if the image cannot be read; ``counts`` are the pixels of
    each label, int64 (256,), None without a mask that can be read.
    """

    path: str
    mask: str
    digest: bytes
    counts: NDArray[np.int64] | None
    findings: tuple[Finding, ...]

    @property
    def is_sound(self) -> bool:
        """Return whether the image can be trained on as it is."""
        return not any(finding.stops for finding in self.findings)


def check_image(source: ImageSource, num_classes: int, ignore_index: int) -> CheckedImage:
    """Read an image and its mask, and find what is wrong with them."""
    findings: list[Finding | None] = []
    image = mask = content = None
    try:
        content = _check_whole(source.path, source.image_loader)
        image = source.load_image()
        findings += image_findings(source.path, content, source.image_loader, image)
    except _UNREADABLE as error:
        findings.append(unreadable('image', source.path, error))
    if source.mask:
        try:
            content_of_mask = read_content(fileio.get(source.mask, backend_args=source.mask_loader.backend_args))
            findings.append(mask_mode(source.mask, content_of_mask))
            if findings[-1] is None or not findings[-1].stops:
                mask = source.load_mask()
        except _UNREADABLE as error:
            findings.append(unreadable('mask', source.mask, error))
    counts = None
    if mask is not None:
        shape = None if image is None else image.shape
        unfit = mask_shape(source.mask, mask, source.path, shape)
        findings += [unfit, mask_labels(source.mask, mask, num_classes, ignore_index)]
        if shape is not None and unfit is None:
            findings.append(image_turned(source.path, content, source.image_loader, shape, mask.shape))
        counts = np.bincount(mask.reshape(-1), minlength=256)[:256]
    digest = b''
    if image is not None:
        hashed = hashlib.blake2b(repr((image.shape, image.dtype)).encode(), digest_size=16)
        hashed.update(np.ascontiguousarray(image).data)
        digest = hashed.digest()
    told = tuple(found for found in findings if found is not None)
    return CheckedImage(source.path, source.mask, digest, counts, told)


def _check_whole(path: str, loader: Any) -> ImageContent | None:
    """Decode strictly what Pillow knows: OpenCV fills up a file that was cut short with gray, and says nothing."""
    data = fileio.get(path, backend_args=loader.backend_args)
    try:
        image = Image.open(io.BytesIO(data))
    except (UnidentifiedImageError, Image.DecompressionBombError):
        return read_content(data)
    image.draft('L', (1, 1))  # the cheapest decoding that reads all of a JPEG
    image.load()
    return read_content(data)
