"""The tile cache, as ``cucim.clara.cache`` has it. It is made by ``CuImage.cache()``."""

from .._cucim.image_cache import CacheType, ImageCache, preferred_memory_capacity

__all__ = ["CacheType", "ImageCache", "preferred_memory_capacity"]
