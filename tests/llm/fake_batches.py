"""The Batch API of a fake server: ``/files`` and ``/batches``."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

Answer = Callable[[dict[str, Any]], Awaitable[tuple[int, dict[str, Any]]]]


class FakeBatches:
    """Requests are answered when a batch is looked at for the first time, unless ``hold``: then it is in progress.

    ``ends`` is the status that batches end with; of an expired or cancelled one the first ``answered`` requests were
    done. One that is cancelled is so at the first look, unless ``hold``; ``too_late``: it ends as somebody tries.
    ``loses_reply``: the next batch is taken, but whoever submitted it never hears so; ``stalls``: not until unset.
    """

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.hold = self.loses_reply = self.stalls = self.too_late = False
        self.ends, self.answered = "completed", 1
        self.files: dict[str, bytes] = {}
        self.all: dict[str, dict[str, Any]] = {}
        self.pages = 2
        """Batches a page of the list."""

    def add_to(self, app: web.Application) -> None:
        app.router.add_post("/v1/files", self._upload)
        app.router.add_get("/v1/files/{id}/content", self._content)
        app.router.add_post("/v1/batches", self._create)
        app.router.add_get("/v1/batches", self._list)
        app.router.add_get("/v1/batches/{id}", self._look)
        app.router.add_post("/v1/batches/{id}/cancel", self._cancel)

    def requests_of(self, batch_id: str) -> list[dict[str, Any]]:
        """The lines that were submitted."""
        return [json.loads(line) for line in self.files[self.all[batch_id]["input_file_id"]].splitlines()]

    async def _upload(self, request: web.Request) -> web.Response:
        form = await request.post()
        file = form["file"]
        assert form["purpose"] == "batch" and isinstance(file, web.FileField)
        name = f"file-{len(self.files)}"
        self.files[name] = file.file.read()
        return web.json_response({"id": name, "object": "file", "purpose": "batch", "bytes": len(self.files[name])})

    async def _content(self, request: web.Request) -> web.Response:
        return web.Response(body=self.files[request.match_info["id"]], content_type="application/octet-stream")

    async def _create(self, request: web.Request) -> web.Response:
        asked = await request.json()
        assert asked["endpoint"] == "/v1/chat/completions" and asked["completion_window"] == "24h"
        total = len(self.files[asked["input_file_id"]].splitlines())
        batch = {
            "id": f"batch_{len(self.all)}",
            "object": "batch",
            "status": "validating",
            "created_at": int(time.time()),
            "input_file_id": asked["input_file_id"],
            "metadata": asked.get("metadata"),
            "request_counts": {"total": total, "completed": 0, "failed": 0},
        }
        self.all[batch["id"]] = batch
        if self.loses_reply and request.transport is not None:
            self.loses_reply = False
            request.transport.abort()
        while self.stalls:  # noqa: ASYNC110 - unset by another thread
            await asyncio.sleep(0.01)
        return web.json_response(batch)

    async def _list(self, request: web.Request) -> web.Response:
        newest = list(reversed(self.all.values()))
        after = request.query.get("after")
        start = next((at + 1 for at, one in enumerate(newest) if one["id"] == after), 0)
        page = newest[start : start + self.pages]
        more = start + self.pages < len(newest)
        return web.json_response({"object": "list", "data": page, "has_more": more})

    async def _look(self, request: web.Request) -> web.Response:
        batch = self.all.get(request.match_info["id"])
        if batch is None:
            return web.json_response({"error": {"message": "No such batch"}}, status=404)
        if batch["status"] in ("validating", "in_progress", "cancelling"):
            await self._work(batch)
        return web.json_response(batch)

    async def _cancel(self, request: web.Request) -> web.Response:
        batch = self.all.get(request.match_info["id"])
        if batch is not None and self.too_late:
            self.hold = False
            await self._work(batch)
        if batch is None or batch["status"] not in ("validating", "in_progress"):
            return web.json_response({"error": {"message": "It cannot be cancelled"}}, status=409)
        batch["status"] = "cancelling"
        return web.json_response(batch)

    async def _work(self, batch: dict[str, Any]) -> None:
        lines = self.requests_of(batch["id"])
        ends = "cancelled" if batch["status"] == "cancelling" else self.ends
        batch["status"] = "in_progress" if ends != "cancelled" else "cancelling"
        if self.hold:
            return
        if ends == "failed":
            batch["status"], batch["errors"] = "failed", {"data": [{"code": "limit", "message": "enqueued too much"}]}
            return
        done = lines[: self.answered] if ends in ("expired", "cancelled") else lines
        good: list[dict[str, Any]] = []
        bad: list[dict[str, Any]] = []
        for line in done:
            status, body = await self._answer(line["body"])
            told = {"custom_id": line["custom_id"], "response": {"status_code": status, "body": body}, "error": None}
            (good if status == 200 else bad).append(told)
        late = {"code": "batch_expired", "message": "This request could not be executed before the window expired."}
        bad += [{"custom_id": line["custom_id"], "response": None, "error": late} for line in lines[len(done) :]]
        for name, lot in (("output_file_id", good), ("error_file_id", bad)):
            if lot:
                batch[name] = f"file-{len(self.files)}"
                self.files[batch[name]] = "\n".join(map(json.dumps, lot)).encode()
        counts = {"total": len(lines), "completed": len(good), "failed": len(bad)}
        batch |= {"status": ends, "request_counts": counts}
