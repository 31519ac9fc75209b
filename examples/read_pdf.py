#!/usr/bin/env python3
"""Print the text of a document, page by page:  python examples/read_pdf.py FILE."""

import sys

import docrec

recognizer = docrec.load()
for page in docrec.recognize(sys.argv[1], recognizer):
    print(f"--- page {page.index + 1}: {len(page.lines)} lines")
    print(page.text)
