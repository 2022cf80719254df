"""Write the reference pages in ``docs/reference/`` from signatures and docstrings.

    python -m tools.reference --write   # writes them
    python -m tools.reference --check   # fails if they are not what the source says

Owns which page a public name is on and what is on a page beside the names. An entry is made in ``entries``.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import sys
from dataclasses import dataclass
from pathlib import Path

from tools.definitions import ROOT, Definition, module
from tools.docstrings import bullet, wrap
from tools.entries import Resolver, anchor, documented_members, entry, error_entry, is_property

FOLDER = ROOT / "docs" / "reference"
NOTICE = "<!-- Written by tools/reference.py from the docstrings: change those, then run it with --write. -->"
PUBLIC = ("textile_aio", "textile_aio.asgi", "textile_aio.localhub")
PLUGIN = "textile_aio.pytest_plugin"
ERRORS = "textile_aio.errors"


@dataclass(frozen=True)
class Page:
    """A page of the reference.

    Attributes:
        file: Its name in the folder.
        title: Its heading.
        about: What it is about, in a sentence or two.
        names: What it describes, in order; of the errors' page all classes of the module.
    """

    file: str
    title: str
    about: str
    names: tuple[str, ...] = ()


PAGES = (
    Page(
        "connecting.md",
        "Connecting",
        "How to reach a hub, and what may be set about the connection.",
        ("connect", "HubClient", "RetryPolicy", "Keepalive", "__version__"),
    ),
    Page(
        "auth.md",
        "Who calls",
        "Every call takes an `AuthContext` first: a value that says on whose behalf it is made.",
        ("AuthContext", "ApiSig", "UserAuth", "create_api_sig", "create_user_auth"),
    ),
    Page(
        "asgi.md",
        "Web backends",
        "`textile_aio.asgi`, with the extra `asgi`: an application that lets browsers sign in, and the "
        "context of a web request.",
        ("UserAuthApp", "Authorize", "Grant", "context_of", "error_response"),
    ),
    Page(
        "identities.md",
        "Identities",
        "Ed25519 key pairs, and what stands in for one whose private key is kept elsewhere.",
        ("Identity", "PublicKey", "Signer"),
    ),
    Page(
        "ids.md",
        "Ids and keys",
        "What names threads, content and hosts, and the keys of threads.",
        ("ThreadID", "Variant", "ThreadKey", "SymmetricKey", "Cid", "PeerID", "Multiaddr"),
    ),
    Page(
        "threads.md",
        "Threads",
        "`hub.threads`: tokens for identities, thread databases, their collections, and the instances in "
        "those. The embedded hub does not talk to other hosts: it joins a thread only if it has it already.",
        (
            "ThreadsClient",
            "DatabaseInfo",
            "CollectionConfig",
            "CollectionInfo",
            "Index",
            "infer_schema",
            "Found",
            "Explanation",
            "ReadTransaction",
            "WriteTransaction",
        ),
    ),
    Page(
        "queries.md",
        "Queries",
        "What is looked for in a collection, as a value.",
        ("where", "Field", "Query", "QueryLike"),
    ),
    Page(
        "typed.md",
        "Typed collections",
        "Collections whose schema comes from a class and whose instances are objects of it; "
        "`hub.threads.collection` opens one.",
        (
            "Collection",
            "Id",
            "Modified",
            "Alias",
            "TypedTransaction",
            "TypedListening",
            "TypedChange",
            "Unfit",
            "rfc3339",
        ),
    ),
    Page(
        "listening.md",
        "Listening",
        "What `hub.threads.listen` gives.",
        ("Listening", "ListenFilter", "Change", "ChangeAction", "Gap"),
    ),
    Page(
        "net.md",
        "Logs and records",
        "`hub.net`: threads below the databases, as logs of signed, encrypted records.",
        (
            "NetClient",
            "ThreadDetails",
            "LogInfo",
            "ThreadRecord",
            "Subscription",
            "Record",
            "Event",
            "EventKind",
            "seal",
        ),
    ),
    Page(
        "buckets.md",
        "Buckets",
        "`hub.buckets`: file trees in a thread. Archives are for hubs with Filecoin; the embedded hub "
        "answers calls about them with `Unimplemented`, as any hub without does.",
        (
            "BucketsClient",
            "BucketHandle",
            "PathsPush",
            "Pull",
            "AsyncReader",
            "TreePush",
            "TreePull",
            "Source",
            "Items",
            "BucketPath",
            "RootLike",
            "OnConflict",
            "Progress",
            "ProgressCallback",
            "Bucket",
            "Root",
            "Links",
            "PathListing",
            "PathItem",
            "PushedPath",
            "Metadata",
            "Role",
            "Grantee",
            "RolesLike",
            "explain_access",
            "AccessExplanation",
            "Archives",
            "Archive",
            "ArchiveStatus",
            "DealInfo",
            "ArchiveConfig",
            "ArchiveRenew",
        ),
    ),
    Page(
        "accounts.md",
        "Accounts",
        "`hub.accounts`: developers, their sessions and API keys, and organisations. The embedded hub "
        "answers calls about billing with `Unimplemented`, as any hub that bills nobody does.",
        (
            "AccountsClient",
            "Session",
            "SessionInfo",
            "ApiKey",
            "KeyType",
            "Org",
            "OrgMember",
            "OrgRole",
            "OrgName",
            "BuildInfo",
            "BillingUsers",
            "BillingCustomer",
            "BillingUsage",
            "BillingPeriod",
            "AccountType",
        ),
    ),
    Page(
        "users.md",
        "Users",
        "`hub.users`: what belongs to the caller at a hub with accounts.",
        (
            "UsersClient",
            "ThreadInfo",
            "Message",
            "MessageStatus",
            "Messages",
            "Watch",
            "MailEvent",
            "MailEventKind",
            "BucketInvite",
            "AcceptedInvite",
            "AccountUsage",
            "AccountArchive",
            "ArchiveRetrieval",
            "RetrievalStatus",
        ),
    ),
    Page(
        "localhub.md",
        "The embedded hub",
        "`textile_aio.localhub`: a hub in this process. As a process of its own it is "
        "[a command](command.md).",
        (
            "LocalHub",
            "HubSettings",
            "DoorLimits",
            "TlsFiles",
            "AccountCredentials",
            "ApiKeyCredentials",
            "Mailer",
            "Mail",
            "LogMailer",
            "SmtpMailer",
            "Collected",
            "StorageUsage",
        ),
    ),
    Page(
        "pytest.md",
        "pytest fixtures",
        "What installing the package adds to pytest, without further ado. "
        "[How to test with a hub](../how-to/test-your-app.md) shows it at work.",
        (
            "textile_hub",
            "textile_target",
            "textile_auth",
            "textile_thread",
            "textile_bucket",
            "HubThread",
        ),
    ),
    Page(
        "errors.md",
        "Errors",
        "Everything that the package raises by itself. All names are in `textile_aio` too.",
    ),
)


def pages() -> dict[Path, str]:
    """All pages by file, as the source wants them."""
    reference = Reference()
    written = {FOLDER / page.file: reference.page(page) for page in PAGES}
    written[FOLDER / "command.md"] = command_page()
    written[FOLDER / "names.md"] = reference.names_page()
    written[FOLDER / "index.md"] = index_page()
    return written


class Reference:
    """All documented names, and where they are."""

    def __init__(self) -> None:
        self.documented: dict[str, str] = {}
        self._definitions: dict[str, Definition] = {}
        homes = {name: home for home in PUBLIC for name in importlib.import_module(home).__all__}
        homes |= {each.name: PLUGIN for each in module(PLUGIN).definitions() if not each.name.startswith("_")}
        for page in PAGES:
            names = page.names or tuple(each.name for each in _error_classes())
            for name in names:
                definition = module(homes.get(name, ERRORS)).find(name)
                self._definitions[name] = definition
                self._place(page, name)
                for member in documented_members(definition) if page.names else ():
                    if not is_property(member):
                        self._place(page, f"{name}.{member.name}")
        if homeless := homes.keys() - self.documented.keys():
            raise SystemExit(f"no page of the reference has {', '.join(sorted(homeless))}")

    def page(self, page: Page) -> str:
        """One page as Markdown."""
        blocks = [f"# {page.title}", NOTICE, wrap(page.about)]
        if page.names:
            for name in page.names:
                blocks += entry(self._definitions[name], self._resolver(page, name))
        else:
            blocks.append("```text\n" + _tree() + "\n```")
            for definition in _error_classes():
                blocks += error_entry(definition, self._resolver(page, definition.name))
        return "\n\n".join(blocks) + "\n"

    def names_page(self) -> str:
        """All names in the order of the alphabet."""
        lines = [
            bullet(f"[`{name}`]({address})", lambda _: None)
            for name, address in sorted(self.documented.items(), key=lambda item: item[0].casefold())
        ]
        return "\n\n".join(("# Every name", NOTICE, "\n".join(lines))) + "\n"

    def _place(self, page: Page, name: str) -> None:
        self.documented[name] = f"{page.file}#{anchor(name)}"

    def _resolver(self, page: Page, owner: str = "") -> Resolver:
        return Resolver(self.documented, page.file, owner)


def _error_classes() -> list[Definition]:
    return [each for each in module(ERRORS).definitions() if isinstance(each.node, ast.ClassDef)]


def _tree() -> str:
    doc = importlib.import_module(ERRORS).__doc__ or ""
    lines = doc.splitlines()
    first = next(at for at, line in enumerate(lines) if line.strip() == "TextileError")
    last = max(at for at, line in enumerate(lines) if "──" in line)
    return "\n".join(line[4:] for line in lines[first : last + 1])


def command_page() -> str:
    """The page on ``python -m textile_aio.localhub``, from its parser."""
    from textile_aio.localhub.__main__ import _parser
    from textile_aio.localhub.directory import default_directory

    parser = _parser()
    lines = []
    for action in parser._actions:
        value = action.metavar or (action.dest.upper() if action.nargs != 0 else "")
        if action.choices:
            value = "{" + ",".join(action.choices) + "}"
        default = action.default
        if default == default_directory():
            default = "the user's data directory, as below"
        text = (action.help or "").replace("%(default)s", f"{default}")
        names = ", ".join(action.option_strings)
        lines.append(bullet(f"``{names}{f' {value}' if value else ''}``: {text}", lambda _: None))
    return "\n\n".join((COMMAND_HEAD, "\n".join(lines), COMMAND_TAIL)) + "\n"


def index_page() -> str:
    """The way to all pages."""
    lines = [bullet(f"[{page.title}]({page.file}): {_names(page)}", lambda _: None) for page in PAGES]
    return f"{INDEX_HEAD}\n\n" + "\n".join((*lines, INDEX_TAIL)) + "\n"


def _names(page: Page) -> str:
    return ", ".join(f"`{name}`" for name in page.names) or "the tree of exceptions, and each of them"


INDEX_HEAD = f"""# Reference

{NOTICE}

What each public name does, promises and raises. All of them are imported from `textile_aio`, except those of
the embedded hub (`textile_aio.localhub`) and of the pytest plugin (`textile_aio.pytest_plugin`)."""

INDEX_TAIL = """- [The command](command.md): `python -m textile_aio.localhub`
- [Environment variables](environment.md)
- [Every name](names.md), in the order of the alphabet

Three things hold everywhere and are not repeated: times are UTC, durations are seconds unless a name ends in
`_ns` (nanoseconds), and sizes are bytes."""

COMMAND_HEAD = f"""# python -m textile_aio.localhub

{NOTICE}

Runs a hub as a process. [How to run a hub as a process](../how-to/run-a-hub.md) shows it at work.

## Options"""

COMMAND_TAIL = """## What it prints

One line of JSON on standard output, when it serves:

- `target`: where, as `HOST:PORT`, or `https://HOST:PORT` with a certificate.
- `web_target`: where its gRPC-web door is, likewise; null without one.
- `gateway_target`: where its HTTP gateway is, likewise; null without one.
- `pid`: the number of the process.
- `mode`: `hub` or `buckd`.
- `data`: the data directory.

Problems go to standard error, as one line.

## How it ends

SIGTERM and SIGINT end it within 2 seconds, after calls in flight have had up to 1.5 of these to finish. Exit
status 0 says that it ended so, 1 that it could not serve (the directory is in use, the port is taken, the
certificate cannot be used), 2 that the options are wrong. SIGHUP ends it not if it has a certificate, but has
that read again.

## Where data is

Without `--data`, in the folder `textile-aio/hub` of the place where the platform wants user data: on Linux
`$XDG_DATA_HOME`, or `~/.local/share` where that is not set; on macOS `~/Library/Application Support`; on
Windows `%LOCALAPPDATA%`. It is the directory that `connect("local")` uses."""


def main() -> int:
    """Write or compare. Returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    choice = parser.add_mutually_exclusive_group(required=True)
    choice.add_argument("--write", action="store_true", help="write the pages")
    choice.add_argument("--check", action="store_true", help="fail if they would change")
    options = parser.parse_args()
    stale = []
    for path, text in pages().items():
        if path.exists() and path.read_text("utf-8") == text:
            continue
        stale.append(path.relative_to(ROOT).as_posix())
        if options.write:
            path.write_text(text, "utf-8")
    if stale and options.check:
        print("not what the docstrings say:", *stale, "- run: python -m tools.reference --write", sep="\n  ")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
