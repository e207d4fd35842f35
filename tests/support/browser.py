"""A headless Chromium, driven by its own WebDriver: no package is needed for that."""

from __future__ import annotations

import base64
import json
import shutil
import socket
import subprocess
import time
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

__all__ = ["KEYS", "MISSING", "Browser"]

MISSING: Final = ", ".join(
    name for name in ("chromium", "chromedriver") if shutil.which(name) is None
)
"""What must be installed before a browser can start; empty if nothing."""

KEYS: Final = {"tab": "\ue004", "enter": "\ue007", "space": "\ue00d"}
_FLAGS: Final = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--hide-scrollbars",
)


class Browser:
    """One page in one browser; a context manager.

    Args:
        width, height: Of the window, in pixels.
    """

    def __init__(self, width: int = 1280, height: int = 900) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self._url = f"http://127.0.0.1:{port}"
        self._driver = subprocess.Popen(
            ["chromedriver", f"--port={port}"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._size = width, height

    def __enter__(self) -> Self:
        deadline = time.monotonic() + 30
        while True:
            try:
                self._call("GET", "/status")
                break
            except OSError:
                if time.monotonic() > deadline or self._driver.poll() is not None:
                    self._driver.kill()
                    raise
                time.sleep(0.05)  # its port opens when it is ready: nothing tells
        options = {"args": [*_FLAGS, f"--window-size={self._size[0]},{self._size[1]}"]}
        wanted = {
            "browserName": "chrome",
            "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        }
        try:
            made = self._call(
                "POST", "/session", {"capabilities": {"alwaysMatch": wanted}}
            )
        except BaseException:
            self._driver.kill()
            raise
        self._session = f"/session/{made['sessionId']}"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._call("DELETE", self._session)
        finally:
            self._driver.terminate()
            self._driver.wait(timeout=30)

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        data = json.dumps(body).encode() if method == "POST" else None
        request = urllib.request.Request(self._url + path, data=data, method=method)
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.load(answer)["value"]

    def cdp(self, command: str, **parameters: Any) -> Any:
        """Send a command of the DevTools protocol."""
        body = {"cmd": command, "params": parameters}
        return self._call("POST", f"{self._session}/goog/cdp/execute", body)

    def open(self, page: Path) -> None:
        """Open a file and wait until it is loaded."""
        self._call("POST", f"{self._session}/url", {"url": page.as_uri()})

    def run(self, script: str, *arguments: Any) -> Any:
        """Run JavaScript in the page; the CSP of the page does not bind it."""
        body = {"script": script, "args": list(arguments)}
        return self._call("POST", f"{self._session}/execute/sync", body)

    def wait_for(self, script: str, *arguments: Any) -> Any:
        """Run JavaScript whose last argument is a function to call when it is done."""
        body = {"script": script, "args": list(arguments)}
        return self._call("POST", f"{self._session}/execute/async", body)

    def press(self, key: str) -> None:
        """Press and release a key where the focus is."""
        steps = [{"type": kind, "value": KEYS[key]} for kind in ("keyDown", "keyUp")]
        source = {"type": "key", "id": "keys", "actions": steps}
        self._call("POST", f"{self._session}/actions", {"actions": [source]})

    def messages(self) -> list[str]:
        """Return what the console said since the last call."""
        entries = self._call("POST", f"{self._session}/se/log", {"type": "browser"})
        return [entry["message"] for entry in entries]

    def requests(self) -> list[str]:
        """Return the addresses that were asked for since the last call.

        Those that the page's own policy refused were never sent: they do not count.
        """
        entries = self._call("POST", f"{self._session}/se/log", {"type": "performance"})
        messages = [json.loads(entry["message"])["message"] for entry in entries]
        refused = {
            message["params"]["requestId"]
            for message in messages
            if message["method"] == "Network.loadingFailed"
            and message["params"].get("blockedReason") == "csp"
        }
        return [
            message["params"]["request"]["url"]
            for message in messages
            if message["method"] == "Network.requestWillBeSent"
            and message["params"]["requestId"] not in refused
        ]

    def look(self, *, dark: bool = False, media: str = "screen") -> None:
        """Choose the colour scheme and the medium, `screen` or `print`."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.cdp("Emulation.setEmulatedMedia", media=media, features=[scheme])

    def picture(self, *, whole: bool = True) -> bytes:
        """Return a PNG of the page, or of what the window shows of it."""
        shot = self.cdp("Page.captureScreenshot", captureBeyondViewport=whole)
        return base64.b64decode(shot["data"])
