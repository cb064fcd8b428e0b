//! Laws of the kernel, tried on a protocol whose nodes do what a script tells them.

mod laws;
mod overload;
mod script;
mod streams;
