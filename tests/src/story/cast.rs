//! The processes of the story: four validators, hub 1, the users.

use super::{
    narrator::Narrator,
    report::{frd, ChannelAmounts, DebtLine, Step},
};
use crate::harness::{
    eventually, failure, Chain, ChainOptions, Failure, Hub, HubOptions, Wallet, Workspace,
};
use failsafe_hub::rpc::api::ChannelAssetRow;
use failsafe_primitives::{AccountId, NATIVE_ASSET};
use sp_core::{sr25519, Pair};
use std::{collections::BTreeMap, time::Duration};

/// How long wallets and chain may take to agree.
const AGREE: Duration = Duration::from_secs(60);
/// Most debts that are looked at.
const MAX_DEBTS: u32 = 100;

/// What a cast starts with.
pub struct Setting {
    /// How many validators.
    pub validators: usize,
    /// What hub 1 has on chain, in whole FRD.
    pub hub_funds: u64,
    /// Others, with what they have on chain in whole FRD.
    pub others: &'static [(&'static str, u64)],
    /// How hub 1 behaves.
    pub hub: HubOptions,
}

/// Who plays.
pub struct Cast {
    /// The chain.
    pub chain: Chain,
    /// Hub 1.
    pub hub1: Hub,
    /// User 2, on chain from the beginning.
    pub user2: Wallet,
    /// User 123, not on chain.
    pub user123: Wallet,
    /// Others, by name.
    pub others: BTreeMap<&'static str, Wallet>,
    workspace: Workspace,
}

fn account(suri: &str) -> AccountId {
    let pair = sr25519::Pair::from_string(suri, None).expect("a development path; qed");
    AccountId::new(pair.public().0)
}

/// Secrets for user 2, hub 1 and user 123 whose accounts are in this order, so that user 2 is left of
/// the hub and the hub left of user 123, as the story's numbers have it.
fn secrets() -> [String; 3] {
    let mut number = 0u32;
    loop {
        let names = ["user2", "hub1", "user123"].map(|name| format!("//story//{name}//{number}"));
        let [user2, hub1, user123] = [0, 1, 2].map(|index| account(&names[index]));
        if user2 < hub1 && hub1 < user123 {
            return names;
        }
        number += 1;
    }
}

impl Cast {
    /// Starts everybody. User 2 has 10 000 FRD on chain, user 123 nothing.
    pub async fn start(setting: Setting, narrator: &Narrator) -> Result<Self, Failure> {
        let Setting { validators, hub_funds, others, hub: behaviour } = setting;
        let workspace = Workspace::new()?;
        let dir = workspace.path().to_path_buf();
        let [user2, hub1, user123] = secrets();
        // The hub's keys are made before the first block, which registers it.
        let mut hub = Hub::create("hub1", &hub1, "ws://127.0.0.1:1", &behaviour, &dir)?;
        let suri = |name: &str| format!("//story//{name}");
        let mut options = ChainOptions::story(validators);
        options.balances = vec![(account(&user2), frd(10_000))];
        if hub_funds > 0 {
            options.balances.push((hub.account().clone(), frd(hub_funds)));
        }
        for (name, funds) in others {
            options.balances.push((account(&suri(name)), frd(*funds)));
        }
        options.hubs = vec![hub.genesis("one")?];
        narrator.progress("starting the validators");
        let chain = Chain::start(&options, &dir).await?;
        narrator.progress("starting hub 1");
        hub.configure(chain.url(), &behaviour)?;
        hub.start().await?;
        narrator.progress("starting the wallets");
        let (url, hub_name) = (chain.url(), Some("@one"));
        let mut user2 = Wallet::create("user2", &user2, url, hub_name, &dir).await?;
        let mut user123 = Wallet::create("user123", &user123, url, hub_name, &dir).await?;
        user2.start().await?;
        user123.start().await?;
        let mut wallets = BTreeMap::new();
        for (name, _) in others {
            let wallet = Wallet::create(name, &suri(name), url, None, &dir).await?;
            wallets.insert(*name, wallet);
        }
        let cast = Self { chain, hub1: hub, user2, user123, others: wallets, workspace };
        for user in [&cast.user2, &cast.user123] {
            eventually("the wallet and its hub agree on terms", AGREE, || async {
                let row = user.frd().await?;
                Ok((row.credit_given.0 > 0).then_some(()))
            })
            .await?;
        }
        Ok(cast)
    }

    /// Somebody else of the cast.
    pub fn other(&self, name: &str) -> Result<&Wallet, Failure> {
        self.others.get(name).ok_or_else(|| failure(format!("{name} does not play")))
    }

    fn accounts(&self) -> Vec<(&str, &AccountId)> {
        let mut all = vec![
            ("hub1", self.hub1.account()),
            ("user2", self.user2.account()),
            ("user123", self.user123.account()),
        ];
        all.extend(self.others.iter().map(|(name, wallet)| (*name, wallet.account())));
        all
    }

    fn name_of(&self, account: &AccountId) -> String {
        let known = self.accounts().into_iter().find(|(_, known)| *known == account);
        known.map_or_else(|| account.to_string(), |(name, _)| name.to_string())
    }

    /// Reads chain and wallets when they agree.
    pub async fn look(&self, name: &str) -> Result<Step, Failure> {
        eventually("chain and wallets agree", AGREE, || self.try_look(name)).await
    }

    async fn try_look(&self, name: &str) -> Result<Option<Step>, Failure> {
        let client = self.chain.client();
        let head = client.finalized_head().await?;
        let header = client.header(head).await?;
        let (block, _) = header.ok_or_else(|| failure("the finalized block is gone"))?;
        let mut accounts = BTreeMap::new();
        for (name, account) in self.accounts() {
            let balances = client.balances(account, &[NATIVE_ASSET], Some(head)).await?;
            let free = balances.first().map_or(0, |balance| balance.free);
            let row = BTreeMap::from([("FRD".to_string(), free.to_string())]);
            accounts.insert(name.to_string(), row);
        }
        let mut channels = BTreeMap::new();
        for (name, user) in [("user2", &self.user2), ("user123", &self.user123)] {
            let hub = std::slice::from_ref(self.hub1.account());
            let views = client.pairs(user.account(), hub, head).await?;
            let view = views.first().ok_or_else(|| failure("no such pair"))?;
            let row = view.channel.collateral.iter().find(|(id, _)| *id == NATIVE_ASSET);
            let on_chain = row.map(|(_, row)| *row).unwrap_or_default();
            let channel = user.channel().await?;
            let known = channel.assets.iter().find(|row| row.asset.id == NATIVE_ASSET);
            // A wallet lists no asset without insurance, payments or terms.
            let insured = known.map_or((0, 0), |row| (row.insurance.0, row.ondelta.0));
            let agree = channel.epoch == view.channel.epoch
                && insured == (on_chain.insurance, on_chain.ondelta);
            if !agree {
                return Ok(None);
            }
            let amounts = known.map_or_else(nothing, amounts);
            let amounts = BTreeMap::from([("FRD".to_string(), amounts)]);
            channels.insert(format!("{name}/hub1"), amounts);
        }
        let mut debts = Vec::new();
        for (_, debtor) in self.accounts() {
            for (asset, _) in client.owes(debtor).await? {
                for debt in client.debts_of(debtor, asset, MAX_DEBTS).await? {
                    debts.push(DebtLine {
                        debtor: self.name_of(&debt.debtor),
                        creditor: self.name_of(&debt.creditor),
                        asset: "FRD".into(),
                        left: debt.left.to_string(),
                    });
                }
            }
        }
        Ok(Some(Step { name: name.into(), block, accounts, channels, debts }))
    }

    /// Stops everybody who still runs.
    pub async fn stop(mut self) -> Result<(), Failure> {
        self.user2.stop().await?;
        self.user123.stop().await?;
        if self.hub1.is_running()? {
            self.hub1.stop().await?;
        }
        self.chain.stop().await?;
        self.workspace.finish()
    }
}

fn amounts(row: &ChannelAssetRow) -> ChannelAmounts {
    ChannelAmounts {
        insurance: row.insurance.0.to_string(),
        ondelta: row.ondelta.0.to_string(),
        offdelta: row.offdelta.0.to_string(),
        user_insured: row.own_insured.0.to_string(),
        user_uninsured: row.own_uninsured.0.to_string(),
        hub_insured: row.partner_insured.0.to_string(),
        hub_uninsured: row.partner_uninsured.0.to_string(),
    }
}

fn nothing() -> ChannelAmounts {
    let zero = || "0".to_string();
    ChannelAmounts {
        insurance: zero(),
        ondelta: zero(),
        offdelta: zero(),
        user_insured: zero(),
        user_uninsured: zero(),
        hub_insured: zero(),
        hub_uninsured: zero(),
    }
}
