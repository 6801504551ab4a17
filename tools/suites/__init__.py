"""The test suites, by what runs them; tools/run_tests.py lists and calls them. Standard library only."""
