//! Tests of controllers.

pub(in super::super) mod setting;
