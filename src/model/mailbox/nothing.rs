//! The disk of a role that keeps nothing.

use std::convert::Infallible;

use crate::world::Contents;

/// No disk at all.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Nothing;

impl Contents for Nothing {
    type Write = Infallible;

    fn apply(&mut self, write: Infallible) {
        match write {}
    }
    fn torn(write: &Infallible, _: u64) -> Option<Infallible> {
        match *write {}
    }
    fn flip(&mut self, _: u64) -> bool {
        false
    }
    fn bytes(write: &Infallible) -> u64 {
        match *write {}
    }
    fn frees(write: &Infallible) -> u64 {
        match *write {}
    }
}
