"""The words of the pages, one file a reader; `api/words.py` looks them up."""
