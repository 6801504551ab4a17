"""The tiles of make_codec_fixtures.py, one module for each kind of codec: each yields `Fixture`s."""
