"""What every store, every bulk and the blocks on any pair of them must do. Subclassed by the test modules."""

from tests.storage.contract.blocks import BlocksContract
from tests.storage.contract.bulk import BulkContract
from tests.storage.contract.store import StoreContract

__all__ = ["BlocksContract", "BulkContract", "StoreContract"]
