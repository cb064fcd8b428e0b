//! "Did you mean": the nearest of several known names.

/// The known name nearest to what was written, when it is near enough to be meant: a third of its letters may be wrong,
/// or it is the same but for case and the separators `-`, `_` and `.`.
///
/// ```
/// use deadletter::base::value::nearest;
/// assert_eq!(nearest("partitons", ["partitions", "replicas"]), Some("partitions"));
/// assert_eq!(nearest("minInsyncReplicas", ["min.insync.replicas"]), Some("min.insync.replicas"));
/// assert_eq!(nearest("zebra", ["partitions"]), None);
/// ```
pub fn nearest<'n>(written: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let plain = plain(written);
    let limit = (plain.chars().count() / 3).max(1);
    let mut best: Option<(usize, &'n str)> = None;
    for name in known {
        let distance = strsim::osa_distance(&plain, &self::plain(name));
        let nearer = best.is_none_or(|(other, _)| distance < other);
        if distance <= limit && nearer {
            best = Some((distance, name));
        }
    }
    best.map(|(_, name)| name)
}

/// "did you mean `x`?", or else what there is, or `None` when there is nothing.
#[must_use]
pub fn did_you_mean(written: &str, known: &[&str]) -> Option<String> {
    if let Some(name) = nearest(written, known.iter().copied()) {
        return Some(format!("did you mean `{name}`?"));
    }
    match known.len() {
        0 => None,
        1..=24 => Some(format!("known here: {}", super::spec::list_words(known.iter().copied()))),
        more => Some(format!("{more} names are known here; `deadletter list` shows them")),
    }
}

fn plain(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '-' | '_' | '.')).flat_map(char::to_lowercase).collect()
}
