#!/usr/bin/env python3
"""What Magika itself says of files: identify.py FILE... prints a JSON line for each."""

import json
import sys
from pathlib import Path

from magika import Magika

MAGIKA = Magika()


def identify(path):
    result = MAGIKA.identify_bytes(Path(path).read_bytes())
    output = result.output
    print(json.dumps({
        "label": str(output.label),
        "mime": output.mime_type,
        "group": output.group,
        "description": output.description,
        "is_text": output.is_text,
        "score": result.score,
    }))


for path in sys.argv[1:]:
    identify(path)
