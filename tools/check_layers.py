#!/usr/bin/env python3
"""Fails when an #include goes against src/LAYERS, a file is too long, or a heavy third-party header spreads.

Usage: tools/check_layers.py SRC_DIR
"""
import pathlib
import re
import sys

HARD_LIMIT = 700
# Third-party headers that only one module may see.
OWNERS = {
    "boost/asio": "net", "boost/beast": "net", "sqlite3.h": "db", "yaml-cpp": "project", "spdlog": "base",
    "simdjson.h": "base", "curl/": "net", "xxhash.h": "base", "CLI/": "cli", "onnxruntime": "model",
    "duckdb.h": "table", "xgboost/": "model", "LightGBM": "model", "git2": "pipeline", "Eigen": "model", "sodium": "govern",
}


def main() -> int:
    src = pathlib.Path(sys.argv[1])
    allowed = {}
    for line in (src / "LAYERS").read_text().splitlines():
        line = line.split("#")[0].strip()
        if line:
            module, _, below = line.partition(":")
            names = below.split()
            unknown = [n for n in names if n not in allowed]
            if unknown:
                print(f"src/LAYERS: {module} may not include {unknown}: list them before it")
                return 1
            allowed[module.strip()] = set(names)
    errors = []
    for path in sorted(src.rglob("*")):
        if path.suffix not in (".h", ".cc"):
            continue
        module = path.relative_to(src).parts[0]
        if module not in allowed:
            errors.append(f"{path}: the folder {module} isn't in src/LAYERS")
            continue
        text = path.read_text()
        lines = text.count("\n")
        if lines > HARD_LIMIT:
            errors.append(f"{path}: {lines} lines, the hard limit is {HARD_LIMIT}: split it")
        for number, line in enumerate(text.splitlines(), 1):
            match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)', line)
            if not match:
                continue
            kind, header = match.groups()
            top = header.split("/")[0]
            if kind == '"' and top in allowed and top != module and top not in allowed[module]:
                errors.append(f"{path}:{number}: {module} may not include {header} (src/LAYERS)")
            for prefix, owner in OWNERS.items():
                if kind == "<" and header.startswith(prefix) and module != owner:
                    errors.append(f"{path}:{number}: <{header}> may only be included in {owner}")
    print("\n".join(errors), end="\n" if errors else "")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
