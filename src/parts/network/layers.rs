//! What faults do to the network: layers of causes, from which the effective state is computed.

use std::sync::Arc;

use fixedbitset::FixedBitSet;

use crate::base::{Chance, FaultId, LinkId, NodeId, Sampler};

use super::pairs::Pairs;

/// One thing that a fault does to the network while it acts.
#[derive(Clone, Debug)]
pub enum Layer {
    /// Everything between these pairs is eaten.
    Cut {
        /// Which pairs.
        pairs: Pairs,
    },
    /// Nothing crosses a link, in either direction; messages take another way if there is one.
    CutLink {
        /// Which link.
        link: LinkId,
    },
    /// Everything between these pairs takes longer.
    Jam {
        /// Which pairs.
        pairs: Pairs,
        /// By how much.
        extra: Sampler,
    },
    /// A share of the messages between these pairs is eaten.
    Drop {
        /// Which pairs.
        pairs: Pairs,
        /// Only messages of this kind.
        kind: Option<u16>,
        /// Which share.
        chance: Chance,
    },
    /// Everything between these pairs waits until the layer is lifted.
    Clog {
        /// Which pairs.
        pairs: Pairs,
    },
}

/// A layer with the fault that imposed it.
#[derive(Clone, Debug)]
struct Active {
    cause: FaultId,
    layer: Layer,
}

/// All layers in force, by cause: in what order they were imposed makes no difference. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Layers {
    active: Arc<Vec<Active>>,
}

impl Layers {
    pub(super) fn is_empty(&self) -> bool {
        self.active.is_empty()
    }

    pub(super) fn impose(&mut self, cause: FaultId, layer: Layer) {
        let active = Arc::make_mut(&mut self.active);
        let end = active.partition_point(|one| one.cause <= cause);
        active.insert(end, Active { cause, layer });
    }

    pub(super) fn lift(&mut self, cause: FaultId) {
        Arc::make_mut(&mut self.active).retain(|one| one.cause != cause);
    }

    /// The first cause that cuts a pair.
    pub(super) fn cut(&self, from: NodeId, to: NodeId) -> Option<FaultId> {
        self.first(|layer| match layer {
            Layer::Cut { pairs } => pairs.contains(from, to),
            Layer::CutLink { .. } | Layer::Jam { .. } | Layer::Drop { .. } | Layer::Clog { .. } => false,
        })
    }

    /// The first cause that holds a pair's messages back.
    pub(super) fn clog(&self, from: NodeId, to: NodeId) -> Option<FaultId> {
        self.first(|layer| match layer {
            Layer::Clog { pairs } => pairs.contains(from, to),
            Layer::Cut { .. } | Layer::CutLink { .. } | Layer::Jam { .. } | Layer::Drop { .. } => false,
        })
    }

    /// The first cause that cuts a link.
    pub(super) fn link_cut(&self, which: LinkId) -> Option<FaultId> {
        self.first(|layer| match layer {
            Layer::CutLink { link } => *link == which,
            Layer::Cut { .. } | Layer::Jam { .. } | Layer::Drop { .. } | Layer::Clog { .. } => false,
        })
    }

    /// The links that are cut, out of so many.
    pub(super) fn cut_links(&self, count: usize) -> FixedBitSet {
        let mut cut = FixedBitSet::with_capacity(count);
        for one in self.active.iter() {
            match &one.layer {
                Layer::CutLink { link } => cut.insert(link.index()),
                Layer::Cut { .. } | Layer::Jam { .. } | Layer::Drop { .. } | Layer::Clog { .. } => {}
            }
        }
        cut
    }

    /// Every drop that concerns a message: its position among them, its cause and its chance, in order of cause.
    pub(super) fn drops(&self, from: NodeId, to: NodeId, of: u16) -> impl Iterator<Item = (u32, FaultId, Chance)> {
        let concerned = self.active.iter().filter_map(move |one| match &one.layer {
            Layer::Drop { pairs, kind, chance } => {
                let concerned = kind.is_none_or(|kind| kind == of) && pairs.contains(from, to);
                concerned.then_some((one.cause, *chance))
            }
            Layer::Cut { .. } | Layer::CutLink { .. } | Layer::Jam { .. } | Layer::Clog { .. } => None,
        });
        (0..).zip(concerned).map(|(position, (cause, chance))| (position, cause, chance))
    }

    /// Every jam that concerns a pair: its position among them, its cause and its law, in order of cause.
    pub(super) fn jams(&self, from: NodeId, to: NodeId) -> impl Iterator<Item = (u32, FaultId, &Sampler)> {
        let concerned = self.active.iter().filter_map(move |one| match &one.layer {
            Layer::Jam { pairs, extra } => pairs.contains(from, to).then_some((one.cause, extra)),
            Layer::Cut { .. } | Layer::CutLink { .. } | Layer::Drop { .. } | Layer::Clog { .. } => None,
        });
        (0..).zip(concerned).map(|(position, (cause, extra))| (position, cause, extra))
    }

    fn first(&self, does: impl Fn(&Layer) -> bool) -> Option<FaultId> {
        self.active.iter().find(|one| does(&one.layer)).map(|one| one.cause)
    }
}

/// The step under which a layer asks its lane: apart from the steps of links, and from those of other layers that concern the
/// same message. A layer is known by its position among the drops or among the jams that concern this very transmission, not by
/// its fault: faults that are numbered anew, because others of the list are gone, draw what they drew. Only where several
/// drops (or jams) concern one transmission and the first of them goes does the next draw in its place.
pub(super) fn layer_step(position: u32, copy: bool, resend: u32) -> u32 {
    let whose = position.wrapping_add(1).wrapping_mul(0x85eb_ca77);
    let which = (resend << 1 | u32::from(copy)).wrapping_mul(0x9e37_79b1);
    whose ^ which.rotate_left(13) | 1 << 31
}
