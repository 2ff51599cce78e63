"""Real S3 storage and a real Iceberg REST catalogue for tests, from a wheel: no root, gone with the session."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow.fs

from tests.this_machine import free_port, until

KEY, SECRET = "hutong", "storage-secret-71c9"
BUCKET, TABLES = "lake", "icetab"
STARTS_WITHIN_S = 240


@dataclass(frozen=True)
class Storage:
    """Where it answers."""

    endpoint: str
    catalogue: str

    def files(self) -> pyarrow.fs.S3FileSystem:
        host = self.endpoint.removeprefix("http://")
        keys = {"access_key": KEY, "secret_key": SECRET, "region": "us-east-1"}
        return pyarrow.fs.S3FileSystem(endpoint_override=host, scheme="http", **keys)  # type: ignore[arg-type]

    @property
    def settings(self) -> dict[str, str]:
        return {"endpoint": self.endpoint, "access_key": KEY, "secret_key": SECRET}


@contextmanager
def server() -> Iterator[Storage]:
    folder = Path(tempfile.mkdtemp(prefix="hutong-weed-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
    ports = {name: free_port() for name in ("master", "volume", "filer", "s3", "s3.iceberg", "webdav", "admin")}
    weed = Path(sys.executable).with_name("weed")
    # Without these it binds every address of the machine and reports home.
    here = ["-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-master.telemetry=false"]
    made = [f"-dir={folder}", f"-bucket={BUCKET}", f"-tableBucket={TABLES}"]
    given = [f"-{'s3.port.iceberg' if name == 's3.iceberg' else name + '.port'}={port}" for name, port in ports.items()]
    environment = {**os.environ, "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}
    with (folder / "log").open("wb") as log:
        running = subprocess.Popen(
            [str(weed), "mini", *here, *made, *given], env=environment, stdout=log, stderr=log, cwd=folder
        )
    try:
        for name in ("s3", "s3.iceberg"):
            _wait(ports[name], running, folder / "log")
        s3, catalogue = ports["s3"], ports["s3.iceberg"]
        made_here = Storage(f"http://127.0.0.1:{s3}", f"http://127.0.0.1:{catalogue}")
        there = made_here.files()
        until(lambda: there.get_file_info(BUCKET).type == pyarrow.fs.FileType.Directory, within_s=STARTS_WITHIN_S)
        yield made_here
    finally:
        running.terminate()
        try:
            running.wait(10)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _wait(port: int, running: subprocess.Popen[bytes], log: Path) -> None:
    last = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < last and running.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"the storage did not start: {log.read_text(errors='replace')[-2000:]}")
