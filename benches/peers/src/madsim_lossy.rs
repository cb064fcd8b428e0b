//! The lossy request/reply network on madsim: a node and an endpoint for each server and client, and madsim's own network.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use madsim::net::Endpoint;
use madsim::runtime::Runtime;
use madsim::time::{sleep, timeout};

const SERVERS: u32 = 5;
const CLIENTS: u32 = 50;
const REQUEST: u64 = 0;
const REPLY: u64 = 1;

/// Messages delivered, counted as in the kernel's own benchmark: at a server and at a client.
pub(crate) type Count = Arc<AtomicU64>;

/// A network whose nodes are about to start.
pub(crate) fn prepare() -> (Runtime, Count) {
    let mut config = madsim::Config::default();
    config.net.packet_loss_rate = 0.01;
    config.net.send_latency = Duration::from_millis(1)..Duration::from_millis(10);
    let runtime = Runtime::with_seed_and_config(1, config);
    let count = Count::default();
    for number in 0..SERVERS {
        let (addr, count) = (server(number), Arc::clone(&count));
        runtime.create_node().ip(addr.ip()).build().spawn(serve(addr, count));
    }
    for number in 0..CLIENTS {
        let addr = SocketAddr::from(([10, 0, 1, octet(number)], 1));
        runtime.create_node().ip(addr.ip()).build().spawn(ask(addr, Arc::clone(&count)));
    }
    (runtime, count)
}

/// Runs for so many seconds of virtual time; gives the messages delivered.
pub(crate) fn run((runtime, count): &mut (Runtime, Count), seconds: u64) -> u64 {
    runtime.block_on(async { sleep(Duration::from_secs(seconds)).await });
    count.load(Ordering::Relaxed)
}

/// A server: answers every request.
async fn serve(addr: SocketAddr, count: Count) {
    let endpoint = Endpoint::bind(addr).await.expect("a free address");
    let mut body = [0; 8];
    loop {
        let (_, client) = endpoint.recv_from(REQUEST, &mut body).await.expect("the network is up");
        count.fetch_add(1, Ordering::Relaxed);
        endpoint.send_to(client, REPLY, &body).await.expect("the network is up");
    }
}

/// A client: one request after the other, each until it is answered.
async fn ask(addr: SocketAddr, count: Count) {
    // Servers bind at time zero too.
    sleep(Duration::from_millis(1)).await;
    let endpoint = Endpoint::bind(addr).await.expect("a free address");
    let mut body = [0; 8];
    for number in 0u32.. {
        let to = server(madsim::rand::random::<u32>() % SERVERS);
        for attempt in 1u32.. {
            body[..4].copy_from_slice(&number.to_le_bytes());
            body[4..].copy_from_slice(&attempt.to_le_bytes());
            endpoint.send_to(to, REQUEST, &body).await.expect("the network is up");
            if timeout(Duration::from_millis(50), answer(&endpoint, number, &count)).await.is_ok() {
                break;
            }
        }
    }
}

/// Waits for the answer to a request; answers to earlier ones are thrown away.
async fn answer(endpoint: &Endpoint, number: u32, count: &Count) {
    let mut body = [0; 8];
    loop {
        endpoint.recv_from(REPLY, &mut body).await.expect("the network is up");
        count.fetch_add(1, Ordering::Relaxed);
        if body[..4] == number.to_le_bytes() {
            return;
        }
    }
}

fn server(number: u32) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, octet(number)], 1))
}

fn octet(number: u32) -> u8 {
    u8::try_from(number + 1).expect("few nodes")
}
