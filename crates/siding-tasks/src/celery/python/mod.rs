//! Python's JSON: what kombu writes that JSON has not.
