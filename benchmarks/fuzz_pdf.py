"""Give docrec damaged PDFs, each to a process of its own, and see that it ends in time and memory with a status that says something.

    python benchmarks/fuzz_pdf.py [--count 200] [--seed 1] [--jobs 2] [--keep FOLDER]

Prints a row for each kind of damage and one for each file that crashed, hung or took too much memory; ends with 1 if there is one.
"""

import argparse
import os
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pymupdf

from docrec.errors import ExitCode

SECONDS = 60
"""Of the processor, so that other work on the machine is no fault of docrec's; a process that sleeps may take"""
WAIT = 10 * SECONDS
MEGABYTES = 1500
BOMB = 3_000_000_000
"""Bytes that a bomb inflates to."""
TEXT = "清风徐来，水波不兴；举酒属客，诵明月之诗。"
STATUSES = {ExitCode.OK, ExitCode.INPUT_FILE, ExitCode.ENCRYPTED}


def sound_pdfs() -> list[bytes]:
    """PDFs to damage: of text, of two scans, and one of many small objects."""
    text = pymupdf.open()
    for size in (9, 12):
        page = text.new_page(width=300, height=200)
        for row in range(4):
            page.insert_text((20, 40 + 3 * size * row), TEXT, fontname="china-s", fontsize=size)
        page.add_highlight_annot((20, 40, 200, 60))
    scan = pymupdf.open()
    for page in text:
        pixels = page.get_pixmap(dpi=150, colorspace="gray").tobytes("jpeg")
        scan.new_page(width=300, height=200).insert_image(page.rect, stream=pixels)
    objects = pymupdf.open()
    for number in range(5):
        page = objects.new_page(width=150, height=100)
        page.insert_text((20, 55), f"page {number}", fontsize=12)
        page.insert_link({"kind": pymupdf.LINK_URI, "from": pymupdf.Rect(20, 40, 90, 60), "uri": "https://example.org"})
    return [text.tobytes(deflate=True), scan.tobytes(), objects.tobytes(deflate=True, use_objstms=1), objects.tobytes()]


def flip_bits(pdf: bytes, rng: random.Random) -> bytes:
    """Turn over up to 100 bits."""
    damaged = bytearray(pdf)
    for _ in range(rng.randint(1, 100)):
        damaged[rng.randrange(len(pdf))] ^= 1 << rng.randrange(8)
    return bytes(damaged)


def truncate(pdf: bytes, rng: random.Random) -> bytes:
    """Cut the end off."""
    return pdf[: rng.randrange(10, len(pdf))]


def cut_out(pdf: bytes, rng: random.Random) -> bytes:
    """Lose a stretch in the middle, or have it twice."""
    first, second = sorted(rng.sample(range(len(pdf)), 2))
    return pdf[:first] + pdf[second:] if rng.random() < 0.5 else pdf[:second] + pdf[first:]


def mistake_lengths(pdf: bytes, rng: random.Random) -> bytes:
    """Give streams other lengths than they have."""
    lengths = [b"0", b"-1", b"99999999999", b"1", b"4294967296", b"1 0 R"]
    return re.sub(rb"/Length \d+", lambda _: b"/Length " + rng.choice(lengths), pdf)


def mistake_types(pdf: bytes, rng: random.Random) -> bytes:
    """Replace a tenth of the values of dictionaries by others of a wrong type."""
    wrong = [b"null", b"(text)", b"<00>", b"[]", b"[1 2 3]", b"<< >>", b"/Name", b"-1", b"1e38", b"true", b"9999 0 R", b"1 0 R", b"2 0 R"]
    value = rb"(/[A-Z]\w*)\s*(\[[^\]]*\]|\d+ 0 R|[-\d.]+|/\w+)"
    return re.sub(value, lambda found: found[1] + b" " + rng.choice(wrong) if rng.random() < 0.1 else found[0], pdf)


def loop(pdf: bytes, rng: random.Random) -> bytes:
    """Let references point anywhere: the page tree, resources and fonts run in circles."""
    count = max(int(number) for number in re.findall(rb"(\d+) 0 obj", pdf))
    share = rng.choice([0.05, 0.3])
    return re.sub(rb"\d+ 0 R", lambda found: b"%d 0 R" % rng.randint(1, count) if rng.random() < share else found[0], pdf)


def pages_in_circles(_: bytes, rng: random.Random) -> bytes:
    """A page tree whose nodes contain one another, or one another's children many times over."""
    depth = rng.randint(2, 40)
    kids = b"[%d 0 R %d 0 R]" if rng.random() < 0.5 else b"[%d 0 R 2 0 R %d 0 R]"
    nodes = [b"<</Type/Pages/Count %d/Kids%s>>" % (2 ** min(depth - n, 30), kids % (n + 3, n + 3)) for n in range(depth)]
    return make_pdf([*nodes, b"<</Type/Page/MediaBox[0 0 99 99]>>"])


def many_pages(_: bytes, rng: random.Random) -> bytes:
    """A page tree that claims more pages than there are."""
    count = rng.choice([b"2147483647", b"-5", b"1000000000", b"4000000", b"99999999999999"])
    return make_pdf([b"<</Type/Pages/Count %s/Kids[3 0 R]>>" % count, b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]>>"])


def nest(_: bytes, rng: random.Random) -> bytes:
    """Arrays, dictionaries, graphics states, or forms that draw themselves, nested deeply."""
    depth = rng.choice([600, 20_000, 500_000])
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 400 400]/Contents 4 0 R/Resources<</XObject<</A 5 0 R/B 5 0 R>>>>/X %s>>"
    values = [b"[" * depth + b"]" * depth, b"<</A" * depth + b" 1" + b">>" * depth, b"null"]
    contents = [b"q " * depth, b"[" * depth, b"/A Do /B Do", b"/P BMC " * depth, b"0 0 9 9 re W n " * min(depth, 20_000)]
    form = stream(b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</A 5 0 R/B 5 0 R>>>>", b"/A Do /B Do")
    return make_pdf([PAGES, page % rng.choice(values), stream(b"", rng.choice(contents)), form])


def content_bomb(_: bytes, rng: random.Random) -> bytes:
    """A page whose content inflates to gigabytes: of nothing, of strokes, or of text."""
    parts = [b" " * 1000, b"0 0 m 9 9 l S " * 100, b"BT /F 9 Tf 9 9 Td (" + b"a" * 900 + b") Tj ET "]
    bomb = deflated(rng.choice(parts), BOMB)
    filters = b"/Filter/FlateDecode"
    if rng.random() < 0.5:
        bomb, filters = zlib.compress(bomb), b"/Filter[/FlateDecode/FlateDecode]"
    fonts = b"/Resources<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>"
    return make_pdf([PAGES, b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 400 400]/Contents 4 0 R%s>>" % fonts, stream(filters, bomb)])


def form_bomb(_: bytes, rng: random.Random) -> bytes:
    """A form or a font that inflates to gigabytes, or forms that draw one another ever more often."""
    if rng.random() < 0.4:
        forms = [
            stream(b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</A %d 0 R>>>>" % (number + 6), b"/A Do " * 10)
            for number in range(rng.randint(5, 12))
        ]
        forms.append(stream(b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]", b"0 0 9 9 re f"))
    else:
        forms = [stream(b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Filter/FlateDecode", deflated(b"0 0 m 9 9 l S " * 100, BOMB))]
    font = stream(b"/Filter/FlateDecode", deflated(b"\0" * 1000, BOMB))
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 400 400]/Contents 4 0 R/Resources<</XObject<</A 5 0 R>>%s>>>>"
    fonts = (
        b"/Font<</F<</Type/Font/Subtype/TrueType/BaseFont/X/FontDescriptor<</Type/FontDescriptor/FontName/X/Flags 4/FontFile2 %d 0 R>>>>>>"
    )
    content = rng.choice([b"/A Do", b"BT /F 9 Tf 9 9 Td (a) Tj ET"])
    return make_pdf([PAGES, page % (fonts % (len(forms) + 5)), stream(b"", content), *forms, font])


def image_bomb(_: bytes, rng: random.Random) -> bytes:
    """An image that inflates to gigabytes."""
    side = rng.choice([20_000, 60_000, 200_000, 2_000_000_000])
    space = rng.choice([b"/DeviceGray", b"/DeviceRGB", b"/DeviceCMYK"])
    form = b"/Type/XObject/Subtype/Image/Width %d/Height %d/BitsPerComponent 8/ColorSpace%s/Filter/FlateDecode" % (side, side, space)
    image = stream(form, deflated(bytes(1000), min(BOMB, 4 * side * side)))
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 400 400]/Contents 4 0 R/Resources<</XObject<</A 5 0 R>>>>>>"
    return make_pdf([PAGES, page, stream(b"", b"400 0 0 400 0 0 cm /A Do"), image])


def strange_boxes(pdf: bytes, rng: random.Random) -> bytes:
    """Pages of no size, of vast size, or turned by odd angles."""
    boxes = [
        b"[0 0 0 0]",
        b"[0 0 1e30 1e30]",
        b"[0 0 1 1000000]",
        b"[-1e9 -1e9 1e9 1e9]",
        b"[500 500 0 0]",
        b"[0 0 nan 5]",
        b"[0 0 .01 .01]",
    ]
    units = rng.choice([b"", b"/UserUnit 75000", b"/Rotate 45", b"/Rotate 90000000090", b"/UserUnit -1"])
    return re.sub(rb"/MediaBox\s*\[[^\]]*\]", lambda _: b"/MediaBox" + rng.choice(boxes) + units, pdf)


def noise(_: bytes, rng: random.Random) -> bytes:
    """Bytes that only begin as a PDF."""
    return b"%PDF-1.7\n" + rng.randbytes(rng.randint(1, 100_000))


DAMAGES: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    *(flip_bits, truncate, cut_out, mistake_lengths, mistake_types, loop, pages_in_circles, many_pages),
    *(nest, content_bomb, form_bomb, image_bomb, strange_boxes, noise),
)
PAGES = b"<</Type/Pages/Count 1/Kids[3 0 R]>>"


def stream(entries: bytes, data: bytes) -> bytes:
    """A stream object."""
    return b"<<%s/Length %d>>stream\n%s\nendstream" % (entries, len(data), data)


def make_pdf(objects: list[bytes]) -> bytes:
    """A PDF of these objects after its catalog; the first, number 2, is the root of the page tree."""
    pdf, places = b"%PDF-1.7\n", []
    for number, body in enumerate([b"<</Type/Catalog/Pages 2 0 R>>", *objects], 1):
        places.append(b"%010d 00000 n \n" % len(pdf))
        pdf += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    size = len(places) + 1
    return b"%sxref\n0 %d\n0000000000 65535 f \n%strailer<</Root 1 0 R/Size %d>>\nstartxref\n%d\n%%%%EOF" % (
        *(pdf, size, b"".join(places), size, len(pdf)),
    )


def deflated(part: bytes, length: int) -> bytes:
    """So many bytes, a part repeated, compressed a thousandfold without ever being whole in memory."""
    block = part * max(1, 1_000_000 // len(part))
    packer = zlib.compressobj(9)
    # All blocks after a full flush compress alike, so that one can stand for them; the checksum at the end goes unread.
    head = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    body = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    return head + body * (length // len(block)) + packer.flush()


@dataclass(frozen=True)
class Outcome:
    """How a run of docrec ended: the process's status, seconds of the processor, and megabytes at most; what it said last."""

    kind: str
    file: Path
    status: int
    seconds: float
    megabytes: float
    message: str

    @property
    def is_fault(self) -> bool:
        """Whether it crashed, hung, took too much memory, failed in a way not foreseen, or without a word."""
        reported = self.status == ExitCode.OK or self.message
        return self.status not in STATUSES or self.megabytes > MEGABYTES or self.seconds >= SECONDS or not reported


def run(kind: str, file: Path) -> Outcome:
    """Read a file by docrec in a process of its own, killed when its time is over."""
    command = [sys.executable, "-m", "docrec", "pdf", str(file), "-o", f"{file}.txt"]
    start = time.monotonic()
    with open(f"{file}.log", "wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, "OMP_NUM_THREADS": "1"}, preexec_fn=_limit)
        while not (ended := os.wait4(process.pid, os.WNOHANG))[0]:
            if time.monotonic() - start > WAIT:
                process.kill()
            time.sleep(0.02)
    process.returncode = status = os.waitstatus_to_exitcode(ended[1])
    lines = Path(f"{file}.log").read_text(errors="replace").splitlines()
    used = ended[2]
    return Outcome(kind, file, status, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, lines[-1] if lines else "")


def _limit() -> None:
    """Keep a runaway from taking the machine's memory and time."""
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (8_000_000_000, 8_000_000_000))


def make_files(folder: Path, count: int, seed: int) -> list[tuple[str, Path]]:
    """So many damaged PDFs, of all kinds in turn; the same for the same seed."""
    sound = sound_pdfs()
    files = []
    for number in range(count):
        damage, rng = DAMAGES[number % len(DAMAGES)], random.Random(f"{seed} {number}")
        file = folder / f"{number:03}-{damage.__name__}.pdf"
        file.write_bytes(damage(rng.choice(sound), rng))
        files.append((damage.__name__, file))
    return files


def main() -> None:
    """Fuzz docrec as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--keep", type=Path, help="folder for the files")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        files = make_files(folder, options.count, options.seed)
        outcomes: list[Outcome] = []
        with ThreadPoolExecutor(options.jobs) as pool:
            for outcome in pool.map(lambda file: run(*file), files):
                outcomes.append(outcome)
                if outcome.is_fault:
                    print(outcome, flush=True)
    print(f"{'damage':18} files  slowest  memory  statuses")
    for kind in [damage.__name__ for damage in DAMAGES]:
        of_kind = [outcome for outcome in outcomes if outcome.kind == kind]
        if of_kind:
            statuses = ", ".join(f"{status}: {number}" for status, number in sorted(Counter(o.status for o in of_kind).items()))
            slowest, most = max(o.seconds for o in of_kind), max(o.megabytes for o in of_kind)
            print(f"{kind:18} {len(of_kind):5} {slowest:6.1f} s {most:4.0f} MB  {statuses}")
    faults = sum(outcome.is_fault for outcome in outcomes)
    print(f"{len(outcomes)} files, {faults} faults")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
