"""Encoded pictures to grey pixels and back."""

import cv2
import numpy as np

from docrec.errors import SampleError


def decode_picture(data: bytes, name: str) -> np.ndarray:
    """Decode a picture of any format that OpenCV reads: colour becomes grey, 16 bits become 8, and what is transparent white.

    Args:
        data: the file's content.
        name: of the picture, for the message.

    Returns:
        uint8 (H, W).

    Raises:
        SampleError: it is not such a picture, or is damaged.
    """
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:  # an empty file
        pixels = None
    if pixels is None:
        raise SampleError(name, "the picture is damaged, or of a format that is not known")
    if pixels.dtype == np.uint16:
        pixels = (pixels // 257).astype(np.uint8)
    if pixels.dtype != np.uint8:
        raise SampleError(name, "a picture must have whole numbers of 8 or 16 bits as pixels", f"got {pixels.dtype}")
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        alpha = pixels[..., 3:].astype(np.float32) / 255
        pixels = (pixels[..., :3] * alpha + 255 * (1 - alpha) + 0.5).astype(np.uint8)
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY) if pixels.ndim == 3 else pixels


def is_gray_png(data: bytes) -> bool:
    """Whether a picture is a PNG of one channel of 8 bits, by its first chunk."""
    return data[:8] == b"\x89PNG\r\n\x1a\n" and data[24:26] == b"\x08\x00"


def encode_png(gray: np.ndarray) -> bytes:
    """Encode uint8 (H, W) as PNG, without loss."""
    return bytes(cv2.imencode(".png", gray)[1])
