"""How ``microtome.CuImage`` and ``microtome.clara`` are made; import them from there.

A thin layer on ``Slide``, ``Loader`` and ``cache``. What it keeps of cuCIM, what it fixes and what it refuses
stands in docs/cucim.md. One idea per module:

errors        classes that are what cuCIM raises and what Python expects
values        Device, DLDataType and their enumerations
request       the arguments of read_region, checked
description   shape, spacing, resolutions and metadata as cuCIM lays them out
pixels        samples as cuCIM gives them: RGB or RGBA of 8 bits
source        the only module that calls Slide and Loader
image         CuImage
iterator      CuImageIterator
image_cache   CuImage.cache
profiler      CuImage.profiler
"""
