//! Property tests over drawn trials: the honest mailbox keeps what it promises, and what is drawn is well formed.

use deadletter::base::Span;
use deadletter::lab::{Capsule, Goal, IllKind, replay};
use deadletter::model::BUILT_IN;
use deadletter::run::Answer;
use deadletter::scenario::Source;
use deadletter::testing::{Bench, FaultSpace, NetworkSpace, Trial};
use proptest::prelude::*;

/// A queue with everything that its configuration decides about promises left to vary.
const MAILBOX: &str = r#"
## Is every promise kept, whatever the settings are and whatever goes wrong?
## Yes.

[model.mailbox]
queue.orders = { visibility_timeout = "2s" }
producer = { count = 2, retries = 4, timeout = "300ms" }
consumer.billing = { from = "orders", processing = "4ms", ack_delay = "1ms" }

[load]
to = "orders"
arrivals = { law = "poisson", rate = "10/s" }

[phases]
warm = "1s"
chaos = "4s"
heal = "1s"
drain = "60s"
"#;

/// How a model's author tests a model: all settings that decide something, under everything that its promises cover.
fn mailbox() -> Bench {
    Bench::new(MAILBOX, BUILT_IN)
        .unwrap_or_else(|problems| panic!("{problems}"))
        .settings("model.mailbox.broker.sync", &["always", "interval", "never"])
        .settings("model.mailbox.broker.storage", &["durable", "memory"])
        .settings("model.mailbox.producer.confirm", &["wait", "none"])
        .settings("model.mailbox.producer.idempotence", &["false", "true"])
        .settings("model.mailbox.consumer.billing.ack", &["after", "before", "atomically"])
        .settings("model.mailbox.consumer.billing.count", &["1", "2"])
        .settings("model.mailbox.transport", &["stream", "datagram"])
        .networks(NetworkSpace::rough())
        .faults(FaultSpace::up_to(4))
        .messages(12)
}

proptest! {
    #[test]
    fn the_honest_mailbox_keeps_its_promises(trial in mailbox().trials()) {
        trial.assert_kept()?;
    }
}
