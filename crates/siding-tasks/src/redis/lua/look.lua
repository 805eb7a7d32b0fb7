-- KEYS: lists. Returns their mark.
return mark_of_all(KEYS, 1)
