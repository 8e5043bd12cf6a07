//! Which changes of a configuration a running hub can follow.
//!
//! Compared is what both files say, field by field. What is not known to be safe is not.

use crate::config::HubConfig;
use std::collections::BTreeMap;
use toml::Value;

/// Fields that may change, and what is below them. The names of assets are not among what they have.
const SAFE: [&str; 10] = [
    "ack_delay_ms",
    "pay_unsigned",
    "sign_delay_ms",
    "stale_after_seconds",
    "max_partners",
    "peers",
    "fees",
    "rebalance",
    "limits",
    "exchange",
];
/// Table of assets.
const ASSETS: &str = "assets";

/// Why a configuration is not followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReloadError {
    /// These need a restart.
    #[error("nothing was changed: {} cannot change while the hub runs; restart it, or change back", .0.join(", "))]
    Unsafe(Vec<String>),
    /// The hub has terms with its partners for this asset.
    #[error("nothing was changed: asset {0} cannot be taken away while the hub runs; set its credit to \"0\", or restart it")]
    AssetGone(String),
    /// The configuration cannot be written down.
    #[error("the configuration cannot be compared: {0}")]
    Incomparable(String),
}

fn flatten(prefix: &str, value: &Value, into: &mut BTreeMap<String, String>) {
    let below =
        |name: &str| if prefix.is_empty() { name.into() } else { format!("{prefix}.{name}") };
    match value {
        Value::Table(table) => {
            for (name, value) in table {
                flatten(&below(name), value, into);
            }
        },
        Value::Array(rows) if prefix == ASSETS => {
            for row in rows {
                let name = row.get("asset").and_then(Value::as_str).unwrap_or_default();
                flatten(&below(&name.to_uppercase()), row, into);
            }
        },
        other => {
            into.insert(prefix.into(), other.to_string());
        },
    }
}

fn fields(config: &HubConfig) -> Result<BTreeMap<String, String>, ReloadError> {
    let value = Value::try_from(config).map_err(|e| ReloadError::Incomparable(e.to_string()))?;
    let mut fields = BTreeMap::new();
    flatten("", &value, &mut fields);
    Ok(fields)
}

/// The fields in which `new` differs, if a running hub can follow all of them.
pub fn compare(old: &HubConfig, new: &HubConfig) -> Result<Vec<String>, ReloadError> {
    let (old, new) = (fields(old)?, fields(new)?);
    let named = |fields: &BTreeMap<String, String>| -> Vec<String> {
        let ends = fields.keys().filter_map(|name| name.strip_suffix(".asset"));
        ends.map(str::to_string).collect()
    };
    let kept = named(&new);
    if let Some(gone) = named(&old).into_iter().find(|asset| !kept.contains(asset)) {
        return Err(ReloadError::AssetGone(gone.trim_start_matches("assets.").into()));
    }
    let mut changed: Vec<String> = old
        .keys()
        .chain(new.keys())
        .filter(|name| old.get(*name) != new.get(*name))
        .cloned()
        .collect();
    changed.sort();
    changed.dedup();
    let is_safe = |name: &String| {
        let top = name.split('.').next().unwrap_or_default();
        SAFE.contains(&top) || top == ASSETS
    };
    let bad: Vec<String> = changed.iter().filter(|name| !is_safe(name)).cloned().collect();
    if bad.is_empty() {
        Ok(changed)
    } else {
        Err(ReloadError::Unsafe(bad))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::template;
    use std::path::Path;

    fn plain() -> String {
        let rpc = "127.0.0.1:9951".parse().unwrap();
        template("ws://127.0.0.1:9944", Path::new("data"), "127.0.0.1:9950", rpc)
    }

    fn config(text: &str) -> HubConfig {
        toml::from_str(text).unwrap()
    }

    fn changes(from: &str, to: &str) -> Result<Vec<String>, ReloadError> {
        let text = plain();
        assert!(text.contains(from), "{from}");
        compare(&config(&text), &config(&text.replace(from, to)))
    }

    #[test]
    fn nothing_should_have_changed_when_the_file_is_the_same() {
        assert_eq!(compare(&config(&plain()), &config(&plain())), Ok(vec![]));
    }

    #[test]
    fn safe_changes_should_be_named() {
        for (from, to, name) in [
            ("ack_delay_ms = 20", "ack_delay_ms = 30", "ack_delay_ms"),
            ("stale_after_seconds = 20", "stale_after_seconds = 30", "stale_after_seconds"),
            ("pay_unsigned = true", "pay_unsigned = false", "pay_unsigned"),
            ("sign_delay_ms = 20", "sign_delay_ms = 30", "sign_delay_ms"),
            ("max_partners = 10000", "max_partners = 7", "max_partners"),
            ("peers = []", "peers = [\"@two\"]", "peers"),
            ("ppm = 0", "ppm = 10", "fees.ppm"),
            ("every_seconds = 60", "every_seconds = 0", "rebalance.every_seconds"),
            ("credit = \"0\"", "credit = \"9\"", "assets.FRD.credit"),
            ("# max_risk", "max_risk", "assets.FRD.max_risk"),
            ("rpc_requests_per_second = 1000", "", "limits.rpc_requests_per_second"),
        ] {
            let expected = if to.is_empty() { vec![] } else { vec![name.to_string()] };
            // What is left out has its default, which is what the template says.
            assert_eq!(changes(from, to), Ok(expected), "{name}");
        }
    }

    #[test]
    fn change_should_be_refused_with_its_name_when_it_needs_a_restart() {
        for (from, to, name) in [
            ("ws://127.0.0.1:9944", "ws://127.0.0.1:9945", "node"),
            ("127.0.0.1:9950", "127.0.0.1:9960", "listen"),
            ("127.0.0.1:9951", "127.0.0.1:9961", "rpc"),
            ("towers = []", "towers = [\"somebody\"]", "towers"),
            ("dir = \"data\"", "dir = \"other\"", "dir"),
            ("peers = []", "peers = []\nmetrics = \"127.0.0.1:9615\"", "metrics"),
        ] {
            let refused = changes(from, to).unwrap_err();
            assert_eq!(refused, ReloadError::Unsafe(vec![name.into()]));
            assert!(refused.to_string().contains(name), "{refused}");
        }
    }

    #[test]
    fn asset_should_be_added_and_not_be_taken_away() {
        let two = format!("{}\n[[assets]]\nasset = \"FRB\"\n", plain());
        let added = compare(&config(&plain()), &config(&two)).unwrap();
        assert!(added.iter().all(|name| name.starts_with("assets.FRB.")), "{added:?}");
        let gone = compare(&config(&two), &config(&plain()));
        assert_eq!(gone, Err(ReloadError::AssetGone("FRB".into())));
    }
}
