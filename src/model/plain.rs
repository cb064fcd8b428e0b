//! The short way to a protocol of one's own: datagrams, timers and a disk, without the rest that only larger systems need.

use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

use crate::base::value::{KeySpec, Reader};
use crate::base::{Digest, NodeId, ObjectId, PayloadId, Problem, Tag, Time};
use crate::check::Promises;
use crate::record::{Command, Mark};
use crate::world::{Breach, Contents, Ctx, Disconnect, Itself, Message, Nodes, Peer, Protocol, Roster};

use super::{Described, Model, ScopeRow, model};

/// A protocol of datagrams and what it says of itself. [`plain`] makes a model of it. The laws of [`Protocol`] hold here too.
///
/// It opens no streams, its nodes play no roles that a fault could name, it has no invariant, and a run that is over finds no
/// messages waiting in it. Every message costs one unit of service. Its nodes' state can be hashed: it has no moments in
/// it, so that equal states behave alike. Whoever needs more implements [`Protocol`] and [`Described`].
pub trait Plain: Clone + Sized + 'static {
    /// The name of its table: `[model.NAME]`.
    const NAME: &'static str;
    /// One sentence.
    const ABOUT: &'static str;
    /// Its configuration keys. Their values are all that decides what a configuration means.
    const KEYS: &'static [KeySpec];
    /// What is modelled, simplified, absent.
    const SCOPE: &'static [ScopeRow];
    /// The marks it can reach, each with one sentence.
    const MARKS: &'static [(Mark, &'static str)];
    /// The names of message kinds; [`Tag::kind`] is a position.
    const KINDS: &'static [&'static str];

    /// The checked configuration, shared by all nodes.
    type Config: Send + Sync + 'static;
    /// All messages.
    type Msg: Message + std::hash::Hash + Send + Sync;
    /// All timers.
    type Timer: Clone + std::hash::Hash + Send + Sync;
    /// What a node's disk holds; empty at first. `()`: nothing.
    type Disk: Contents<Write: Send + Sync> + Default + Send + Sync;
    /// A node's volatile state.
    type Node: Clone + Hash + Send + Sync;

    /// The configuration in a table whose keys and values are each in order; what contradicts itself is added to the problems.
    fn configure(table: &Reader<'_>, problems: &mut Vec<Problem>) -> Option<Self::Config>;
    /// What the configuration promises.
    fn promises(config: &Self::Config) -> Promises;
    /// The payload that a message of this name is about, if it is about one.
    fn about(tag: Tag) -> Option<PayloadId>;
    /// Nodes and objects.
    fn roster(config: &Self::Config) -> Roster;
    /// Starts a node on what its disk holds: first boot and restart alike.
    fn boot(ctx: &mut PlainCtx<'_, Self>) -> Self::Node;
    /// The load asks a client for an operation; the client ends it with `ctx.end`.
    fn on_command(node: &mut Self::Node, command: Command, ctx: &mut PlainCtx<'_, Self>);
    /// A message arrived.
    fn on_message(node: &mut Self::Node, from: Peer, msg: Self::Msg, ctx: &mut PlainCtx<'_, Self>);
    /// A timer fired.
    fn on_timer(node: &mut Self::Node, timer: Self::Timer, ctx: &mut PlainCtx<'_, Self>);
}

/// What a handler of a plain protocol may do.
pub type PlainCtx<'a, P> = Ctx<'a, Whole<P>, Itself>;

/// The model of a plain protocol, for [`crate::cli::main`] or [`crate::scenario::Source`].
#[must_use]
pub const fn plain<P: Plain>() -> &'static dyn Model {
    model::<Whole<P>>()
}

/// A plain protocol with all that a world asks of a protocol.
#[derive(Clone, Debug)]
pub struct Whole<P>(PhantomData<fn() -> P>);

impl<P: Plain> Protocol for Whole<P> {
    type Config = P::Config;
    type Msg = P::Msg;
    type Timer = P::Timer;
    type Disk = P::Disk;
    type Write = <P::Disk as Contents>::Write;
    type Node = P::Node;

    fn kinds() -> &'static [&'static str] {
        P::KINDS
    }
    fn about(tag: Tag) -> Option<PayloadId> {
        P::about(tag)
    }
    fn roster(config: &P::Config) -> Roster {
        P::roster(config)
    }
    fn format(_: NodeId, _: &P::Config) -> P::Disk {
        P::Disk::default()
    }
    fn boot(ctx: &mut PlainCtx<'_, P>) -> P::Node {
        P::boot(ctx)
    }
    fn on_command(node: &mut P::Node, command: Command, ctx: &mut PlainCtx<'_, P>) {
        P::on_command(node, command, ctx);
    }
    fn on_message(node: &mut P::Node, from: Peer, msg: P::Msg, ctx: &mut PlainCtx<'_, P>) {
        P::on_message(node, from, msg, ctx);
    }
    fn on_timer(node: &mut P::Node, timer: P::Timer, ctx: &mut PlainCtx<'_, P>) {
        P::on_timer(node, timer, ctx);
    }
    fn on_disconnect(_: &mut P::Node, _: Peer, _: Disconnect, _: &mut PlainCtx<'_, P>) {
        unreachable!("`{}` opened a stream, which a plain protocol cannot: implement Protocol instead", P::NAME);
    }
    fn cost(_: &P::Config, _: &P::Msg) -> u32 {
        1
    }
    fn resolve(_: &P::Config, _: &Nodes<'_, Self>, _: &str, _: &str) -> Option<Vec<NodeId>> {
        None
    }
    fn invariant(_: &P::Config, _: &Nodes<'_, Self>) -> Result<(), Breach> {
        Ok(())
    }
    fn fingerprint(node: &P::Node, _: Time, digest: &mut Digest) {
        node.hash(&mut Folding(digest));
    }
    fn gauges(_: &P::Node, _: &mut dyn FnMut(ObjectId, u64)) {}
    fn held(_: &P::Config, _: &Nodes<'_, Self>, _: &mut dyn FnMut(NodeId, ObjectId, PayloadId)) {}
}

impl<P: Plain> Described for Whole<P> {
    const NAME: &'static str = P::NAME;
    const ABOUT: &'static str = P::ABOUT;
    const KEYS: &'static [KeySpec] = P::KEYS;
    const SCOPE: &'static [ScopeRow] = P::SCOPE;
    const MARKS: &'static [(Mark, &'static str)] = P::MARKS;
    const ROLES: &'static [&'static str] = &[];

    fn configure(table: &Reader<'_>, problems: &mut Vec<Problem>) -> Option<P::Config> {
        P::configure(table, problems)
    }
    fn print(_: &P::Config, table: &Reader<'_>) -> String {
        table.resolved()
    }
    fn promises(config: &P::Config) -> Promises {
        P::promises(config)
    }
}

/// A hasher that feeds a digest: numbers as words, so that the width of a pointer does not matter.
struct Folding<'d>(&'d mut Digest);

impl Hasher for Folding<'_> {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.0.word(u64::from_le_bytes(word));
        }
    }
    fn write_u8(&mut self, number: u8) {
        self.0.word(u64::from(number));
    }
    fn write_u16(&mut self, number: u16) {
        self.0.word(u64::from(number));
    }
    fn write_u32(&mut self, number: u32) {
        self.0.word(u64::from(number));
    }
    fn write_u64(&mut self, number: u64) {
        self.0.word(number);
    }
    fn write_usize(&mut self, number: usize) {
        self.0.word(number as u64);
    }
    fn finish(&self) -> u64 {
        self.0.value()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn digest(state: &impl Hash) -> Digest {
        let mut digest = Digest::new();
        state.hash(&mut Folding(&mut digest));
        digest
    }

    #[test]
    fn states_that_differ_have_different_digests() {
        let states: [BTreeMap<u32, Option<u8>>; 4] = [BTreeMap::new(), [(1, None)].into(), [(1, Some(0))].into(), [(0, Some(1))].into()];
        for (at, one) in states.iter().enumerate() {
            for (other_at, other) in states.iter().enumerate() {
                assert_eq!(digest(one) == digest(other), at == other_at, "{one:?} {other:?}");
            }
        }
        assert_ne!(digest(&"ab"), digest(&"a"));
        assert_ne!(digest(&("a", "b")), digest(&("ab", "")));
    }
}
