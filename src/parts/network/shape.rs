//! The unchanging side of a network: who hangs where, which links there are, and by which laws they carry.

use std::collections::BTreeMap;
use std::sync::Arc;

use fixedbitset::FixedBitSet;

use crate::base::{LinkId, NodeId};

use super::link::Class;
use super::routes::{Core, Cost, Edge, Routes};

/// No direction, slot or vertex.
pub(super) const NOWHERE: u32 = u32::MAX;

/// What a delay without a mean counts as when paths are compared: longer than any that has one, within reason (416 days).
const NO_MEAN: u64 = 1 << 55;

/// Everything about a network that does not change while it runs; shared by all forks.
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) classes: Vec<Class>,
    pub(super) core: Core,
    /// The routes while nothing is cut.
    pub(super) routes: Arc<Routes>,
    /// How many queues and burst states the links need.
    pub(super) queues: usize,
    pub(super) bursts: Vec<u32>,
    homes: Vec<Home>,
    directions: Vec<Direction>,
    links: Vec<Link>,
    /// Hosts of zones, regions and switches.
    groups: BTreeMap<String, Vec<NodeId>>,
}

/// Where a host hangs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Home {
    /// Its switch; a host with several links is a vertex of its own.
    pub(super) core: u32,
    /// The direction from it to its switch; `NOWHERE` when it has several links. The way back is the number's neighbour.
    pub(super) up: u32,
    /// Class of `up`.
    pub(super) class: u32,
    /// The way up has a delay and a loss and nothing else.
    pub(super) plain_up: bool,
    /// The way down adds nothing.
    pub(super) clear_down: bool,
}

/// One direction of a link.
#[derive(Clone, Copy, Debug)]
pub(super) struct Direction {
    pub(super) class: u32,
    /// Vertex of the core to which it leads; `NOWHERE` when that is a host with one link.
    pub(super) head: u32,
    /// Slot of its queue, when it has a bandwidth.
    pub(super) queue: u32,
    /// Slot of its burst state, when it has bursty loss.
    pub(super) burst: u32,
}

/// A link with its ends and the classes of its two directions.
#[derive(Clone, Debug)]
pub(super) struct Link {
    pub(super) name: String,
    /// Hosts first, by id; then the switches.
    pub(super) ends: [u32; 2],
    /// From the first end to the second, and back.
    pub(super) classes: [u32; 2],
}

/// The checked parts from which a shape is assembled.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) hosts: usize,
    pub(super) switches: usize,
    pub(super) links: Vec<Link>,
    pub(super) classes: Vec<Class>,
    pub(super) groups: BTreeMap<String, Vec<NodeId>>,
}

impl Shape {
    /// Whether another shape has the same hosts, switches and links, whatever their laws.
    pub(super) fn same_links(&self, other: &Shape) -> bool {
        let wires = |shape: &Shape| shape.links.iter().map(|link| (link.name.clone(), link.ends)).collect::<Vec<_>>();
        wires(self) == wires(other) && self.groups == other.groups
    }

    pub(super) fn assemble(plan: Plan) -> Shape {
        let Plan { hosts, switches, links, classes, groups } = plan;
        let vertices = place(hosts, switches, &links);
        let core_size = vertices.iter().filter(|place| **place != NOWHERE).count();
        let (directions, queues, bursts) = direct(&links, &classes, &vertices);
        let core = Core::new(&links, &directions, &classes, (&vertices, hosts));
        let homes = settle(hosts, &links, &classes, &vertices);
        let routes = Arc::new(Routes::without(FixedBitSet::with_capacity(links.len()), core_size));
        Shape { classes, core, routes, queues, bursts, homes, directions, links, groups }
    }

    #[inline]
    pub(super) fn home(&self, host: NodeId) -> Home {
        self.homes[host.index()]
    }

    #[inline]
    pub(super) fn direction(&self, direction: u32) -> Direction {
        self.directions[direction as usize]
    }

    pub(super) fn link_count(&self) -> usize {
        self.links.len()
    }

    pub(super) fn core_size(&self) -> usize {
        self.core.graph.node_count()
    }

    pub(super) fn link(&self, id: LinkId) -> &Link {
        &self.links[id.index()]
    }

    pub(super) fn link_named(&self, name: &str) -> Option<LinkId> {
        self.links.iter().position(|link| link.name == name).map(LinkId::at)
    }

    pub(super) fn group(&self, name: &str) -> Option<&[NodeId]> {
        self.groups.get(name).map(Vec::as_slice)
    }
}

/// For each host and switch its vertex in the core, or `NOWHERE` for a host that hangs on one switch by one link.
fn place(hosts: usize, switches: usize, links: &[Link]) -> Vec<u32> {
    let mut degree = vec![0u32; hosts + switches];
    let mut cabled = FixedBitSet::with_capacity(hosts);
    for link in links {
        let [a, b] = link.ends.map(|end| end as usize);
        degree[a] += 1;
        degree[b] += 1;
        if a < hosts && b < hosts {
            cabled.insert(a);
            cabled.insert(b);
        }
    }
    let mut next = 0;
    let is_core = |vertex: usize| vertex >= hosts || degree[vertex] != 1 || cabled.contains(vertex);
    let mut number = |vertex: usize| {
        if !is_core(vertex) {
            return NOWHERE;
        }
        next += 1;
        next - 1
    };
    (0..hosts + switches).map(&mut number).collect()
}

/// The two directions of each link, how many need a queue, and which need a burst state.
fn direct(links: &[Link], classes: &[Class], vertices: &[u32]) -> (Vec<Direction>, usize, Vec<u32>) {
    let (mut queues, mut bursts) = (0, Vec::new());
    let mut directions = Vec::with_capacity(links.len() * 2);
    for link in links {
        for side in 0..2 {
            let class = &classes[link.classes[side] as usize];
            let mut direction =
                Direction { class: link.classes[side], head: vertices[link.ends[1 - side] as usize], queue: NOWHERE, burst: NOWHERE };
            if class.band.is_some() {
                direction.queue = count(queues);
                queues += 1;
            }
            if class.burst.is_some() {
                direction.burst = count(bursts.len());
                bursts.push(count(directions.len()));
            }
            directions.push(direction);
        }
    }
    (directions, queues, bursts)
}

/// Where each host hangs.
fn settle(hosts: usize, links: &[Link], classes: &[Class], vertices: &[u32]) -> Vec<Home> {
    let own = |core: u32| Home { core, up: NOWHERE, class: NOWHERE, plain_up: false, clear_down: false };
    let mut homes: Vec<Home> = vertices[..hosts].iter().map(|core| own(*core)).collect();
    for (index, link) in links.iter().enumerate() {
        for side in 0..2 {
            let (near, far) = (link.ends[side] as usize, link.ends[1 - side] as usize);
            if vertices[near] != NOWHERE {
                continue;
            }
            let (up, down) = (link.classes[side], link.classes[1 - side]);
            homes[near] = Home {
                core: vertices[far],
                up: count(index * 2 + side),
                class: up,
                plain_up: classes[up as usize].plain,
                clear_down: classes[down as usize].transparent,
            };
        }
    }
    homes
}

impl Core {
    fn new(links: &[Link], directions: &[Direction], classes: &[Class], (vertices, hosts): (&[u32], usize)) -> Core {
        let mut core = Core::default();
        for (vertex, _) in vertices.iter().enumerate().filter(|(_, place)| **place != NOWHERE) {
            let index = core.graph.add_node(()).index();
            core.forwards.grow(index + 1);
            core.forwards.set(index, vertex >= hosts);
        }
        for (index, link) in links.iter().enumerate() {
            for side in 0..2 {
                let [tail, head] = [vertices[link.ends[side] as usize], vertices[link.ends[1 - side] as usize]];
                if tail == NOWHERE || head == NOWHERE {
                    continue;
                }
                let direction = index * 2 + side;
                let mean = classes[directions[direction].class as usize].mean;
                let cost = Cost { nanos: mean.map_or(NO_MEAN, |mean| mean.as_nanos()), links: 1 };
                core.graph.add_edge(tail.into(), head.into(), Edge { direction: count(direction), cost });
            }
        }
        core
    }
}

/// A position as a small number.
pub(super) fn count(index: usize) -> u32 {
    u32::try_from(index).expect("fewer than 2^32 links, hosts and switches")
}
