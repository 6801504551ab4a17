"""CuImageIterator: what read_region returns for more than one location or batch."""


class CuImageIterator:
    """Yields images: the batches of a read_region call, or one loaded image.

    Each is an object of its own that owns its pixels. Threads may share an iterator: each image goes to one of them.

    Parameters
    ----------
    cuimg : a loaded CuImage, which is then the only item.
    ending : True makes an iterator that is at its end.
    """

    def __init__(self, cuimg, ending=False):
        self._begin(1, iter(() if ending else (cuimg,)))
        self._index = 1 if ending else 0

    @classmethod
    def _over(cls, count, images):
        """An iterator over `count` images, which come from the iterator `images`."""
        iterator = cls.__new__(cls)
        iterator._begin(count, images)
        return iterator

    def _begin(self, count, images):
        self._count, self._images, self._index = count, images, 0

    def __len__(self):
        return self._count

    def __iter__(self):
        return self

    def __next__(self):
        try:
            image = next(self._images)
        except StopIteration:
            self._images = iter(())  # lets go of the slide
            raise
        self._index += 1
        return image

    def __reduce__(self):
        raise TypeError(
            "a CuImageIterator is on its way and cannot be pickled; pickle the CuImage and the locations"
        )

    def __repr__(self):
        return f"<cucim.CuImageIterator index:{self._index}>"
