//! Laws of the kernel.
