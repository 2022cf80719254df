"""Storage: documents, accounts and blocks behind one small boundary, for one process and one directory.

``store`` and ``bulk`` are the boundary, ``values`` and ``changes`` its vocabulary. ``sqlite`` with ``packs``
keeps things on disk, ``memory`` keeps both nowhere; all pass the same contract suites. ``runner`` brings a
synchronous store to an event loop, ``blocks`` joins the index in a store to bulk bytes.
"""
