"""For backends: an application that lets browsers and apps sign in, and the context of a web request.

Needs Starlette, which FastAPI stands on: install the extra ``asgi``. Nothing else of the package imports it.
"""

from textile_aio.asgi.app import UserAuthApp
from textile_aio.asgi.contexts import context_of
from textile_aio.asgi.grants import Authorize, Grant
from textile_aio.asgi.refusals import error_response

__all__ = ["Authorize", "Grant", "UserAuthApp", "context_of", "error_response"]
