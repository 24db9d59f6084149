"""Push and pull of versioned data beside the real DVC: a folder, S3 on loopback, one large object. Every result is checked.

RONDO_BENCH_SCALE=0.1 makes it smaller. Figures are wall and CPU seconds of the client and its largest memory.
"""
import hashlib
import os
import pathlib
import resource
import shutil
import socket
import subprocess
import tempfile
import time

import harness as h

CACHE = pathlib.Path(os.environ.get("RONDO_CACHE", pathlib.Path.home() / ".cache" / "rondo"))
REAL = CACHE / "venvs" / "dvc" / "bin" / "dvc"
SCALE = float(os.environ.get("RONDO_BENCH_SCALE", "1"))
KEYS = {"access_key_id": "AKEXAMPLE", "secret_access_key": "SKEXAMPLEsecret"}


def timed(program, *args, cwd):
    """(wall s, CPU s, largest memory MB) of one command that must succeed."""
    env = {**os.environ, "DVC_NO_ANALYTICS": "1", "DVC_SITE_CACHE_DIR": str(cwd.parent / "site")}
    begin = time.perf_counter()
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen([str(program), *args], cwd=cwd, env=env, stdout=out, stderr=out)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begin
        if status:
            out.seek(0)
            raise SystemExit(f"{program} {' '.join(args)}: {status}\n{out.read().decode()}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def dvc(program, *args, cwd):
    subprocess.run([str(program), *args], cwd=cwd, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "DVC_NO_ANALYTICS": "1", "DVC_SITE_CACHE_DIR": str(cwd.parent / "site")})


def objects_of(folder):
    return {p.parent.name + p.name for p in (folder / "files" / "md5").glob("??/*")}


def check(folder, expected):
    """Every object is there and a sample of them has the bytes of its name."""
    found = objects_of(folder)
    assert found == expected, f"{len(found)} objects of {len(expected)}"
    for name in sorted(found)[:: max(1, len(found) // 200)]:
        with open(folder / "files" / "md5" / name[:2] / name[2:], "rb") as f:  # piece by piece: a child's largest memory counts ours at its start
            assert hashlib.file_digest(f, "md5").hexdigest() == name[:32], name


def workload(program, folder, files, size):
    folder.mkdir(parents=True)
    subprocess.run(["git", "init", "-q", "."], cwd=folder, check=True)
    dvc(program, "init", "-q", cwd=folder)
    data = folder / "data"
    data.mkdir()
    if files == 1:
        with open(data / "big", "wb") as f:
            block = os.urandom(1 << 20)
            for i in range(size >> 20):
                f.write(i.to_bytes(8, "little") + block[8:])
    else:
        for i in range(files):
            sub = data / f"{i % 10}"
            sub.mkdir(exist_ok=True)
            (sub / f"{i}.png").write_bytes(hashlib.sha256(str(i).encode()).digest() * (size // 32) + bytes(size % 32))
    dvc(program, "add", "-q", "data", cwd=folder)
    return objects_of(folder / ".dvc" / "cache")


def compare(name, files, size, remote_of, target):
    rows = {}
    with tempfile.TemporaryDirectory(prefix="rondo-bench-") as scratch:
        scratch = pathlib.Path(scratch)
        (scratch / "bin").mkdir()
        ours = scratch / "bin" / "dvc"
        ours.symlink_to(h.RONDO)
        for who, program in (("rondo", ours), ("dvc", REAL)):
            folder = scratch / who / "repo"
            expected = workload(ours, folder, files, size)
            url, settings, place = remote_of(who, scratch)
            dvc(ours, "remote", "add", "-d", "r", url, cwd=folder)
            for key, value in settings.items():
                dvc(ours, "remote", "modify", "--local", "r", key, value, cwd=folder)
            push = timed(program, "push", "-q", cwd=folder)
            check(place, expected)
            again = timed(program, "push", "-q", cwd=folder)
            shutil.rmtree(folder / ".dvc" / "cache")
            shutil.rmtree(folder / "data")
            pull = timed(program, "pull", "-q", cwd=folder)
            check(folder / ".dvc" / "cache", expected)
            made = sum(len(f) for _, _, f in os.walk(folder / "data"))
            assert made == files, f"{made} of {files} files in the workspace"
            rows[who] = {"push": push, "push again": again, "pull": pull}
            shutil.rmtree(scratch / who)
            shutil.rmtree(place, ignore_errors=True)
    for what in ("push", "push again", "pull"):
        (w, c, m), (dw, dc, dm) = rows["rondo"][what], rows["dvc"][what]
        print(f"{name}, {what}: {w:.2f} s wall, {c:.2f} s CPU, {m:.0f} MB; dvc {dw:.2f} s, {dc:.2f} s CPU, {dm:.0f} MB: {dw / w:.1f} x wall, {dc / c:.1f} x CPU{target if what != 'push again' else ''}", flush=True)


def local(who, scratch):
    return str(scratch / f"remote-{who}"), {}, scratch / f"remote-{who}"


def main():
    server = subprocess.run([h.ROOT / "tools" / "s3server.sh"], capture_output=True, text=True, check=True).stdout.strip()
    subprocess.run([h.ROOT / "tools" / "venvs.sh", "dvc"], check=True)
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
    compare(f"W1 {int(70_000 * SCALE):,} x 275 B, folder", int(70_000 * SCALE), 275, local, " (target 8 x wall)")
    with tempfile.TemporaryDirectory(prefix="rondo-bench-s3-") as bucket, socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
        s.close()
        (pathlib.Path(bucket) / "bkt").mkdir()
        gateway = subprocess.Popen([server, "--port", f"127.0.0.1:{port}", "--quiet", "posix", bucket], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   env={**os.environ, "ROOT_ACCESS_KEY": KEYS["access_key_id"], "ROOT_SECRET_KEY": KEYS["secret_access_key"]})
        time.sleep(1)

        def s3(who, scratch):
            return f"s3://bkt/{who}", {"endpointurl": f"http://127.0.0.1:{port}", **KEYS}, pathlib.Path(bucket) / "bkt" / who

        try:
            compare(f"W1 {int(7_000 * SCALE):,} x 275 B, S3", int(7_000 * SCALE), 275, s3, " (target 12 x wall)")
            compare(f"one object of {int(2048 * SCALE)} MiB, S3", 1, int(2048 * SCALE) << 20, s3, " (target: under 64 MB of memory)")
        finally:
            gateway.terminate()
            gateway.wait(10)


main()
