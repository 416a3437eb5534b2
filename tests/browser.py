"""
A headless Chromium that opens pages from files, and notices whatever they ask of the network.

Debian's `chromium` and `chromium-driver`, or Google's programs, as far as they are on the PATH; what is not
there Selenium finds, or fetches into the cache of the home. A machine without a browser is an error, not a
reason to skip; who has none runs `make test`, without these tests. `browser` in `tests/conftest.py` is
one for each worker; `with browser.open(path_or_markup) as page:` opens a page and checks, when the block
ends, that nothing was requested but `file:` and `data:`, and that the console shows no error (a broken policy
is one).
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Literal
from warnings import catch_warnings

from selenium.common.exceptions import WebDriverException
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

Scheme = Literal["light", "dark"]
WIDE, NARROW = 1280, 400
"""Widths of a window, in CSS pixels: a reviewer's screen, and a telephone."""
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
DRIVER = "chromedriver"
INSTALL = "apt-get install chromium chromium-driver, or Google Chrome"
LOCAL = ("file:", "data:", "about:", "blob:")
"""Schemes that a page may request: none leaves the machine."""
FLAGS = (
    "--headless=new",
    "--no-sandbox",  # the tests may run as root, in a container
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--no-default-browser-check",
    "--no-first-run",
)


class NoBrowserError(Exception):
    """No Chromium starts on this machine, and none can be downloaded; the message says what to do."""


def program(*names: str) -> str | None:
    """Return the first of *names* that is on the PATH."""
    return next(filter(None, map(shutil.which, names)), None)


class Page:
    """An open page, and a user's actions on it."""

    def __init__(self, driver: Chrome) -> None:
        self.driver = driver
        self._media: dict[str, str] = {}
        self._paper = ""

    def script(self, code: str, *arguments: Any) -> Any:
        """Run *code*, the body of a function (``return document.title``), in the page."""
        return self.driver.execute_script(code, *arguments)

    def all(self, selector: str) -> list[WebElement]:
        """Return every element that a CSS selector finds."""
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector: str) -> WebElement:
        """Return the only element that a CSS selector finds."""
        found = self.all(selector)
        assert len(found) == 1, f"{selector} is there {len(found)} times"
        return found[0]

    def seen(self, selector: str) -> list[str]:
        """Return the visible texts of the elements that a CSS selector finds."""
        code = (
            "return [...document.querySelectorAll(arguments[0])].filter((each) => each.checkVisibility())"
            ".map((each) => (each.innerText ?? each.textContent).trim())"
        )
        return list(self.script(code, selector))

    def text(self) -> str:
        """Return the visible text of the page."""
        return str(
            self.script("return document.documentElement.innerText ?? document.documentElement.textContent")
        )

    def press(self, *keys: str) -> None:
        """Press keys, one after the other: Keys' names in capitals (``TAB``, ``ARROW_DOWN``), else text."""
        for key in keys:
            ActionChains(self.driver).send_keys(getattr(Keys, key, key)).perform()

    def focused(self) -> WebElement:
        """Return the focused element."""
        return self.driver.switch_to.active_element

    def scheme(self, scheme: Scheme) -> None:
        """Set the reader's preference for light or dark colours."""
        self._media["prefers-color-scheme"] = scheme
        self._emulate()

    def still(self) -> None:
        """Set the reader's preference for no motion."""
        self._media["prefers-reduced-motion"] = "reduce"
        self._emulate()

    def print_out(self, path: Path | None = None) -> bytes:
        """Return the page as a printed PDF; with *path*, write it there as well."""
        options = {"printBackground": True, "preferCSSPageSize": True}
        found = base64.b64decode(self._command("Page.printToPDF", options)["data"])
        if path is not None:
            path.write_bytes(found)
        return found

    def on_paper(self, *, yes: bool = True) -> None:
        """Show the page in its print form."""
        self._paper = "print" if yes else ""
        self._emulate()

    def resize(self, width: int, height: int = 900) -> None:
        """Give the window a size, in CSS pixels; telephones' widths too."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self._command("Emulation.setDeviceMetricsOverride", size)

    def screenshot(self, path: Path, *, whole: bool = True) -> Path:
        """Write a PNG of the *whole* page, or of the window."""
        options: dict[str, Any] = {"format": "png", "captureBeyondViewport": whole}
        if whole:
            size = self._command("Page.getLayoutMetrics", {})["cssContentSize"]
            options["clip"] = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(self._command("Page.captureScreenshot", options)["data"]))
        return path

    def overflow(self) -> int:
        """Return how many CSS pixels the page is wider than the window."""
        return int(self.script("const d = document.documentElement; return d.scrollWidth - d.clientWidth"))

    def requests(self) -> list[str]:
        """Return the addresses that were requested since the last call."""
        entries = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        asked = [one["params"] for one in entries if one["method"] == "Network.requestWillBeSent"]
        return [one["request"]["url"] for one in asked]

    def complaints(self) -> list[str]:
        """Return the errors on the console since the last call."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]

    def _emulate(self) -> None:
        features = [{"name": name, "value": value} for name, value in self._media.items()]
        self._command("Emulation.setEmulatedMedia", {"media": self._paper, "features": features})

    def _command(self, name: str, options: dict[str, Any]) -> Any:
        return self.driver.execute_cdp_cmd(name, options)


class Browser:
    """One Chromium; it opens its pages one after the other."""

    def __enter__(self) -> Browser:
        self._folder = tempfile.TemporaryDirectory(prefix="gatestack-browser-", ignore_cleanup_errors=True)
        options = ChromeOptions()
        options.binary_location = program(*BROWSERS) or ""
        for flag in (*FLAGS, f"--user-data-dir={self._folder.name}/profile"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
        # what Selenium would have used instead, Chrome's own class does not take yet
        with catch_warnings(action="ignore", category=DeprecationWarning):
            options.ignore_local_proxy_environment_variables()
        home = os.environ | {"HOME": self._folder.name}
        try:
            self.driver = Chrome(options, Service(program(DRIVER), env=home))
        except WebDriverException as error:
            self._folder.cleanup()
            raise NoBrowserError(f"no browser starts: {INSTALL}; Selenium says: {error.msg}") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.driver.quit()
        self._folder.cleanup()

    @contextmanager
    def open(
        self, shown: Path | str, *, width: int = WIDE, scheme: Scheme = "light", scripts: bool = True
    ) -> Iterator[Page]:
        """
        Open a file, or markup (HTML, SVG) as one, and give it to the block; *scripts*: whether they run.

        When the block ends well, a request to the network fails the test, and an error on the console does.
        """
        page = Page(self.driver)
        self.driver.get("about:blank")
        self.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not scripts})
        page.on_paper(yes=False)
        page.resize(width)
        page.scheme(scheme)
        page.requests(), page.complaints()  # requests and errors of the previous page
        self.driver.get(self._file(shown).absolute().as_uri())
        yield page
        foreign = [address for address in page.requests() if not address.startswith(LOCAL)]
        assert foreign == [], f"the page asked the network for {', '.join(foreign)}"
        assert page.complaints() == []

    def _file(self, shown: Path | str) -> Path:
        if isinstance(shown, Path):
            return shown
        kind = "svg" if shown.lstrip().startswith(("<svg", "<?xml")) else "html"
        path = Path(self._folder.name) / f"page.{kind}"
        path.write_text(shown, encoding="utf-8")
        return path
