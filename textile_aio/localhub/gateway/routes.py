"""What each path and host leads to (spec: gateway-and-web §A3 to §A7, §A10).

Owns namespaces, statuses and what pages say. Refuses to know how bytes are sent.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from urllib.parse import quote, urlsplit

from textile_aio._codec.cid import DAG_PB, Cid
from textile_aio._codec.peer import PeerID
from textile_aio.errors import IntegrityError, InvalidInput, MessageTooLarge, TextileError
from textile_aio.ids import ThreadID
from textile_aio.localhub.buckets.collection import COLLECTION
from textile_aio.localhub.buckets.contents import Contents
from textile_aio.localhub.buckets.document import BucketDocument
from textile_aio.localhub.gateway import pages
from textile_aio.localhub.gateway.answers import IMMUTABLE, PRIVATE, REVALIDATED, Body, redirect
from textile_aio.localhub.gateway.content import File
from textile_aio.localhub.gateway.finding import Finder, OpenBucket
from textile_aio.localhub.gateway.mail_links import MAIL_LINKS, MailLinks
from textile_aio.localhub.gateway.target import NAMESPACES, Target, host_form, is_text, link, site_key
from textile_aio.storage.blocks import BlockMissing, Reading
from textile_aio.unixfs import dagpb
from textile_aio.unixfs.stat import Stat

Answer = Body | File

_JSON = "application/json; charset=utf-8"
_INDEX = "index.html"


class Refused(Exception):
    """A request that gets an error page instead. Without a text it is the one of what there is not."""

    def __init__(self, status: int = 404, text: str = "") -> None:
        super().__init__(text)
        self.status = status
        self.text = text


@dataclass(frozen=True, slots=True)
class Visit:
    """A request on its way.

    Attributes:
        target: What it names.
        token: Of whoever reads; empty for nobody.
        verify: From a token to the public key text of its identity.
        reading: Pins what is being read.
        method: ``GET``, or ``HEAD`` for what would be the answer.
        prefix: The segments of links that stand before those of ``target`` below.
        shared: Whether the host has content of others as well.
    """

    target: Target
    token: str
    verify: Callable[[str], str]
    reading: Reading
    method: str = "GET"
    prefix: tuple[str, ...] = ()
    shared: bool = True

    @property
    def who(self) -> str:
        """The caller's identity; empty for nobody.

        Raises:
            InvalidToken: The token is not one of this hub.
        """
        return self.verify(self.token) if self.token else ""

    @property
    def wants_json(self) -> bool:
        """Whether it asks for documents instead of pages."""
        return self.target.query.get("json") == "true"

    @property
    def wants_download(self) -> bool:
        """Whether a file shall be kept instead of shown."""
        return self.target.query.get("download") == "true"

    def href(self, *segments: str, slash: bool = False) -> str:
        """A link to these segments behind the prefix, with the token if it came in the URL."""
        path = link(*self.prefix, *segments, slash=slash)
        token = self.target.query.get("token")
        return f"{path}?token={quote(token, safe='')}" if token else path


class Routes:
    """Finds the answer to a request.

    Args:
        finder: Of what is in the hub.
        mail_links: What links in mails lead to; None on a hub without accounts.
        domain: Of websites; empty for none.
        url: Where the gateway is, without a slash at the end.
        subdomains: Whether namespaces are redirected to hosts of their own.
    """

    def __init__(
        self,
        finder: Finder,
        mail_links: MailLinks | None,
        *,
        domain: str,
        url: Callable[[], str],
        subdomains: bool,
    ) -> None:
        self._finder = finder
        self._mail_links = mail_links
        self._domain = domain
        self._url = url
        self._subdomains = subdomains

    async def answer(self, visit: Visit) -> Answer:
        """The answer, by host and then by path.

        Raises:
            Refused: There is none.
            StoreError: The store failed.
        """
        key = site_key(visit.target.host, self._domain)
        if key is not None:
            return await self._site(visit, key)
        form = host_form(visit.target.host)
        if form is None:
            return await self._path(visit, visit.target.segments)
        # Content addresses and names are alone on their hosts; the buckets of a thread are not.
        on_host = replace(visit, shared=form.namespace == "thread")
        return await self._named(on_host, form.namespace, form.id, visit.target.segments)

    async def _path(self, visit: Visit, segments: tuple[str, ...]) -> Answer:
        if segments == ("health",):
            return Body()
        if self._mail_links is not None and len(segments) == 2 and segments[0] in MAIL_LINKS:
            return await self._mail_links.answer(*segments, follow=visit.method == "GET")
        if len(segments) < 2 or segments[0] not in NAMESPACES:
            raise Refused
        namespace, name, *rest = segments
        if self._subdomains and site_key(visit.target.host, self._domain) is None:
            return redirect(self._on_its_host(visit, namespace, name, tuple(rest)))
        return await self._named(replace(visit, prefix=(namespace, name)), namespace, name, tuple(rest))

    async def _named(self, visit: Visit, namespace: str, name: str, rest: tuple[str, ...]) -> Answer:
        match namespace:
            case "thread":
                return await self._thread(visit, name, rest)
            case "ipfs":
                with _ipfs_errors():
                    return await self._address(visit, Cid.parse(name), rest, IMMUTABLE)
            case "ipns":
                found = await self._finder.name(name)
                if found is None:
                    raise Refused
                with _ipfs_errors():
                    root = Cid.parse(found.path.removeprefix("/ipfs/"))
                    return await self._address(visit, root, rest, REVALIDATED)
            case "ipld":
                with _ipfs_errors():
                    return await self._node(visit, Cid.parse(name), rest)
            case _:
                return _peer(name)

    # Threads

    async def _thread(self, visit: Visit, name: str, rest: tuple[str, ...]) -> Answer:
        if not rest:
            raise Refused
        try:
            thread = ThreadID.parse(name)
        except InvalidInput:
            raise Refused(400, "invalid thread ID") from None
        if not all(map(is_text, rest[:2])):
            raise Refused
        match rest:
            case (collection,) if collection == COLLECTION and not visit.wants_json:
                return await self._buckets(visit, thread)
            case (collection,):
                return await self._collection(visit, thread, collection)
            case (collection, key, *path) if collection == COLLECTION and not visit.wants_json:
                return await self._bucket(visit, thread, key, tuple(path))
            case (collection, id_):
                with _not_found():
                    body = await self._finder.instance(thread, collection, id_, visit.who)
                return _json(visit, body)
        raise Refused

    async def _collection(self, visit: Visit, thread: ThreadID, collection: str) -> Answer:
        with _not_found():
            try:
                found = await self._finder.instances(thread, collection, visit.who)
            except MessageTooLarge as error:
                raise Refused(413, error.message) from None
        return _json(visit, b"[" + b",".join(found) + b"]")

    async def _buckets(self, visit: Visit, thread: ThreadID) -> Answer:
        try:
            found = await self._finder.buckets(thread, visit.who)
        except TextileError as error:
            raise Refused(400, error.message) from None
        rows = [
            pages.Row(each.name or each.id, visit.href(COLLECTION, each.id), True, None, each.updated_at)
            for each in found
        ]
        page = pages.Directory(
            "Index of buckets",
            ((f"Thread {thread}", ""),),
            (),
            rows,
            ("bucket", "buckets"),
        )
        return pages.directory(page, caching=_thread_caching(visit))

    async def _bucket(self, visit: Visit, thread: ThreadID, key: str, segments: tuple[str, ...]) -> Answer:
        with _not_found():
            bucket = await self._finder.bucket(thread, key, visit.who, visit.reading)
            bucket.check(segments)
            stat = await self._finder.stat(bucket.contents, segments)
            private = bucket.contents.is_private
            caching = PRIVATE if private else _thread_caching(visit)
            if not stat.is_dir:
                return _file(visit, bucket.contents, segments, stat, caching)
            return await self._listing(visit, bucket, segments, caching)

    async def _listing(
        self, visit: Visit, bucket: OpenBucket, segments: tuple[str, ...], caching: str
    ) -> Answer:
        shown, contents = bucket.shown, bucket.contents
        children = await contents.children(segments)
        base = (COLLECTION, shown.id)
        rows = []
        for name, stat in children:
            entry = shown.metadata.get("/".join((*segments, name)))
            rows.append(_row(visit, (*base, *segments, name), stat, 0 if entry is None else entry.updated_at))
        title = "/".join((shown.name or shown.id, *segments))
        facts = [
            ("Address", "/".join((shown.path, *segments))),
            ("Updated", pages.time_text(shown.updated_at)),
            ("Access", _access(shown)),
        ]
        names = (shown.name or shown.id, *segments)
        crumbs = [("Buckets", visit.href(COLLECTION))]
        crumbs += [(name, visit.href(*base, *segments[:depth])) for depth, name in enumerate(names)]
        page = pages.Directory(f"Index of /{title}", crumbs, facts, rows)
        return pages.directory(page, caching=caching)

    # Content addresses

    async def _address(self, visit: Visit, root: Cid, segments: tuple[str, ...], caching: str) -> Answer:
        contents = self._finder.public(root, visit.reading)
        stat = await self._finder.stat(contents, segments)
        if not stat.is_dir:
            return _file(visit, contents, segments, stat, caching)
        children = await contents.children(segments)
        rows = [_row(visit, (*segments, name), child, 0) for name, child in children]
        names = (str(root), *segments)
        crumbs = [(name, visit.href(*segments[:depth])) for depth, name in enumerate(names)]
        facts = [("Address", f"/ipfs/{stat.cid}"), ("Size", pages.size_text(stat.size))]
        page = pages.Directory(f"Index of /ipfs/{'/'.join(names)}", crumbs, facts, rows)
        # The content cannot change, but this page about it can.
        return pages.directory(page, caching=REVALIDATED)

    async def _node(self, visit: Visit, root: Cid, segments: tuple[str, ...]) -> Answer:
        """A dag-pb node as Go's library writes it in JSON."""
        stat = await self._finder.stat(self._finder.public(root, visit.reading), segments)
        if stat.cid.codec != DAG_PB:
            raise Refused(400, f"{stat.cid} is not a dag-pb node")
        node = dagpb.decode(await self._finder.block(stat.cid))
        links = [
            {
                "Name": each.name.decode("utf-8", "replace"),
                "Size": each.tsize,
                "Cid": {"/": str(each.cid)},
            }
            for each in node.links
        ]
        data = None if node.data is None else base64.b64encode(node.data).decode("ascii")
        return Body(json.dumps({"data": data, "links": links}).encode(), _JSON, caching=IMMUTABLE)

    # Websites

    async def _site(self, visit: Visit, key: str) -> Answer:
        with _not_found():
            bucket = await self._finder.site(key, visit.who, visit.reading)
        segments = visit.target.segments
        if bucket is None:
            return await self._path(visit, segments)
        if segments:
            for path in (segments, (*segments, _INDEX)):
                file = await self._site_file(visit, bucket, path)
                if file is not None:
                    return file
            try:
                # What is not the bucket's own must not act as the bucket.
                return await self._path(replace(visit, shared=True), segments)
            except Refused:
                pass
        # As of an application that routes by itself.
        file = await self._site_file(visit, bucket, (_INDEX,))
        if file is None:
            raise Refused(404, "an index.html file was not found in this bucket")
        return file

    async def _site_file(self, visit: Visit, bucket: OpenBucket, segments: tuple[str, ...]) -> File | None:
        try:
            with _not_found():
                bucket.check(segments)
                stat = await self._finder.stat(bucket.contents, segments)
                if stat.is_dir:
                    return None
                caching = PRIVATE if bucket.contents.is_private else _thread_caching(visit)
                return _file(replace(visit, shared=False), bucket.contents, segments, stat, caching)
        except Refused as refused:
            if refused.status == 404:
                return None
            raise

    def _on_its_host(self, visit: Visit, namespace: str, name: str, rest: tuple[str, ...]) -> str:
        """Where a namespace's path is in subdomain mode (spec: gateway-and-web §A10)."""
        try:
            match namespace:
                case "thread":
                    label = str(ThreadID.parse(name))
                case "ipns" | "p2p":
                    label = str(PeerID.parse(name).cid)
                case _:
                    cid = Cid.parse(name)
                    label = str(Cid(1, cid.codec, cid.multihash))
        except InvalidInput:
            raise Refused from None
        url = urlsplit(self._url())
        query = "&".join(
            f"{quote(key, safe='')}={quote(value, safe='')}" for key, value in visit.target.query.items()
        )
        path = link(*rest, slash=visit.target.slash and bool(rest)) or "/"
        return f"{url.scheme}://{label}.{namespace}.{url.netloc}{path}{'?' + query if query else ''}"


def _file(visit: Visit, contents: Contents, segments: tuple[str, ...], stat: Stat, caching: str) -> File:
    if stat.content_size is None:
        raise Refused(400, f"a node of type {stat.type.name} has no content to read")
    return File(
        contents,
        segments,
        stat,
        caching,
        shared=visit.shared,
        name=segments[-1] if segments else "",
        download=visit.wants_download,
    )


def _row(visit: Visit, segments: tuple[str, ...], stat: Stat, changed: int) -> pages.Row:
    size = stat.size if stat.content_size is None else stat.content_size
    return pages.Row(segments[-1], visit.href(*segments), stat.is_dir, size, changed)


def _json(visit: Visit, body: bytes) -> Body:
    return Body(body, _JSON, caching=_thread_caching(visit))


def _thread_caching(visit: Visit) -> str:
    return PRIVATE if visit.token else REVALIDATED


def _access(bucket: BucketDocument) -> str:
    return "private" if bucket.is_private else "public"


def _peer(name: str) -> Answer:
    """This hub takes no part in a peer-to-peer network, so it knows no peers."""
    try:
        PeerID.parse(name)
    except InvalidInput as error:
        raise Refused(400, error.message) from None
    raise Refused


@contextmanager
def _ipfs_errors() -> Iterator[None]:
    """Failures within as the statuses of ``/ipfs`` (spec: gateway-and-web §A6)."""
    try:
        yield
    except BlockMissing:
        raise Refused from None
    except IntegrityError as error:
        raise Refused(500, error.message) from error
    except TextileError as error:
        raise Refused(400, error.message) from None


@contextmanager
def _not_found() -> Iterator[None]:
    """Failures within as the page of what there is not: whoever may not read cannot tell the two apart."""
    try:
        yield
    except IntegrityError as error:
        raise Refused(500, "the content is damaged") from error
    except (TextileError, BlockMissing):
        raise Refused from None
