//! Tests of controllers.

mod campaign;
mod fake;
pub(in super::super) mod setting;
mod world;
