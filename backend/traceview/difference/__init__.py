"""Compare the attributes of selected rows with those of the other rows, and rank them."""
