"""A window of Debian's Chromium, driven by selenium: a page, at a width, in a mode."""

from __future__ import annotations

import os
import shutil
from typing import Any

from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from .browser import PROGRAM

#: Seconds for a page's script on a busy machine.
PATIENCE = 60
HEIGHT = 900


class Window:
    """
    :param directory: the path of a directory with HTML files.
    :param width: in pixels.
    :param mode: ``"light"`` or ``"dark"``: the preference of the person at the machine.
    :param more: options of Chromium, without their hyphens.
    """

    def __init__(self, directory: str, width: int, mode: str = "light", *more: str) -> None:
        self._directory = directory
        options = ChromeOptions()
        # no sandbox, which root may not have, for the project's own pages
        for option in (
            "headless",
            "no-sandbox",
            "disable-gpu",
            "allow-file-access-from-files",
            *more,
        ):
            options.add_argument("--" + option)
        # named, because selenium would fetch what it does not find by itself
        options.binary_location = shutil.which(PROGRAM) or PROGRAM
        driver = ChromeService(shutil.which("chromedriver") or "chromedriver")
        self.chrome = Chrome(options=options, service=driver)
        self.resize(width)
        self.prefer(mode)

    def resize(self, width: int) -> None:
        """
        Change the width that a page sees, which can be less than a desktop's windows have.

        :param width: in pixels.
        """
        size = {"width": width, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": False}
        self.chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    def prefer(self, mode: str, motion: str = "no-preference") -> None:
        """
        :param mode: ``"light"`` or ``"dark"``.
        :param motion: ``"no-preference"`` or ``"reduce"``.
        """
        preferences = {"prefers-color-scheme": mode, "prefers-reduced-motion": motion}
        features = [{"name": name, "value": value} for name, value in preferences.items()]
        self.chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def open(self, name: str) -> None:
        """:param name: a page's name."""
        self.chrome.get("file://" + os.path.join(self._directory, name + ".html"))

    def name(self) -> str:
        """:return: the name of the page that is open."""
        return os.path.splitext(os.path.basename(self.chrome.current_url.split("?")[0]))[0]

    def run(self, script: str, *arguments: Any) -> Any:
        """
        Run JavaScript in the page.

        :return: what the script, a function's body, returns; of a promise, what it fulfils.
        """
        return self.chrome.execute_script(script, *arguments)

    def one(self, selector: str) -> WebElement:
        """:return: the only visible element that a CSS selector finds."""
        found = self.chrome.find_elements("css selector", selector)
        [visible] = [each for each in found if each.is_displayed()]
        return visible

    def until(self, condition: Any) -> Any:
        """
        Wait for a condition.

        :param condition: called with nothing, again and again.
        :return: its first true result.
        :raises selenium.common.exceptions.TimeoutException: there is none in time.
        """
        return WebDriverWait(self.chrome, PATIENCE).until(lambda _: condition())

    def close(self) -> None:
        self.chrome.quit()
