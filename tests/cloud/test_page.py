"""The page in a real Chromium (Debian packages chromium and chromium-driver)."""

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from edgeseld.cloud.routes_page import FILES
from tests.cloud.conftest import Running, encoded
from tests.small_bundle import loud_scene

PATIENCE_S = 60.0


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    driver, browser = shutil.which("chromedriver"), shutil.which("chromium")
    if driver is None or browser is None:
        pytest.skip("needs Chromium: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for flag in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--window-size=1280,1500",
    ):
        options.add_argument(flag)
    # A microphone that beeps, and no dialogue that asks for it.
    options.add_argument("--use-fake-device-for-media-stream")
    options.add_argument("--use-fake-ui-for-media-stream")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser_window = webdriver.Chrome(options, Service(driver))
    yield browser_window
    browser_window.quit()


@pytest.fixture
def page(chromium: webdriver.Chrome, running: Running) -> webdriver.Chrome:
    chromium.get(running.url)
    _until(lambda: len(chromium.find_elements(By.CSS_SELECTOR, "#device option")) == 1)
    return chromium


@pytest.fixture(scope="module")
def scene_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("audio") / "scene.flac"
    path.write_bytes(encoded(loud_scene(4), "FLAC"))
    return path


def _until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, "the page did not get there"
        time.sleep(0.05)


def _one(page: webdriver.Chrome, selector: str) -> WebElement:
    return page.find_element(By.CSS_SELECTOR, selector)


def _status(page: webdriver.Chrome) -> str:
    return _one(page, "#status").text


def test_every_file_of_the_page_is_served_and_nothing_from_elsewhere(client: TestClient) -> None:
    for path, (name, media_type) in FILES.items():
        answer = client.get(f"/{path}")
        assert answer.status_code == 200, name
        assert answer.headers["content-type"] == media_type
        assert "default-src 'self'" in answer.headers["content-security-policy"]
        assert "http" not in answer.text.replace("http://www.w3.org/2000/svg", "")


@pytest.mark.slow
def test_a_file_becomes_a_timeline_a_radar_and_a_table(page: webdriver.Chrome, scene_file: Path) -> None:
    _one(page, "#file").send_keys(str(scene_file))
    _until(lambda: "Device heard" in _status(page))
    rows = page.find_elements(By.CSS_SELECTOR, "tbody tr")
    assert rows
    assert f"Device heard {len(rows)} event" in _status(page)
    assert page.find_elements(By.CSS_SELECTOR, ".timeline svg rect.band")
    assert page.find_elements(By.CSS_SELECTOR, ".radar svg path.spread")
    assert [entry for entry in page.get_log("browser") if entry["level"] == "SEVERE"] == []


@pytest.mark.slow
def test_device_against_cloud_side_by_side(page: webdriver.Chrome, scene_file: Path) -> None:
    _one(page, "#file").send_keys(str(scene_file))
    _until(lambda: "Device heard" in _status(page))
    _one(page, "#cloud").send_keys("small")
    _until(lambda: "Cloud heard" in _status(page))
    titles = [title.text for title in page.find_elements(By.CSS_SELECTOR, "section h2")]
    assert titles == ["Device: small", "Cloud: small"]


@pytest.mark.slow
def test_without_samples_there_are_no_bands(page: webdriver.Chrome, scene_file: Path) -> None:
    _one(page, "#file").send_keys(str(scene_file))
    _until(lambda: page.find_elements(By.CSS_SELECTOR, ".band"))
    samples = _one(page, "#samples")
    samples.send_keys(Keys.HOME)
    assert _one(page, "#samples-shown").text == "0"
    _until(lambda: page.find_elements(By.CSS_SELECTOR, "section") and not page.find_elements(By.CSS_SELECTOR, ".band"))


@pytest.mark.slow
def test_the_keyboard_reaches_everything_and_everything_has_a_name(page: webdriver.Chrome) -> None:
    _one(page, "body").click()
    reached = []
    for _ in range(8):
        webdriver.ActionChains(page).send_keys(Keys.TAB).perform()
        active = page.switch_to.active_element
        reached.append(active.get_attribute("id"))
        assert active.tag_name == "body" or active.accessible_name, active.get_attribute("outerHTML")
    assert {"device", "cloud", "token", "samples", "shifts", "file", "record"} <= set(reached)
    assert _one(page, "#status").get_attribute("role") == "status"


@pytest.mark.slow
def test_the_microphone_is_recorded_and_what_the_server_refuses_is_shown(page: webdriver.Chrome) -> None:
    _one(page, "#record").click()
    _until(lambda: "Recording" in _status(page))
    time.sleep(1.0)
    _one(page, "#record").click()
    # The model hears four channels, the made-up microphone has fewer.
    _until(lambda: "needs" in _status(page))
    assert "needs 4 channels" in _status(page)
    recorded_s = "return document.getElementById('player').duration"
    _until(lambda: page.execute_script(recorded_s))
    assert page.execute_script(recorded_s) > 0.5
