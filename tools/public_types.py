"""Let pyright say whether every public name has its types, but for those that come of fsspec, which has none.

Owns that one exception: the file system's classes inherit from untyped ones, and nothing here can mend that.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

PACKAGE = "textile_aio"
UNTYPED = f"{PACKAGE}.fs."


def main() -> int:
    command = ["pyright", "--ignoreexternal", "--verifytypes", PACKAGE, "--outputjson"]
    said = json.loads(subprocess.run(command, capture_output=True, text=True, check=False).stdout)
    symbols: list[dict[str, Any]] = said["typeCompleteness"]["symbols"]
    wanting = [
        symbol
        for symbol in symbols
        if not symbol["name"].startswith(UNTYPED)
        and not (symbol["isTypeKnown"] and not symbol["isTypeAmbiguous"])
        and symbol["name"].startswith(f"{PACKAGE}.")
    ]
    for symbol in wanting:
        for diagnostic in symbol["diagnostics"]:
            print(f"{symbol['name']}: {diagnostic['message']}")
    print(f"{len(symbols)} symbols, {len(wanting)} without their types")
    return 1 if wanting or not symbols else 0


if __name__ == "__main__":
    sys.exit(main())
