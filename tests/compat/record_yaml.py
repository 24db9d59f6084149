"""Writes src/data/dvc/yaml_vectors.json: values and what ruamel.yaml (the version of tests/requirements-dvc.txt) makes of them."""
import io
import json
import pathlib
import random
import sys

from ruamel.yaml import YAML

SPECIAL = ["yes", "no", "on", "null", "Null", "~", "true", "True", "1", "-1", "+1", "017", "1_000", "0x1f", "0o17", "0b1", "1.5", "1.", ".5", "1e5", "1e-05", ".nan", ".inf", "-.inf", "2020-01-01", "2020-1-1",
           "2001-12-14t21:59:43.10-05:00", "2001-12-14 21:59:43.10 -5", "=", "<<", "-", "?", ":", "- a", "? b", ": c", "a: b", "a #b", "a:b", "a#b", "x:", "---", "...", "--- a", "!x", "&x", "*x", "{a", "[b",
           "|", ">", "#", "%", "@", "`", '"', "'", "a,b", "a]b", "", "  ", " a", "a ", "\ta", "a\tb", "\x7f", "\x85", "\u2028", "\ufeffa", "é", "😀", "C:\\x", "--", "~x", "0.1.2", "1:30", "nan",
           "12345678901234567890123456789012", "12345678901234567890e12345678901", "_1", "+", ".", "._1", "1._", "0b", "0o8", ".5e3", "it's", "a'b c\n", "\n", "a\n b", "a \nb"]
WORDS = ["python", "train.py", "--lr", "0.001", '"q"', "it's", "a\\b", "\n", "\n\n", "  ", "é" * 5, "x" * 30, "x" * 90, "😀😀", "--flag", "$X", "#", ": ", "\t", "\x00", "\u2028", "\xa0", "'", '"', "/a/b/c/d", "{a}",
         "&& ", "|", "\x1b"]


def text(r):
    if r.random() < 0.3:
        return r.choice(SPECIAL)
    separator = r.choice([" ", " ", " ", "", "  "])
    return separator.join(r.choice(WORDS) if r.random() < 0.6 else r.choice("abcdefgh") * r.randrange(1, 14) for _ in range(r.randrange(1, r.choice([2, 5, 12, 30]))))


def value(r, depth=0):
    kind = r.random()
    if depth > 2 or kind < 0.6:
        return text(r)
    if kind < 0.66:
        return r.choice([None, True, False, 0, -5, 10**15, 0.1, 1e-5, 1e16, 1.5, 1e100])
    if kind < 0.8:
        return [value(r, depth + 1) for _ in range(r.randrange(0, 4))]
    return {key(r): value(r, depth + 1) for _ in range(r.randrange(0, 4))}


def key(r):
    return "k" * r.randrange(118, 128) if r.random() < 0.1 else text(r) if r.random() < 0.3 else "".join(r.choice("abc_-.") for _ in range(r.randrange(1, 9)))


def dump(v):
    yaml = YAML()
    yaml.default_flow_style = False
    out = io.StringIO()
    yaml.dump(v, out)
    return out.getvalue()


if __name__ == "__main__":
    r = random.Random(1)
    vectors = [{"v": s, s or "empty": [s]} for s in SPECIAL] + [{key(r): value(r)} for _ in range(120)]
    lines = ",\n".join(json.dumps([v, dump(v)], ensure_ascii=True) for v in vectors)
    (pathlib.Path(__file__).resolve().parents[2] / "src" / "data" / "dvc" / "yaml_vectors.json").write_text("[" + lines + "]\n")
