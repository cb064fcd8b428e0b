//! The stories of real runs keep the rules of every format.
