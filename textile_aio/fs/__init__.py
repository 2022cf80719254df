"""Buckets as a file system of fsspec: ``bucket://KEY/path`` for pandas, pyarrow, zarr, dask and others.

Found by fsspec through its entry point; nothing else of the package imports it, so that fsspec is needed only
here.
"""

from textile_aio.fs.filesystem import BucketFileSystem

__all__ = ["BucketFileSystem"]
