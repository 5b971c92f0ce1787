"""What happens before a run and never during one: splits, lists, conversion of masks, a check of the data."""
