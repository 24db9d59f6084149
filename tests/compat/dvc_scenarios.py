"""Random repositories and command sequences for a program that takes DVC's command line. Both programs walk the same sequence; after every command the exit code, the JSON or
text, every metadata file, the workspace and the cache are digested. Used live and, recorded, by test_dvc.py.

    dvc_scenarios.py record OUT FIRST LAST   run seeds with the real DVC (in this interpreter) and write what it did
    dvc_scenarios.py show SEED PROGRAM       run one seed with both and print where they part
"""
import contextlib
import hashlib
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

NAMES = ["a", "b.txt", "data", "model.bin", "x y", "é", "it's", "-dash", "#hash", "日本", "q\"uote", "a-b", "a.b", "UP", "n1", "0123", "star*", "semi;colon", "😀"]
VERSIONS = {}


def environment(folder):
    keep = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "DVC_", "GIT_"))}
    when = "2026-01-01T00:00:00Z"
    return {**keep, "HOME": str(folder), "DVC_NO_ANALYTICS": "1", "DVC_SITE_CACHE_DIR": str(folder / "site"), "GIT_AUTHOR_NAME": "t", "GIT_AUTHOR_EMAIL": "t@example.org",
            "GIT_COMMITTER_NAME": "t", "GIT_COMMITTER_EMAIL": "t@example.org", "GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when, "GIT_CONFIG_NOSYSTEM": "1", "XDG_CONFIG_HOME": str(folder / "xdg"),
            "XDG_CONFIG_DIRS": str(folder / "xdgs"), "COLUMNS": "1000", "NO_COLOR": "1", "TERM": "dumb"}


class InProcess:
    """The real DVC without its start-up time."""

    def __init__(self, env):
        os.environ.clear()
        os.environ.update(env)

    def __call__(self, args, cwd):
        from dvc.cli import main
        before = os.getcwd()
        os.chdir(cwd)
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            saved = os.dup(1), os.dup(2)
            sys.stdout.flush()
            sys.stderr.flush()
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            try:
                code = main(list(args))
            except SystemExit as e:
                code = e.code
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os.dup2(saved[0], 1)
                os.dup2(saved[1], 2)
                os.close(saved[0])
                os.close(saved[1])
                os.chdir(before)
            out.seek(0)
            err.seek(0)
            return code, out.read().decode(), err.read().decode()


class Program:
    def __init__(self, path, env):
        self.path, self.env = path, env

    def __call__(self, args, cwd):
        done = subprocess.run([str(self.path), *args], cwd=cwd, env=self.env, capture_output=True, stdin=subprocess.DEVNULL, timeout=120)
        return done.returncode, done.stdout.decode(), done.stderr.decode()


def normal(value):
    """Lists of DVC come from sets: their order means nothing."""
    if isinstance(value, dict):
        return {k: normal(v) for k, v in sorted(value.items())}
    if isinstance(value, list):
        return sorted((normal(v) for v in value), key=lambda v: json.dumps(v, sort_keys=True))
    return value


def state(root):
    """Everything that both programs must agree on, by path."""
    seen = {}
    for folder, dirs, files in os.walk(root):
        relative = os.path.relpath(folder, root)
        if relative == ".":
            dirs[:] = [d for d in dirs if d != ".git"]
        if relative == ".dvc":
            dirs[:] = [d for d in dirs if d == "cache"]
            files = [f for f in files if f != "btime"]
        dirs[:] = [d for d in dirs if d != "rondo-quarantine"]
        for name in files:
            path = os.path.join(folder, name)
            # Links count as their content: which kind of link a duplicate gets is nobody's format.
            key = os.path.normpath(os.path.join(relative, name))
            if not os.path.exists(path):
                seen[key] = "a link to nothing"
                continue
            with open(path, "rb") as f:
                content = f.read()
            text = content.decode(errors="replace") if name.endswith((".dvc", ".gitignore")) else hashlib.md5(content).hexdigest()
            seen[key] = text  # x bits: those that are tracked stand in the .dvc file
    return seen


class Walk:
    """One seed's sequence. `check(step, what, value)` is called after each command."""

    def __init__(self, seed, folder, program, check):
        self.r = random.Random(seed)
        self.root = pathlib.Path(folder) / "repo"
        self.run, self.check, self.step = program, check, 0
        self.env = environment(pathlib.Path(folder))

    def git(self, *args):
        subprocess.run(["git", *args], cwd=self.root, env=self.env, check=True, capture_output=True)

    def dvc(self, *args, text=False):
        code, out, err = self.run(args, str(self.root))
        if "--json" in args and code == 0:
            try:
                out = json.dumps(normal(json.loads(out)), sort_keys=True)
            except ValueError:
                pass
        elif not text:
            out = ""
        else:
            out = "\n".join(sorted(" ".join(line.split()) for line in out.splitlines() if line.strip()))
        self.step += 1
        self.check(self.step, list(args), {"code": code, "out": out, "state": state(self.root)}, err)

    def bytes(self):
        kind = self.r.random()
        if kind < 0.15:
            return b""
        if kind < 0.5:
            return self.r.choice([b"one\n", b"two\r\n", b"same", b"x" * 100])
        return self.r.randbytes(self.r.choice([3, 64, 300, 5000]))

    def write(self, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        if os.path.lexists(path):
            path.unlink()  # it may be a protected link
        path.write_bytes(self.bytes())
        path.chmod(0o755 if self.r.random() < 0.15 else 0o644)

    def tree(self, path, depth=0):
        for name in self.r.sample(NAMES, self.r.randrange(1, 5)):
            if depth < 2 and self.r.random() < 0.3:
                self.tree(path / name, depth + 1)
            else:
                self.write(path / name)
        path.mkdir(parents=True, exist_ok=True)

    def tracked(self):
        return sorted(str(p.relative_to(self.root)) for p in self.root.rglob("*.dvc") if p.is_file() and ".dvc/" not in str(p.relative_to(self.root)))

    def outputs(self):
        return [t[:-4] for t in self.tracked() if (self.root / t[:-4]).exists()]

    def files(self, output):
        top = self.root / output
        return sorted(p for p in top.rglob("*") if p.is_file()) if top.is_dir() else [top]

    def new_output(self):
        name = self.r.choice(NAMES)
        folder = self.r.choice(["", "", "", "sub", "sub/deep"])
        path = self.root / folder / name
        if os.path.lexists(path) or (self.root / (str(path) + ".dvc")).exists() or any(str(path.relative_to(self.root)).startswith(o + "/") for o in self.outputs()):
            return None
        if self.r.random() < 0.5:
            self.tree(path)
        else:
            self.write(path)
        return str(path.relative_to(self.root))

    def edit(self):
        outputs = self.outputs()
        if not outputs:
            return
        output = self.r.choice(outputs)
        files = self.files(output)
        what = self.r.random()
        if what < 0.45 and files:
            self.write(self.r.choice(files))
        elif what < 0.6 and files:
            self.r.choice(files).unlink()
        elif what < 0.9 and (self.root / output).is_dir():
            folder = self.root / output
            self.write(folder / self.r.choice(["new.txt", "more/n.txt", "zz"]))
        elif (self.root / output).is_dir():
            shutil.rmtree(self.root / output)
        else:
            os.unlink(self.root / output)

    def steps(self):
        self.root.mkdir(parents=True)
        self.git("init", "-q", "-b", "main", ".")
        self.dvc("init", "-q")
        if self.r.random() < 0.3:
            (self.root / ".dvcignore").write_text(self.r.choice(["*.tmp\n", "zz\n!keep\n", "/data/a\nmore/\n", "n?.txt\n"]))
        kind = self.r.choice(["", "", "", "hardlink,copy", "symlink,copy"])
        if kind:
            (self.root / ".dvc" / "config").write_text(f"[cache]\n    type = \"{kind}\"\n")
        for _ in range(self.r.randrange(1, 3)):
            new = self.new_output()
            if new:
                self.dvc("add", "--", new)
        self.git("add", "-A", ".")
        self.git("commit", "-q", "-m", "first")
        for _ in range(self.r.randrange(3, 7)):
            self.one()

    def one(self):
        r = self.r
        for _ in range(r.randrange(0, 3)):
            self.edit()
        what = r.random()
        outputs = self.outputs()
        if what < 0.16:
            new = self.new_output()
            if new:
                self.dvc("add", "--", new)
        elif what < 0.28 and outputs:
            self.dvc("add", "--", r.choice(outputs))
        elif what < 0.34 and outputs:
            output = r.choice(outputs)
            files = [f for f in self.files(output) if (self.root / output).is_dir()]
            if files:
                self.dvc("add", "--", str(r.choice(files).relative_to(self.root)))
        elif what < 0.44:
            self.dvc("status", "--json")
        elif what < 0.49:
            self.dvc("status", text=True)
        elif what < 0.62:
            options = [o for o in ("--granular", "--unchanged") if r.random() < 0.6]
            self.dvc("data", "status", "--json", *options)
        elif what < 0.72:
            self.dvc("diff", "--json", *(["--show-hash"] if r.random() < 0.5 else []))
        elif what < 0.75:
            self.dvc("diff", text=True)
        elif what < 0.80:
            if len(outputs) == len(self.tracked()):  # DVC stops at a missing one, in the file system's order
                self.dvc("commit", "-f")
        elif what < 0.86:
            self.dvc("checkout", text=True)
        elif what < 0.91:
            self.dvc("checkout", "-f", text=True)
        elif what < 0.93 and self.tracked():
            self.dvc("remove", "--", r.choice(self.tracked()))
        elif what < 0.95 and outputs:
            self.dvc("move", "--", r.choice(outputs), "moved-" + str(self.step))
        elif what < 0.97:
            self.dvc("gc", "-w", "-f")
        else:
            objects = sorted((self.root / ".dvc" / "cache").rglob("*"))
            objects = [o for o in objects if o.is_file()]
            if objects:
                r.choice(objects).unlink()
        if r.random() < 0.3:
            self.git("add", "-A", ".")
            self.git("commit", "-q", "--allow-empty", "-m", "next")


def digest(value):
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]


def walk(seed, program_of, check):
    with tempfile.TemporaryDirectory(prefix="dvc-walk-") as folder:
        folder = pathlib.Path(os.path.realpath(folder))
        Walk(seed, folder, program_of(environment(folder)), check).steps()


def record(out, first, last):
    recorded = {}
    for seed in range(first, last):
        steps = []
        walk(seed, InProcess, lambda step, args, value, err: steps.append([value["code"], digest(value["out"]), digest(value["state"])]))
        recorded[seed] = steps
        sys.stderr.write(f"{seed} {len(steps)}\n")
    with open(out, "w") as f:
        f.write("{" + ",\n".join(f'"{seed}": {json.dumps(steps, separators=(",", ":"))}' for seed, steps in recorded.items()) + "}\n")


def show(seed, program):
    theirs = []
    pid_out = tempfile.NamedTemporaryFile(suffix=".json")
    code = f"import sys, json; sys.path.insert(0, {os.path.dirname(os.path.abspath(__file__))!r}); import dvc_scenarios as s; o = []; " \
           f"s.walk({seed}, s.InProcess, lambda step, args, value, err: o.append([args, value, err])); json.dump(o, open({pid_out.name!r}, 'w'))"
    subprocess.run([sys.executable, "-c", code], check=True)
    theirs = json.load(open(pid_out.name))
    ours = []
    walk(seed, lambda env: Program(program, env), lambda step, args, value, err: ours.append([args, value, err]))
    for i, (t, o) in enumerate(zip(theirs, ours)):
        if t[:2] == o[:2]:
            continue
        print(f"seed {seed} step {i + 1}: {t[0]}")
        for key in ("code", "out"):
            if t[1][key] != o[1][key]:
                print(f"  {key}: theirs {t[1][key]!r}\n  {key}: ours   {o[1][key]!r}")
        for path in sorted(set(t[1]["state"]) | set(o[1]["state"])):
            a, b = t[1]["state"].get(path), o[1]["state"].get(path)
            if a != b:
                print(f"  {path}: theirs {a!r}, ours {b!r}")
        print("  stderr theirs:", t[2][-500:], "\n  stderr ours:", o[2][-500:])
        return False
    return True


if __name__ == "__main__":
    if sys.argv[1] == "record":
        record(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    else:
        bad = 0
        for seed in range(int(sys.argv[2]), int(sys.argv[4]) if len(sys.argv) > 4 else int(sys.argv[2]) + 1):
            with contextlib.suppress(KeyboardInterrupt):
                bad += not show(seed, sys.argv[3])
        print("seeds that differ:", bad)
