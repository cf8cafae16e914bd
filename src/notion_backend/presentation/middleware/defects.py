"""Answers what nothing else answered."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from notion_backend.presentation.errors import response_to


class Defects:
    """Turns an error that no handler takes into a 500 that says nothing of it, and logs it once.

    When an answer has begun it is left without its end, and the server closes the connection.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def send_and_note(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        except Exception as error:
            response = response_to(scope, error)
            if not begun:
                await response(scope, receive, send)
