"""Every page, in both themes, wide and narrow: draws, says something, is accessible, fits, asks nobody else."""
import json
import re

import pytest
from conftest import ARTIFACTS, e2e


def pages(seeded):
    get = seeded.server.get
    runs = get("/api/v1/runs")["runs"]
    pipeline = get("/api/v1/pipeline/runs")[0]["id"]
    dataset = get("/api/v1/datasets")[0]
    windows = get("/api/v1/endpoints/churn/monitor")["list"]
    return {
        "loop": "/",
        "datasets": "/data",
        "dataset": f"/data/{dataset['name']}",
        "dataset-version": f"/data/{dataset['name']}/{dataset['latest']['number']}?column=tenure",
        "runs": f"/runs?selected={runs[0]['id']}",
        "run": f"/runs/{runs[0]['id']}?file=metrics.json",
        "compare": f"/compare?runs={runs[0]['id']},{runs[1]['id']}",
        "models": "/models",
        "model": "/models/churn",
        "version": "/models/churn/2",
        "serving": "/serving/churn",
        "monitor": f"/monitor/churn?cell=tenure@{windows[-2]['index']}",
        "pipeline": "/pipeline",
        "pipeline-run": f"/pipeline/{pipeline}",
        "govern": "/govern?seq=1",
        "lineage": f"/lineage/prediction/{seeded.ids[0]}",
        "kit": "/_kit",
    }


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page(seeded, open_page, theme, width):
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    page = open_page(seeded.server.url, width=width, height=844 if width < 600 else 900, theme=theme)
    wrong = []
    for name, path in pages(seeded).items():
        page.go(path)
        # Charts are drawn when they come into sight.
        height = page.page.evaluate("() => document.documentElement.scrollHeight")
        for y in range(0, height, 700):
            page.page.evaluate(f"() => scrollTo(0, {y})")
            page.page.wait_for_timeout(30)
        page.page.evaluate("() => scrollTo(0, 0)")
        page.page.wait_for_timeout(250)
        page.page.screenshot(path=ARTIFACTS / f"{name}-{theme}-{width}.png", full_page=True)
        if not page.verdict():
            wrong.append(f"{name}: no verdict")
        if name != "kit" and page.page.query_selector(".problem"):
            wrong.append(f"{name}: {page.page.inner_text('.problem')}")
        sideways = page.page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
        if sideways > 0:
            wrong.append(f"{name}: scrolls sideways by {sideways}")
        wrong += [f"{name}: {v}" for v in page.axe()]
        wrong += [f"{name}: {f}" for f in page.faults]
        page.faults.clear()
    assert not wrong, "\n".join(wrong)


def test_narrowest_and_widest(seeded, open_page):
    for width, height in ((360, 640), (3840, 2160)):
        page = open_page(seeded.server.url, width=width, height=height)
        for path in ("/", "/runs", "/models/churn/1", "/serving/churn", "/monitor/churn"):
            page.go(path)
            assert page.page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0, (width, path)
        assert not page.faults


def test_verdicts_state_facts(seeded, open_page):
    page = open_page(seeded.server.url)
    page.go("/")
    assert "churn v1" in page.verdict() and "v2" in page.verdict(), page.verdict()
    page.go("/data")
    assert re.search(r"7,043 rows", page.verdict()), page.verdict()
    page.go("/models/churn")
    assert page.verdict().startswith("v1 is champion"), page.verdict()
    page.go("/serving/churn")
    assert "10%" in page.verdict() and "v1" in page.verdict(), page.verdict()
    page.go("/monitor/churn")
    assert "tenure" in page.verdict() or "tenure" in page.page.inner_text("main"), page.verdict()


def test_prediction_form_and_its_lineage(seeded, open_page):
    page = open_page(seeded.server.url)
    page.go("/serving/churn")
    page.page.click("button:text-is('Predict')")
    page.page.wait_for_selector(".answer-score")
    assert re.match(r"0\.\d+", page.page.inner_text(".answer-score"))
    # The log writes it within a second or so; then any id leads to its causes.
    link = page.page.get_attribute(".answer .chip-prediction a", "href")
    prediction = link.rsplit("/", 1)[1]
    e2e.eventually(lambda: seeded.server.status(f"/api/v1/lineage?id={prediction}")[0] == 200, what="the prediction in the log")
    page.page.click(".answer .chip-prediction a")
    page.settle()
    assert "/lineage/prediction/" in page.page.url
    page.page.wait_for_selector(".lin .chip-version")
    assert page.page.query_selector(".lin .chip-dataset"), page.page.inner_text(".lin")
    assert not page.faults, page.faults


def test_keyboard(seeded, open_page):
    page = open_page(seeded.server.url)
    page.go("/")
    for keys, place in (("g r", "/runs"), ("g m", "/models"), ("g v", "/govern"), ("g l", "/")):
        for key in keys.split():
            page.page.keyboard.press(key)
        page.wait_path(place)
        page.settle()
    page.page.keyboard.press("?")
    page.page.wait_for_selector("dialog.help[open]")
    page.page.keyboard.press("Escape")
    page.page.keyboard.press("/")
    assert page.page.evaluate("() => document.activeElement.id") == "search"
    page.page.keyboard.type("churn v1")
    page.page.wait_for_selector("#search-hits [role=option]")
    page.page.keyboard.press("Enter")
    page.wait_path("/models/churn/1")
    page.go("/runs")
    page.page.wait_for_selector(".table tbody tr")
    for key in ("j", "x", "j", "x", "c"):
        page.page.keyboard.press(key)
        page.page.wait_for_timeout(60)
    page.wait_path("/compare")
    page.settle()
    assert "differ" in page.verdict()
    assert not page.faults, page.faults


def test_the_address_is_the_state(seeded, open_page):
    page = open_page(seeded.server.url)
    page.go("/runs")
    page.page.fill(".filter input", "metrics.test_auc > 0.99")
    page.page.keyboard.press("Enter")
    page.page.wait_for_selector("text=No run fits")
    assert "filter=" in page.page.url
    page.page.reload()
    page.page.wait_for_selector("text=No run fits")
    assert page.page.input_value(".filter input") == "metrics.test_auc > 0.99"
    page.go("/models/churn")
    page.page.click(".table tbody .chip-version a >> nth=0")
    page.settle()
    page.page.go_back()
    page.wait_path("/models/churn")
    page.page.fill("#search", "")
    page.go("/runs?filter=metrics.%20%3E")
    page.page.wait_for_selector(".problem")  # a filter that can't be read says why


def test_actions_go_through_with_their_reason(seeded, open_page):
    page = open_page(seeded.server.url)
    page.go("/serving/churn")
    page.page.click(".page-action >> text=Pause")
    page.page.fill("dialog[open] input", "looking at the scores first")
    page.page.click("dialog[open] >> button:has-text('Pause')")
    page.page.wait_for_selector(".page-action >> text=Resume")
    page.page.click(".page-action >> text=Resume")
    page.page.click("dialog[open] >> button:has-text('Resume')")
    page.page.wait_for_selector(".page-action >> text=Pause")
    page.go("/models/churn/2")
    page.page.click(".page-action >> text=Approve")
    page.page.fill("dialog[open] input", "figures read")
    page.page.click("dialog[open] >> button:has-text('Approve')")
    page.page.wait_for_selector("text=figures read")
    page.go("/govern")
    page.page.click("text=Verify the audit log")
    page.page.wait_for_selector(".report")
    assert "are intact" in page.page.inner_text(".report")
    reasons = [e["reason"] for e in seeded.server.get("/api/v1/audit")["entries"]]
    assert "figures read" in reasons and any("looking at the scores first" in r for r in reasons), reasons
    assert not page.faults, page.faults


def test_a_run_from_the_pages(seeded, open_page):
    page = open_page(seeded.server.url)
    page.go("/pipeline")
    page.page.click(".page-action >> text=Run")
    page.page.check("dialog[open] input[type=checkbox]")
    page.page.fill("dialog[open] .ask-reason input", "to see it run")
    page.page.click("dialog[open] button[type=submit]")
    e2e.eventually(lambda: page.page.evaluate("() => location.pathname").startswith("/pipeline/"), what="the run's page")
    e2e.eventually(lambda: "done in" in page.verdict(), wait=60, what=lambda: f"the end of the run on its page: {page.verdict()}")
    assert page.page.query_selector_all(".graph-node"), page.page.inner_text("main")
    page.page.click(".graph-node >> text=train")
    page.page.wait_for_selector(".log")
    assert any(e["action"] == "run.request" and e["reason"] == "to see it run" for e in seeded.server.get("/api/v1/audit")["entries"])
    faults = [f for f in page.faults if "404" not in f]  # asked for before it began
    assert not faults, faults


def test_pages_follow_what_happens(seeded, open_page):
    page = open_page(seeded.server.url)
    page.go("/runs")
    page.page.wait_for_selector(".live-live")
    experiment = seeded.server.get("/api/v1/experiments")[0]["id"]
    made = seeded.server.post("/api/2.0/mlflow/runs/create", {"experiment_id": experiment, "run_name": "made-meanwhile", "start_time": 4102444800000})
    page.page.wait_for_selector("text=made-meanwhile", timeout=8000)
    seeded.server.post("/api/2.0/mlflow/runs/delete", {"run_id": made["run"]["info"]["run_id"]})
    page.page.wait_for_selector("text=made-meanwhile", state="detached", timeout=8000)


def test_empty_pages_teach(bare, open_page):
    page = open_page(bare.url)
    for path, words in (("/", "rondo init"), ("/data", "rondo run ingest"), ("/runs", "mlflow.start_run"), ("/models", "mlflow.register_model"), ("/serving", "rondo deploy"), ("/monitor", "rondo run deploy"), ("/pipeline", "rondo plan"), ("/govern", "rondo audit show")):
        page.go(path)
        e2e.eventually(lambda: words in page.page.inner_text("main"), wait=10, what=f"{words} on {path}")
        faults = [f for f in page.faults if "501" not in f]  # the plan of no project
        assert not faults, (path, faults)


def test_headers_and_budget(seeded):
    status, body = seeded.server.status("/models/churn/1")
    assert status == 200 and "<div id=\"app\">" in body
    assert seeded.server.status("/assets/none.js")[0] == 404
    assert seeded.server.status("/api/v1/none")[0] == 404
    import gzip
    import urllib.request

    total = 0
    for path in ["/"] + re.findall(r"(?:src|href)=\"(/assets/[^\"]+)\"", body):
        request = urllib.request.Request(seeded.server.url + path, headers={"Accept-Encoding": "gzip"})
        with urllib.request.urlopen(request) as answer:
            data = answer.read()
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'self'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
            if answer.headers["Content-Encoding"] == "gzip":
                gzip.decompress(data)
            total += len(data)
    assert total < 100_000, total


def test_every_shape_has_its_fields(seeded):
    """What types.ts promises and the pages use without asking."""
    get = seeded.server.get
    overview = get("/api/v1/overview")
    assert [s["name"] for s in overview["stages"]] == ["problem", "data", "prepare", "build", "test", "deploy", "monitor", "feedback", "retrain"]
    assert all(s["state"] in ("ok", "busy", "warn", "bad", "idle") and s["fact"] for s in overview["stages"]), json.dumps(overview["stages"], indent=1)
    endpoint = get("/api/v1/endpoints")[0]
    for key in ("name", "model", "state", "variants", "events", "requests", "errors", "since", "inputs", "rollout"):
        assert key in endpoint, key
    for key in ("role", "model", "version", "weight", "requests", "errors", "latency_ms"):
        assert all(key in v for v in endpoint["variants"]), key
    for key in ("id", "kind", "state", "to", "steps", "step", "started", "hold", "progress", "guards", "why"):
        assert key in endpoint["rollout"], key
    monitor = get("/api/v1/endpoints/churn/monitor")
    for key in ("endpoint", "version", "windows", "rows", "window", "list", "columns", "performance", "limits"):
        assert key in monitor, key
    run = get("/api/v1/pipeline/runs")[0]
    assert {"ingest", "train", "evaluate"} <= {s["name"] for s in run["stages"]}
    version = get("/api/v1/models/churn/1")
    assert version["metrics"]["auc"]["low"] < version["metrics"]["auc"]["value"] and version["gates"] and version["card"] and version["files"]
    assert version["lineage"]["data"] and version["lineage"]["run"]
