//! What the table `[model.kafka]` refuses and warns about.

use crate::base::Problem;
use crate::base::value::Table;

use super::super::config::Config;

/// What a table says, and every problem in it.
pub(in super::super) fn read(text: &str) -> (Option<Config>, Vec<Problem>) {
    let (table, mut problems) = Table::parse("kafka.toml", text);
    let config = super::config(&table, &mut problems);
    (config, problems)
}

#[test]
fn the_sample_of_the_design_is_read() {
    let (config, problems) = read(
        "brokers = 3\nbroker.unclean.leader.election.enable = false\n\
        topic.orders = { partitions = 6, replication.factor = 3, min.insync.replicas = 2 }\n\
        producer = { count = 4, acks = \"all\" }\n\
        consumer = { count = 2, group.id = \"billing\", enable.auto.commit = false, auto.offset.reset = \"earliest\" }",
    );
    assert_eq!(problems, []);
    let config = config.expect("nothing is wrong");
    assert_eq!(config.roster().nodes.len(), 3 + 3 + 4 + 2);
    assert_eq!(config.objects().len(), 1 + 6 + 1);
    assert_eq!(config.partitions.len(), 6 + 1);
}
