//! A run is lost when what was confirmed and not synced is gone.
