"""The run table, charts, comparison and files in Chromium, on runs written through MLflow's API."""
import json
import math
import re
import shutil
import tempfile

import pytest
from conftest import ARTIFACTS, e2e

RUNS, STEPS, SPIKE = 1200, 5000, 4321


class Many:
    def __init__(self, folder):
        self.project = e2e.Project(folder)
        self.server = self.project.up()
        post = lambda path, body: self.server.post("/api/2.0/mlflow/" + path, body)
        self.experiments = {name: post("experiments/create", {"name": name})["experiment_id"] for name in ("growth/churn/trees", "growth/churn/linear", "plain")}
        names = list(self.experiments)
        for i in range(RUNS):
            run = post("runs/create", {"experiment_id": self.experiments[names[i % 3]], "run_name": f"run-{i:04}", "start_time": 1_700_000_000_000 + i * 1000})["run"]["info"]["run_id"]
            post("runs/log-batch", {"run_id": run, "metrics": [{"key": "auc", "value": 0.5 + i / 10000, "timestamp": 1, "step": 0}, *({"key": f"wide_{k}", "value": k, "timestamp": 1, "step": 0} for k in range(60 if i == 7 else 2))],
                                    "params": [{"key": "depth", "value": str(i % 4)}, {"key": "words", "value": f"<b>{i}</b>"}], "tags": []})
        self.curves = []
        for c in range(3):
            run = post("runs/create", {"experiment_id": self.experiments["plain"], "run_name": f"curve-{c}", "start_time": 1_800_000_000_000 + c})["run"]["info"]["run_id"]
            self.curves.append(run)
            for begin in range(0, STEPS, 1000):
                post("runs/log-batch", {"run_id": run, "metrics": [{"key": "loss", "value": 90.0 if s == SPIKE and c == 1 else 2 + c + math.exp(-s / 500), "timestamp": 1_800_000_000_000 + s * 100, "step": s} for s in range(begin, begin + 1000)], "params": [], "tags": []})


@pytest.fixture(scope="module")
def many():
    folder = tempfile.mkdtemp(prefix="rondo-runs-")
    m = Many(folder)
    yield m
    m.project.close()
    shutil.rmtree(folder, ignore_errors=True)


def rows(page):
    return page.page.locator(".grid tbody tr.table-link").count()


def test_a_long_wide_table_draws_what_is_in_sight(many, open_page):
    page = open_page(many.server.url)
    page.go("/runs?cols=" + ",".join(["m.auc", "p.depth", *(f"m.wide_{k}" for k in range(60))]))
    page.page.wait_for_selector(f"text={RUNS + 3:,} runs")
    assert rows(page) < 60, "virtual rows"
    assert page.page.locator(".grid thead th").count() < 30, "virtual columns"
    page.page.evaluate("() => { const g = document.querySelector('.grid'); g.scrollTop = g.scrollHeight; }")
    page.page.wait_for_selector("text=run-0000")
    page.page.evaluate("() => { const g = document.querySelector('.grid'); g.scrollLeft = g.scrollWidth; }")
    page.page.wait_for_selector(".grid th[title=started]")
    assert page.page.locator(".grid th[title=run]").is_visible(), "the name stays"
    assert not page.faults, page.faults


def test_folders_groups_pins_and_sorting_are_in_the_address(many, open_page):
    page = open_page(many.server.url)
    page.go("/runs")
    page.page.click(".runs-tree >> text=churn")
    page.page.wait_for_selector(f"text={RUNS * 2 // 3:,} runs")
    assert "folder=growth%2Fchurn" in page.page.url or "folder=growth/churn" in page.page.url
    page.page.click(".runs-tree >> text=linear")
    page.page.wait_for_selector(f"text={RUNS // 3:,} runs")
    page.page.click(".grid th[title=auc] button")
    page.page.wait_for_selector(".grid tbody tr >> nth=0 >> text=run-1198")
    page.page.click(".grid th[title=auc] button")
    page.page.wait_for_selector(".grid tbody tr >> nth=0 >> text=run-0001")
    page.page.hover(".grid tbody tr >> nth=2")
    page.page.click(".grid tbody tr >> nth=2 >> .runs-pin")
    page.page.wait_for_selector(".grid tbody tr.table-marked >> text=run-0007")
    page.page.select_option(".runs-group select", "p.depth")
    page.page.wait_for_selector(".grid-head >> text=depth 0")
    assert re.search(r"auc: mean 0\.\d+", page.page.inner_text(".grid-head >> nth=0"))
    page.page.reload()
    page.page.wait_for_selector(".grid-head >> text=depth 0")
    page.page.wait_for_selector(".grid tbody tr.table-marked >> text=run-0007")
    page.page.screenshot(path=ARTIFACTS / "runs-grouped.png")
    assert not page.axe()
    assert not page.faults, page.faults


def test_a_view_is_saved_for_everybody(many, open_page):
    page = open_page(many.server.url)
    page.go(f"/runs?experiment={many.experiments['plain']}&sort=-m.auc&cols=m.auc")
    page.page.click("summary:has-text('Views')")
    page.page.fill(".views input", "best first")
    page.page.click(".views button:has-text('Save')")
    page.page.wait_for_selector(".views a:has-text('best first')")
    other = open_page(many.server.url, theme="dark")
    other.go(f"/runs?experiment={many.experiments['plain']}")
    other.page.click("summary:has-text('Views')")
    other.page.click(".views a:has-text('best first')")
    other.page.wait_for_selector(".grid th[title=auc][aria-sort=descending]")
    assert other.page.locator(".grid th[title=depth]").count() == 0
    other.page.click("[aria-label='delete the view best first']")
    e2e.eventually(lambda: not any(e["views"] for e in many.server.get("/api/v1/experiments")), what="the view is gone")
    assert not page.faults and not other.faults, (page.faults, other.faults)


def test_charts_keep_the_spike_zoom_and_export(many, open_page):
    page = open_page(many.server.url)
    page.go("/compare?runs=" + ",".join(many.curves))
    chart = page.page.locator(".chart:has(.chart-title:text-is('loss'))")
    chart.locator("canvas").wait_for()
    e2e.eventually(lambda: page.page.evaluate("() => performance.getEntriesByName('chart loss').length"), what="the chart drawn")
    with page.page.expect_download() as got:
        chart.locator("button:text-is('CSV')").click(force=True)
    text = open(got.value.path()).read()
    assert f'"curve-1",{SPIKE},90' in text and len(text.splitlines()) < 9000, text[:200]
    with page.page.expect_download() as got:
        chart.locator("button:text-is('SVG')").click(force=True)
    svg = open(got.value.path()).read()
    assert svg.startswith("<svg") and svg.count("<path d=\"M") >= 3 and "<script" not in svg
    box = chart.locator(".u-over").bounding_box()
    page.page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + 40)
    page.page.mouse.down()
    page.page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + 40, steps=4)
    page.page.mouse.up()
    page.page.wait_for_url(lambda url: "zoom=" in url)  # waits with the browser: `url` alone is as old as its last event
    low, high = map(int, re.search(r"zoom=(\d+)\.\.(\d+)", page.page.url).groups())
    assert 3900 < low < 4100 and 4400 < high < 4600, (low, high)
    page.page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 60)
    page.page.wait_for_selector(".chart-tip >> text=curve-1")
    page.page.screenshot(path=ARTIFACTS / "chart-zoomed.png", full_page=True)
    chart.locator("button:text-is('show all')").click()
    page.page.wait_for_url(lambda url: "zoom=" not in url)
    page.page.select_option(".charts-bar select", "relative")
    page.page.wait_for_timeout(300)
    page.page.check(".charts-bar input[type=checkbox]")
    page.page.wait_for_timeout(300)
    assert not page.faults, page.faults


def test_a_chart_grows_with_its_run(many, open_page):
    page = open_page(many.server.url)
    run = many.server.post("/api/2.0/mlflow/runs/create", {"experiment_id": "0", "run_name": "live", "start_time": 1_900_000_000_000})["run"]["info"]["run_id"]
    log = lambda begin: many.server.post("/api/2.0/mlflow/runs/log-batch", {"run_id": run, "metrics": [{"key": "live", "value": s, "timestamp": s + 1, "step": s} for s in range(begin, begin + 10)], "params": [], "tags": []})
    log(0)
    page.go(f"/runs/{run}")
    page.page.wait_for_selector(".live-live")
    page.page.wait_for_selector("[role=img][aria-label='live: 1 line, 10 points']")
    log(10)
    page.page.wait_for_selector("[role=img][aria-label='live: 1 line, 20 points']", timeout=8000)
    assert not page.faults, page.faults


def test_evaluations_side_by_side(seeded, open_page):
    page = open_page(seeded.server.url)
    runs = [r["id"] for r in seeded.server.get("/api/v1/runs")["runs"][:2]]
    page.go("/compare?runs=" + ",".join(runs))
    page.page.wait_for_selector("text=At one threshold")
    page.page.locator(".confusion").first.scroll_into_view_if_needed()
    stored = json.loads(seeded.server.status(f"/api/v1/runs/{runs[0]}/files/metrics.json")[1])["confusion"]["matrix"]
    shown = [int(t.split()[0].replace(",", "")) for t in page.page.locator(".confusion >> nth=0 >> td.num").all_inner_texts()]
    assert shown == [n for row in stored for n in row], "at its own threshold a model shows what its evaluation counted"
    before = page.page.inner_text(".confusion >> nth=1")
    page.page.evaluate("() => { const s = document.querySelector('.charts-bar input[max=\"1\"]'); s.value = '0.8'; s.dispatchEvent(new Event('input', {bubbles: true})); }")
    e2e.eventually(lambda: page.page.inner_text(".confusion >> nth=1") != before, what="the slider moves every matrix")
    page.page.click(".compare button.link >> nth=0")
    page.page.screenshot(path=ARTIFACTS / "compare-threshold.png", full_page=True)
    assert not page.axe()
    assert not page.faults, page.faults


def test_files_are_shown_by_what_they_are(seeded, open_page):
    page = open_page(seeded.server.url)
    run = next(r["id"] for r in seeded.server.get("/api/v1/runs")["runs"] if "test_auc" in r["metrics"])
    page.go(f"/runs/{run}?file=metrics.json")
    page.page.wait_for_selector(".json-tree >> text=threshold_reason")
    page.go(f"/runs/{run}?file=report.html")
    frame = page.page.wait_for_selector("iframe")
    assert frame.get_attribute("sandbox") == "allow-scripts"
    inner = frame.content_frame()
    inner.wait_for_selector("body")
    assert inner.evaluate("() => origin") == "null", "the report has no origin, so nothing of ours is its"
    page.go(f"/runs/{run}?folder=model&file=model/MLmodel")
    page.page.wait_for_selector(".files-view .hl-key")
    assert not page.faults, page.faults


def test_who_was_champion_on_a_day(seeded, open_page):
    page = open_page(seeded.server.url)
    page.go("/models/churn?on=2020-01-01")
    page.page.wait_for_selector("text=no alias was set then")
    page.go("/models/churn?on=2100-01-01")
    page.page.wait_for_selector(".on-date-one >> text=churn v1")
    for box in page.page.locator(".table-pick input").all()[:2]:
        box.check()
    page.page.click("button:has-text('Compare v')")
    page.wait_path("/compare")
    assert not page.faults, page.faults


def test_types_are_what_the_server_says(seeded):
    import subprocess

    done = subprocess.run(["node", "ui/tools/types.mjs", seeded.server.url + "/api/v1/openapi.json", "--check"], cwd=e2e.ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
