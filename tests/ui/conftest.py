"""The web pages in a real Chromium, on the real program with real data. Pictures go to RONDO_TEST_ARTIFACTS (build/test-artifacts/ui)."""
import importlib.util
import os
import pathlib
import shutil
import sys
import tempfile

import pytest
from playwright.sync_api import sync_playwright

ROOT = pathlib.Path(__file__).resolve().parents[2]
spec = importlib.util.spec_from_file_location("rondo_e2e", ROOT / "tests" / "e2e" / "conftest.py")
e2e = importlib.util.module_from_spec(spec)
sys.modules["rondo_e2e"] = e2e
spec.loader.exec_module(e2e)

ARTIFACTS = pathlib.Path(os.environ.get("RONDO_TEST_ARTIFACTS", ROOT / "build" / "test-artifacts" / "ui"))
AXE = ROOT / "ui" / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture(scope="session")
def browser():
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if not chromium:
        pytest.fail("the page tests need Chromium: ./dev setup --tests installs it, or name one in CHROMIUM")
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


class Watch:
    """A page that remembers what went wrong on it: errors in the console, exceptions, requests to anywhere else."""

    def __init__(self, page, url):
        self.page, self.url, self.faults = page, url, []
        page.on("console", lambda m: self.faults.append(f"console: {m.text}") if m.type == "error" else None)
        page.on("pageerror", lambda e: self.faults.append(f"exception: {e}"))
        page.on("request", lambda r: None if r.url.startswith((url, "blob:", "data:")) else self.faults.append(f"request elsewhere: {r.url}"))

    def go(self, path):
        self.page.goto(self.url + path, wait_until="load")
        self.settle()

    def settle(self):
        self.page.wait_for_selector(".page-head h1")
        self.page.wait_for_selector(".page-loading", state="detached", timeout=10_000)

    def wait_path(self, path):
        """Not wait_for_function: it evaluates texts in the page, which the pages' policy refuses."""
        e2e.eventually(lambda: self.page.evaluate("() => location.pathname") == path, wait=10, what=f"the address {path}")

    def verdict(self):
        return self.page.inner_text(".page-head h1").strip()

    def axe(self):
        self.page.evaluate(AXE.read_text())
        found = self.page.evaluate("() => axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']})")
        return [f"{v['id']}: {n['html'][:200]} {(n['any'] or n['all'] or n['none'] or [{}])[0].get('message', '')}" for v in found["violations"] for n in v["nodes"][:3]]


@pytest.fixture
def open_page(browser):
    contexts = []

    def open_(url, width=1440, height=900, theme="light"):
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=theme, reduced_motion="reduce")
        contexts.append(context)
        return Watch(context.new_page(), url)

    yield open_
    for context in contexts:
        context.close()


YAML = """project: churn
seed: 7
problem:
  task: binary
  target: churn
  positive: "Yes"
  sensitive: [female]
  intended_use: The retention team calls the customers with the highest scores.
  success: [auc >= 0.80, recall >= 0.60]
data:
  customers:
    from: data/telco_churn.csv
    contract: {min_rows: 1000, columns: {tenure: {type: int, min: 0, max: 120}, contract: {in: [Month-to-month, One year, Two year]}}}
train: {algorithm: xgboost, params: {max_depth: 3, rounds: 60}}
evaluate: {slices: [contract]}
deploy: {endpoint: churn, rollout: canary, steps: [10%, 50%, 100%], hold: {requests: 100000}, guard: [error_rate <= 1%, score_psi <= 0.25]}
monitor: {window: 300 rows, alarm: {performance: auc < 0.60}}
"""


def rows_of_churn():
    import csv

    with open(e2e.CHURN, newline="") as file:
        return list(csv.DictReader(file))


class Seeded:
    """The churn project after two runs, with traffic, drift and labels; its server runs."""

    def __init__(self, folder):
        self.project = p = e2e.Project(folder)
        p.write("data/telco_churn.csv", e2e.CHURN.read_bytes())
        p.write("rondo.yaml", YAML)
        p.run("run")
        self.server = p.up()
        rows = rows_of_churn()
        details = self.server.get("/api/v1/endpoints/churn")
        self.numeric = {i["name"] for i in details["inputs"] if i["type"] in ("int", "float", "bool")}
        self.inputs = [i["name"] for i in details["inputs"]]
        self.ids = []
        self.send(rows[:600])
        self.send([{**r, "tenure": str(int(float(r["tenure"])) // 8)} for r in rows[600:1200]])
        self.server.post("/endpoints/churn/labels", [{"id": i, "label": r["churn"]} for i, r in zip(self.ids[:900], rows[:900])])
        p.write("rondo.yaml", YAML.replace("max_depth: 3", "max_depth: 4"))
        p.run("run")
        e2e.eventually(lambda: self.server.get("/api/v1/endpoints/churn").get("rollout", {}).get("state") == "running", what="the canary")
        self.send(rows[1200:1400])
        e2e.eventually(lambda: self.server.get("/api/v1/endpoints/churn/alarms"), what="an alarm about tenure")

    def send(self, rows, size=50):
        for i in range(0, len(rows), size):
            part = rows[i : i + size]
            records = [{k: (None if r[k] == "" else float(r[k]) if k in self.numeric else r[k]) for k in self.inputs} for r in part]
            for record in records:
                answer = self.server.post("/v2/models/churn/infer", {"inputs": [
                    {"name": k, "shape": [1, 1], "datatype": "FP64" if k in self.numeric else "BYTES", "data": [v]} for k, v in record.items()]})
                self.ids.append(answer["id"])


@pytest.fixture(scope="session")
def seeded():
    folder = tempfile.mkdtemp(prefix="rondo-ui-")
    s = Seeded(folder)
    yield s
    s.project.close()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def bare():
    """A server without a project and without anything in it."""
    folder = tempfile.mkdtemp(prefix="rondo-bare-")
    p = e2e.Project(folder)
    server = p.up()
    yield server
    p.close()
    shutil.rmtree(folder, ignore_errors=True)
