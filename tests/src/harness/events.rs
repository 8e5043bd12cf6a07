//! What the chain tells by events, as an explorer reads it: by the metadata of the chain itself.

use super::Failure;
use std::ops::RangeInclusive;
use subxt::{config::polkadot::PolkadotConfigBuilder, OnlineClient};

/// `Pallet.Event` of every event of these blocks, in order.
pub async fn names_of_events(
    url: &str,
    blocks: RangeInclusive<u32>,
) -> Result<Vec<String>, Failure> {
    let config = PolkadotConfigBuilder::new().use_historic_types(false).build();
    let api = OnlineClient::from_insecure_url_with_config(config, url).await?;
    let mut names = vec![];
    for block in blocks {
        let at = api.at_block(u64::from(block)).await?;
        for event in at.events().fetch().await?.iter() {
            let event = event?;
            names.push(format!("{}.{}", event.pallet_name(), event.event_name()));
        }
    }
    Ok(names)
}
