//! The controller quorum: the metadata log, and the decisions that it records.

pub mod change;
pub mod metadata;

pub use change::{Change, Fact, PartChange};
pub use metadata::Metadata;

use crate::model::raft::{Pull, Replication, Settings};

use super::config::Config;

/// How the quorum of controllers is set up.
#[must_use]
pub fn quorum_settings(config: &Config) -> Settings {
    let kraft = Settings::kraft();
    let controller = &config.controller;
    let pull = Pull {
        fetch_timeout: controller.fetch_timeout,
        fetch_wait: controller.fetch_timeout.scaled(1, 4),
        request_timeout: controller.request_timeout,
        retry_backoff: RETRY_BACKOFF,
        eager_commit: true,
    };
    Settings {
        replication: Replication::Pull(pull),
        election_timeout: controller.election_timeout,
        election_backoff_max: Some(controller.election_backoff_max),
        pre_vote: config.mechanisms.pre_vote,
        check_quorum: Some(controller.fetch_timeout.scaled(3, 2)),
        ..kraft
    }
}

/// `controller.quorum.retry.backoff.ms` [S:kafka QuorumConfig].
const RETRY_BACKOFF: crate::base::Span = crate::base::Span::millis(20);
