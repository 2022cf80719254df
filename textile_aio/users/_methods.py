"""The calls of ``api.usersd.pb.APIService``.

Safe are those that may be repeated without harm: they only read, or doing them twice is doing them once.
"""

from __future__ import annotations

from textile_aio._proto.api.usersd import pb
from textile_aio._rpc.method import Method

_SERVICE = "/api.usersd.pb.APIService"

GET_THREAD = Method(f"{_SERVICE}/GetThread", pb.GetThreadRequest, pb.GetThreadResponse, safe=True)
LIST_THREADS = Method(f"{_SERVICE}/ListThreads", pb.ListThreadsRequest, pb.ListThreadsResponse, safe=True)

SETUP_MAILBOX = Method(f"{_SERVICE}/SetupMailbox", pb.SetupMailboxRequest, pb.SetupMailboxResponse, safe=True)
SEND_MESSAGE = Method(f"{_SERVICE}/SendMessage", pb.SendMessageRequest, pb.SendMessageResponse)
LIST_INBOX = Method(
    f"{_SERVICE}/ListInboxMessages", pb.ListInboxMessagesRequest, pb.ListInboxMessagesResponse, safe=True
)
LIST_SENTBOX = Method(
    f"{_SERVICE}/ListSentboxMessages",
    pb.ListSentboxMessagesRequest,
    pb.ListSentboxMessagesResponse,
    safe=True,
)
READ_INBOX = Method(
    f"{_SERVICE}/ReadInboxMessage", pb.ReadInboxMessageRequest, pb.ReadInboxMessageResponse, safe=True
)
DELETE_INBOX = Method(
    f"{_SERVICE}/DeleteInboxMessage", pb.DeleteInboxMessageRequest, pb.DeleteInboxMessageResponse, safe=True
)
DELETE_SENTBOX = Method(
    f"{_SERVICE}/DeleteSentboxMessage",
    pb.DeleteSentboxMessageRequest,
    pb.DeleteSentboxMessageResponse,
    safe=True,
)

GET_USAGE = Method(f"{_SERVICE}/GetUsage", pb.GetUsageRequest, pb.GetUsageResponse, safe=True)
ARCHIVES_LS = Method(f"{_SERVICE}/ArchivesLs", pb.ArchivesLsRequest, pb.ArchivesLsResponse, safe=True)
ARCHIVES_IMPORT = Method(f"{_SERVICE}/ArchivesImport", pb.ArchivesImportRequest, pb.ArchivesImportResponse)
RETRIEVAL_LS = Method(
    f"{_SERVICE}/ArchiveRetrievalLs",
    pb.ArchiveRetrievalLsRequest,
    pb.ArchiveRetrievalLsResponse,
    safe=True,
)
RETRIEVAL_LOGS = Method(
    f"{_SERVICE}/ArchiveRetrievalLogs", pb.ArchiveRetrievalLogsRequest, pb.ArchiveRetrievalLogsResponse
)
