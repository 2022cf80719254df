"""The file system as fsspec makes it, and opening files."""

from __future__ import annotations

from typing import Any

from fsspec.asyn import sync
from fsspec.compression import compr
from fsspec.core import get_compression

from textile_aio.errors import InvalidInput
from textile_aio.fs.changing import Changing
from textile_aio.fs.files import AsyncBucketFile, BucketFile, CompressedFile
from textile_aio.fs.mapping import file_in
from textile_aio.fs.transaction import BucketTransaction


class BucketFileSystem(Changing):
    """The buckets of a thread as a file system: ``bucket://KEY/path``.

    Blocking methods (``ls``, ``open``, ``cat``, …) run on the event loop that fsspec keeps in a thread of its
    own, so they may also be called where a loop is running. With ``asynchronous=True`` the coroutines
    (``_ls``, ``open_async``, ``_cat_file``, …) are awaited on the loop that is running.

    Connections are opened on first use and closed by :meth:`close` or :meth:`aclose`, when nobody has the
    file system any more, or at the end of the loop or the interpreter. A file system pickles unless it was
    given a client; the pickle holds the context, so treat it as the credentials themselves.

    Files become visible whole, when they are closed. Listings are not kept, since others write to buckets as
    well, unless ``use_listings_cache=True``; then ``listings_expiry_time`` says for how many seconds.

    Args:
        target: The hub, as for :func:`textile_aio.connect`.
        ctx: Who calls, in which thread; from the environment by default.
        client: A client that is open on the running loop, in place of ``target``; with ``asynchronous=True``
            only.
        api_key: Replaces that of ``ctx``.
        api_secret: The secret of ``api_key``.
        token: Replaces that of ``ctx``.
        thread: Replaces that of ``ctx``.
        block_size: Bytes read ahead and sent at once by open files.
        asynchronous: Whether coroutines are awaited by the caller.
        loop: An event loop that runs in another thread, for blocking methods; fsspec's by default.
        batch_size: How many files are transferred at once by calls on several.
        use_listings_cache: Whether to keep listings.
        options: fsspec's own: ``listings_expiry_time``, ``max_paths``, ``skip_instance_cache``.

    Raises:
        InvalidInput: A credential, the thread or the combination is malformed.
    """

    transaction_type = BucketTransaction

    def open(
        self,
        path: str,
        mode: str = "rb",
        block_size: int | None = None,
        cache_options: Any = None,
        compression: str | None = None,
        **options: Any,
    ) -> Any:
        """Open a file, in mode ``r``, ``w``, ``x`` or ``a``, as binary or text.

        What is written is there, whole, when the file is closed. A binary file that is left by an error, or
        dropped without being closed, leaves the bucket as it was.

        Args:
            path: The file.
            mode: As for the built-in ``open``, without ``+``.
            block_size: Bytes that are read ahead or sent at once.
            cache_options: For fsspec's cache of what was read.
            compression: A codec of fsspec's, or ``infer`` from the name.
            options: ``encoding``, ``errors`` and ``newline`` for text; ``cache_type`` for reading.

        Raises:
            FileNotFoundError: There is no file to read.
            IsADirectoryError: It is a directory.
            FileExistsError: The mode is ``x`` and the file is there.
            ValueError: There is no such mode.
        """
        compression = get_compression(path, compression)
        options.update(block_size=block_size, cache_options=cache_options)
        if compression is None or "b" not in mode or mode == "rb":
            return super().open(path, mode, compression=compression, **options)
        file = super().open(path, mode, **options)
        return CompressedFile(compr[compression](file, mode=mode[0]), file)

    def _open(
        self,
        path: str,
        mode: str = "rb",
        block_size: int | None = None,
        autocommit: bool = True,
        cache_options: Any = None,
        **options: Any,
    ) -> BucketFile:
        return BucketFile(
            self,
            path,
            block_size=block_size or self.blocksize,
            autocommit=autocommit,
            cache_options=cache_options,
            **{**options, **sync(self.loop, self._prepared, path, mode)},
        )

    async def open_async(self, path: str, mode: str = "rb", **options: Any) -> AsyncBucketFile:
        """Open a file for coroutines, in mode ``rb``, ``wb``, ``xb`` or ``ab``.

        Raises:
            FileNotFoundError: There is no file to read.
            IsADirectoryError: It is a directory.
            FileExistsError: The mode is ``xb`` and the file is there.
            ValueError: Text or compression is asked for.
        """
        if "b" not in mode or options.get("compression"):
            raise InvalidInput("asynchronous files are binary and not compressed")
        path = self._strip_protocol(path)
        options.setdefault("block_size", self.blocksize)
        options.setdefault("autocommit", not self._intrans)
        file = AsyncBucketFile(self, path, **{**options, **await self._prepared(path, mode)})
        if file.mode != "rb" and not file.autocommit:
            self.transaction.files.append(file)
        return file

    async def _prepared(self, path: str, mode: str) -> dict[str, Any]:
        """Check that a file can be opened in that mode; with which options it is."""
        if mode not in ("rb", "wb", "xb", "ab"):
            raise InvalidInput(f"a file is opened in mode rb, wb, xb or ab, not {mode!r}")
        if mode == "rb":
            reader = await self.reader(path)
            return {"mode": mode, "reader": reader, "size": reader.size}
        file_in(path)
        if mode == "xb":
            await self._must_be_new(path)
            return {"mode": "wb", "exclusive": True}
        if mode == "wb":
            return {"mode": mode}
        try:
            return {"mode": mode, "behind": (await self.reader(path)).size}
        except FileNotFoundError:
            return {"mode": mode}
