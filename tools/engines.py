#!/usr/bin/env python3
"""Fetches the engines that deps.lock pins and links them into a folder: tools/engines.py deps.lock build/engines

Each package is downloaded by its registry's own client, checked against its SHA-256, and only the listed files are
kept (the package itself may be 150 MB). The cache is RONDO_CACHE or ~/.cache/rondo; nothing is fetched when it is filled.
"""
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile


def read_lock(path):
    packages = []
    for line in path.read_text().splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith(" "):
            inner, _, name = line.strip().partition(" -> ")
            packages[-1]["files"].append((inner, name))
        else:
            registry, name, version, sha256 = line.split()
            packages.append({"registry": registry, "name": name, "version": version, "sha256": sha256, "files": []})
    return packages


def download(package, folder):
    name, version = package["name"], package["version"]
    if package["registry"] == "pypi":
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:",
                   "--python-version=3.11", "--implementation=cp", "--abi=cp311", "--abi=none", "--platform=manylinux_2_28_x86_64",
                   "--platform=manylinux_2_27_x86_64", f"--dest={folder}", f"{name}=={version}"]
    else:
        command = ["npm", "pack", "--silent", f"--pack-destination={folder}", f"{name}@{version}"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder)
    return next(p for p in pathlib.Path(folder).iterdir() if p.suffix in (".whl", ".tgz"))


def fetch(package, store):
    print(f"fetching {package['name']} {package['version']}", flush=True)
    store.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=store.parent) as scratch:
        archive = download(package, scratch)
        digest = hashlib.sha256(archive.read_bytes()).hexdigest()
        if digest != package["sha256"]:
            sys.exit(f"{package['name']} {package['version']}: SHA-256 is {digest}, deps.lock says {package['sha256']}: refusing it")
        out = pathlib.Path(scratch) / "out"
        for inner, name in package["files"]:
            target = out / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if archive.suffix == ".whl":
                with zipfile.ZipFile(archive) as z, z.open(inner) as source, open(target, "wb") as sink:
                    shutil.copyfileobj(source, sink)
            else:
                with tarfile.open(archive) as t, t.extractfile(inner) as source, open(target, "wb") as sink:
                    shutil.copyfileobj(source, sink)
        shutil.rmtree(store, ignore_errors=True)
        out.rename(store)


def main():
    lock, links = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    cache = pathlib.Path(os.environ.get("RONDO_CACHE") or pathlib.Path.home() / ".cache" / "rondo") / "engines"
    for package in read_lock(lock):
        store = cache / package["sha256"][:32]
        if not all((store / name).exists() for _, name in package["files"]):
            fetch(package, store)
        for _, name in package["files"]:
            link = links / name
            link.parent.mkdir(parents=True, exist_ok=True)
            if not link.exists() or link.resolve() != (store / name).resolve():
                link.unlink(missing_ok=True)
                link.symlink_to(store / name)


if __name__ == "__main__":
    main()
