"""The rows of the quirks, one file for each kind of device; `quirk.py` puts them in order."""
