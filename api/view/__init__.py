"""What the pages show, worked out from rows and `now`: pure, one file a piece of a page."""
