"""Parts of make_slides.py: textures, tile encoders, a small TIFF writer, and the slides made from them."""
