"""Logging in, users, tokens and the trash in the browser."""
import json
import subprocess
import urllib.request

import pytest

from conftest import ARTIFACTS, e2e


@pytest.fixture
def locked(tmp_path, monkeypatch):
    monkeypatch.setenv("RONDO_DATA", str(tmp_path / ".rondo"))
    project = e2e.Project(tmp_path)
    server = project.up("--login")
    yield project, server
    project.close()


def setup_link(server):
    e2e.eventually(lambda: "/login?setup=" in server.tail(), what="the link")
    return "/login?setup=" + server.tail().split("/login?setup=")[1].split()[0]


def test_from_the_first_link_to_the_trash(locked, open_page):
    project, server = locked
    link = setup_link(server)
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    watch = open_page(server.url)
    page = watch.page
    page.goto(server.url + link)
    page.fill("input[autocomplete=username]", "boss")
    page.fill("input[autocomplete=new-password]", "short")
    page.click("button[type=submit]")
    page.wait_for_selector("[role=alert]")
    assert "fewer than 12" in page.inner_text("[role=alert]")
    page.screenshot(path=ARTIFACTS / "login-first.png")
    assert not [f for f in watch.axe() if f]
    page.fill("input[autocomplete=new-password]", "correct horse battery")
    page.click("button[type=submit]")
    watch.wait_path("/")

    watch.go("/access")
    assert "You are boss, admin of the server" in watch.verdict()
    form = page.locator("form[aria-label='new user']")
    form.locator("input").nth(0).fill("anna")
    form.locator("input[type=password]").fill("correct horse battery")
    form.locator("button[type=submit]").click()
    page.get_by_title("lock out anna").wait_for()
    form = page.locator("form[aria-label='new token']")
    form.locator("input").nth(0).fill("laptop")
    form.locator("button[type=submit]").click()
    secret = page.locator(".access-secret").inner_text()
    assert secret.startswith("rdo_")
    form = page.locator("form[aria-label='new grant']")
    form.locator("input").nth(0).fill("anna")
    form.locator("input").nth(1).fill("team")
    form.locator("button[type=submit]").click()
    page.get_by_title("take viewer from anna").first.wait_for()
    page.screenshot(path=ARTIFACTS / "access.png", full_page=True)
    assert watch.axe() == []

    # The token works, and the trash shows what it deletes.
    def call(path, body):
        request = urllib.request.Request(server.url + "/api/2.0/mlflow" + path, data=json.dumps(body).encode(), headers={"Content-Type": "application/json", "Authorization": "Bearer " + secret})
        return json.loads(urllib.request.urlopen(request, timeout=10).read())

    experiment = call("/experiments/create", {"name": "team/old"})["experiment_id"]
    call("/runs/create", {"experiment_id": experiment, "start_time": 1})
    call("/experiments/delete", {"experiment_id": experiment})
    watch.go("/trash")
    assert "1 deleted thing can still be brought back" in watch.verdict()
    page.screenshot(path=ARTIFACTS / "trash.png")
    assert watch.axe() == []
    page.get_by_title("restore team/old").click()
    e2e.eventually(lambda: "The trash is empty" in watch.verdict(), what="the empty trash")
    call("/experiments/delete", {"experiment_id": experiment})
    watch.go("/trash")
    page.get_by_role("button", name="Purge").click()
    page.locator("dialog button[type=submit]").click()
    e2e.eventually(lambda: "The trash is empty" in watch.verdict(), what="the empty trash")

    # Out, and in by name.
    watch.go("/access")
    page.get_by_role("button", name="Log out").click()
    page.wait_for_selector("form[aria-label='log in']")
    page.screenshot(path=ARTIFACTS / "login.png")
    page.fill("input[autocomplete=username]", "anna")
    page.fill("input[autocomplete=current-password]", "wrong password here")
    page.click("button[type=submit]")
    page.wait_for_selector("[role=alert]")
    page.fill("input[autocomplete=current-password]", "correct horse battery")
    page.click("button[type=submit]")
    page.wait_for_selector(".page-head h1")
    assert "You are anna" in watch.verdict()
    faults = [f for f in watch.faults if "400" not in f and "401" not in f and "403" not in f]
    assert faults == []
