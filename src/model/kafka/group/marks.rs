//! Rare paths of the coordinator.

use crate::record::Mark;

/// A member was removed because it was silent.
pub const SESSION_EXPIRED: Mark = "kafka.session_expired";
/// A member was removed because it did not join a rebalance in time.
pub const REBALANCE_TIMEOUT: Mark = "kafka.rebalance_timeout";
/// A member was removed because it did not fetch its assignment in time.
pub const SYNC_TIMEOUT: Mark = "kafka.sync_timeout";
/// A static member came back under a new name, without a rebalance.
pub const STATIC_RETURN: Mark = "kafka.static_member_returned";
/// An older process with the same `group.instance.id` was fenced.
pub const INSTANCE_FENCED: Mark = "kafka.instance_fenced";
/// A commit of an earlier generation or a removed member was refused.
pub const ZOMBIE_COMMIT: Mark = "kafka.zombie_commit_refused";
/// A new coordinator took a group over with its members.
pub const GROUP_RELOADED: Mark = "kafka.group_reloaded";
/// A member was fenced because its epoch was not the group's.
pub const MEMBER_FENCED: Mark = "kafka.member_fenced";
/// A member did not give up partitions in time and was fenced.
pub const REVOCATION_TIMEOUT: Mark = "kafka.revocation_timeout";
/// Positions that nobody needed were forgotten.
pub const POSITIONS_FORGOTTEN: Mark = "kafka.positions_forgotten";
/// Positions were withheld because a transaction that holds newer ones was open.
pub const POSITIONS_UNSTABLE: Mark = "kafka.positions_unstable";
/// An append of positions or membership was refused or timed out.
pub const GROUP_APPEND_FAILED: Mark = "kafka.group_append_failed";

/// All of them.
pub const ALL: &[(Mark, &str)] = &[
    (SESSION_EXPIRED, "a group member was removed because it was silent"),
    (REBALANCE_TIMEOUT, "a group member was removed because it did not join a rebalance in time"),
    (SYNC_TIMEOUT, "a group member was removed because it did not fetch its assignment in time"),
    (STATIC_RETURN, "a static member came back under a new name, without a rebalance"),
    (INSTANCE_FENCED, "an older process with the same group.instance.id was fenced"),
    (ZOMBIE_COMMIT, "a commit of an earlier generation or a removed member was refused"),
    (GROUP_RELOADED, "a new coordinator took a group over with its members"),
    (MEMBER_FENCED, "a member was fenced because its epoch was not the group's"),
    (REVOCATION_TIMEOUT, "a member did not give up partitions in time and was fenced"),
    (POSITIONS_FORGOTTEN, "positions that nobody needed were forgotten"),
    (POSITIONS_UNSTABLE, "positions were withheld because a transaction that holds newer ones was open"),
    (GROUP_APPEND_FAILED, "an append of positions or membership was refused or timed out"),
];
