//! A small town: a chain, hubs, wallets, and the books of all of them.

use super::{
    eventually, failure, free_port, Chain, ChainOptions, Failure, Hub, HubOptions, Wallet,
    Workspace,
};
use crate::story::report::frd;
use failsafe_hub::{
    rpc::{
        api::{ChannelAssetRow, ChannelRow, StatusView},
        FailsafeRpcClient,
    },
    store::Share,
};
use failsafe_primitives::{AccountId, Balance, NATIVE_ASSET};
use rand::Rng;
use serde_json::Value;
use sp_core::{sr25519, Pair};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// How long something that needs finality may take.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Where an account is: on which side of its hub, or with which of its processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Its id is smaller.
    Left,
    /// Its id is larger.
    Right,
    /// The process of its hub with this number has its channel, of so many.
    Process(usize, usize),
}

struct HubPlan {
    name: &'static str,
    /// The hub of which it is another process.
    of: Option<&'static str>,
    funds: u64,
    options: HubOptions,
}

struct WalletPlan {
    name: &'static str,
    funds: u64,
    hub: Option<&'static str>,
    place: Option<Place>,
    faults: &'static [&'static str],
}

/// Who shall live in a town.
pub struct Plan {
    options: ChainOptions,
    hubs: Vec<HubPlan>,
    wallets: Vec<WalletPlan>,
}

impl Plan {
    /// A chain without prices, and nobody.
    pub fn story() -> Self {
        Self { options: ChainOptions::story(1), hubs: vec![], wallets: vec![] }
    }

    /// Sets a parameter of the chain, by its name in the chain's specification.
    pub fn parameter(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.options.parameters.push((name.into(), value.into()));
        self
    }

    /// A hub with so many FRD on chain; its name is its handle.
    pub fn hub(mut self, name: &'static str, funds: u64, options: HubOptions) -> Self {
        self.hubs.push(HubPlan { name, of: None, funds, options });
        self
    }

    /// Another process of a hub that was planned before; names in the order of the alphabet.
    pub fn process(mut self, name: &'static str, of: &'static str, options: HubOptions) -> Self {
        self.hubs.push(HubPlan { name, of: Some(of), funds: 0, options });
        self
    }

    /// A wallet with so many FRD on chain.
    pub fn wallet(self, name: &'static str, funds: u64, hub: &'static str) -> Self {
        self.add(WalletPlan { name, funds, hub: Some(hub), place: None, faults: &[] })
    }

    /// A wallet on that side of its hub.
    pub fn placed(self, name: &'static str, funds: u64, hub: &'static str, place: Place) -> Self {
        self.add(WalletPlan { name, funds, hub: Some(hub), place: Some(place), faults: &[] })
    }

    /// A wallet with faults.
    pub fn faulty(
        self,
        name: &'static str,
        funds: u64,
        hub: &'static str,
        faults: &'static [&'static str],
    ) -> Self {
        self.add(WalletPlan { name, funds, hub: Some(hub), place: None, faults })
    }

    /// An account that uses the chain only.
    pub fn stranger(self, name: &'static str, funds: u64) -> Self {
        self.add(WalletPlan { name, funds, hub: None, place: None, faults: &[] })
    }

    fn add(mut self, wallet: WalletPlan) -> Self {
        self.wallets.push(wallet);
        self
    }

    /// Starts everybody, and waits until wallets and hubs know each other's terms.
    pub async fn start(self) -> Result<Town, Failure> {
        let Self { mut options, hubs: mut hub_plans, wallets: wallet_plans } = self;
        let workspace = Workspace::new()?;
        let dir = workspace.path().to_path_buf();
        // Other accounts in every town, so that sides differ from run to run.
        let town: u64 = rand::thread_rng().gen();
        let suri = |name: &str, number: u32| format!("//town//{town}//{name}//{number}");
        let mut hubs = BTreeMap::new();
        let mut endowed = 0;
        for plan in &hub_plans {
            let dead = "ws://127.0.0.1:1";
            if let Some(first) = plan.of.and_then(|of| hubs.get(of)) {
                let first: &Hub = first;
                let process = first.another_process(plan.name, dead, &plan.options)?;
                hubs.insert(plan.name, process);
                continue;
            }
            let hub = Hub::create(plan.name, &suri(plan.name, 0), dead, &plan.options, &dir)?;
            options.hubs.push(hub.genesis(plan.name)?);
            endowed += plan.funds;
            if plan.funds > 0 {
                options.balances.push((hub.account().clone(), frd(plan.funds)));
            }
            hubs.insert(plan.name, hub);
        }
        plan_processes(&mut hub_plans, &hubs)?;
        let mut secrets = vec![];
        for plan in &wallet_plans {
            let hub = plan.hub.and_then(|hub| hubs.get(hub)).map(|hub: &Hub| hub.account());
            let fits = |account: &AccountId| match (plan.place, hub) {
                (Some(Place::Left), Some(hub)) => account < hub,
                (Some(Place::Right), Some(hub)) => account > hub,
                (Some(Place::Process(number, count)), _) => home(account, count) == number,
                _ => true,
            };
            let mut numbers = (0..).map(|number| suri(plan.name, number));
            let secret = numbers.find(|suri| fits(&account_of(suri))).expect("endless; qed");
            endowed += plan.funds;
            if plan.funds > 0 {
                options.balances.push((account_of(&secret), frd(plan.funds)));
            }
            secrets.push(secret);
        }
        let chain = Chain::start(&options, &dir).await?;
        for plan in &hub_plans {
            let hub = hubs.get_mut(plan.name).expect("made above; qed");
            hub.configure(chain.url(), &plan.options)?;
            hub.start().await?;
        }
        let mut wallets = BTreeMap::new();
        for (plan, secret) in wallet_plans.iter().zip(&secrets) {
            let hub = plan.hub.map(|hub| format!("@{hub}"));
            let mut wallet =
                Wallet::create(plan.name, secret, chain.url(), hub.as_deref(), &dir).await?;
            wallet.set_faults(plan.faults);
            if plan.hub.is_some() {
                wallet.start().await?;
            }
            wallets.insert(plan.name, wallet);
        }
        let handles = hub_plans.iter().map(|plan| (plan.name, plan.of.unwrap_or(plan.name)));
        let town = Town {
            chain,
            handles: handles.collect(),
            hubs,
            wallets,
            endowed: frd(endowed),
            guests: Mutex::default(),
            workspace,
        };
        for plan in wallet_plans.iter().filter(|plan| plan.hub.is_some()) {
            eventually("the wallet and its hub know each other", PATIENCE, || async {
                let row = town.wallet(plan.name).client()?.status().await?;
                let row = native(row.channels.first().ok_or_else(|| failure("no channel"))?)?;
                Ok((row.credit_given.0 > 0).then_some(()))
            })
            .await?;
        }
        Ok(town)
    }
}

/// Writes down where the processes of the hubs are that have several.
fn plan_processes(
    plans: &mut [HubPlan],
    hubs: &BTreeMap<&'static str, Hub>,
) -> Result<(), Failure> {
    let firsts: Vec<_> = plans.iter().filter(|plan| plan.of.is_none()).map(|p| p.name).collect();
    for first in firsts {
        let of_it = |plan: &&mut HubPlan| plan.name == first || plan.of == Some(first);
        let mut all: Vec<_> = plans.iter_mut().filter(of_it).collect();
        if all.len() < 2 {
            continue;
        }
        let public: Vec<_> = all.iter().map(|plan| hubs[plan.name].endpoint()).collect();
        let mut private = vec![];
        for _ in &all {
            private.push(format!("127.0.0.1:{}", free_port()?));
        }
        for (number, plan) in all.iter_mut().enumerate() {
            plan.options.processes = Some((number, public.clone(), private.clone()));
        }
    }
    Ok(())
}

/// The number of the process that has the channel with an account, of so many.
fn home(account: &AccountId, count: usize) -> usize {
    let numbers = (0u8..).take(count);
    let accounts = numbers.map(|number| AccountId::new([number; 32])).collect();
    let share = Share::new(0, accounts).expect("they are different; qed");
    share.home(account)
}

/// The account of a secret.
pub fn account_of(suri: &str) -> AccountId {
    let pair = sr25519::Pair::from_string(suri, None).expect("a development path; qed");
    AccountId::new(pair.public().0)
}

/// The row of FRD in a channel.
pub fn native(channel: &ChannelRow) -> Result<ChannelAssetRow, Failure> {
    let row = channel.assets.iter().find(|row| row.asset.id == NATIVE_ASSET).cloned();
    row.ok_or_else(|| failure("there are no FRD in the channel"))
}

/// `(insurance, ondelta, offdelta)` of a row in whole FRD.
pub fn shape(row: &ChannelAssetRow) -> (i128, i128, i128) {
    let unit = i128::try_from(frd(1)).expect("a small number; qed");
    let insurance = i128::try_from(row.insurance.0).expect("within the limits; qed");
    (insurance / unit, row.ondelta.0 / unit, row.offdelta.0 / unit)
}

/// A running town.
pub struct Town {
    /// Its chain.
    pub chain: Chain,
    hubs: BTreeMap<&'static str, Hub>,
    /// Handles of hubs, by the names of their processes.
    handles: BTreeMap<&'static str, &'static str>,
    wallets: BTreeMap<&'static str, Wallet>,
    /// All that its accounts had in the first block.
    endowed: Balance,
    /// Accounts without program of ours.
    guests: Mutex<Vec<AccountId>>,
    workspace: Workspace,
}

impl Town {
    /// A hub.
    pub fn hub(&self, name: &str) -> &Hub {
        self.hubs.get(name).expect("a hub of the plan")
    }

    /// A hub, to start and stop it.
    pub fn hub_mut(&mut self, name: &str) -> &mut Hub {
        self.hubs.get_mut(name).expect("a hub of the plan")
    }

    /// The name of the process of a hub that has the channel with `partner`.
    pub fn process_of(&self, handle: &str, partner: &AccountId) -> &'static str {
        let processes = self.handles.iter().filter(|(_, of)| **of == handle);
        // Planned in this order: the hub itself, then those that were added.
        let mut names: Vec<_> = processes.map(|(name, _)| *name).collect();
        names.sort_by_key(|name| (*name != handle, *name));
        names[home(partner, names.len())]
    }

    /// A wallet.
    pub fn wallet(&self, name: &str) -> &Wallet {
        self.wallets.get(name).expect("a wallet of the plan")
    }

    /// A wallet, to start and stop it.
    pub fn wallet_mut(&mut self, name: &str) -> &mut Wallet {
        self.wallets.get_mut(name).expect("a wallet of the plan")
    }

    /// Counts the money of an account that the test moves by itself.
    pub fn add_guest(&self, account: AccountId) {
        self.guests.lock().unwrap_or_else(PoisonError::into_inner).push(account);
    }

    /// What an account has on chain, in whole FRD as far as it is whole.
    pub async fn has(&self, account: &AccountId) -> Result<Balance, Failure> {
        self.chain.balance(account, NATIVE_ASSET).await
    }

    /// Waits until an account has exactly so many FRD on chain.
    pub async fn wait_has(&self, account: &AccountId, whole: u64) -> Result<(), Failure> {
        let what = format!("{whole} FRD on chain");
        let reached = eventually(&what, PATIENCE, || async {
            Ok((self.has(account).await? == frd(whole)).then_some(()))
        });
        match reached.await {
            Ok(()) => Ok(()),
            Err(problem) => {
                let has = self.has(account).await?;
                Err(failure(format!("{problem}: it has {has} units")))
            },
        }
    }

    /// FRD in the channel of `hub` with `partner`, as the hub has it.
    pub async fn row(&self, hub: &str, partner: &AccountId) -> Result<ChannelAssetRow, Failure> {
        native(&self.channel(hub, partner).await?)
    }

    /// The channel of `hub` with `partner`, as the hub has it.
    pub async fn channel(&self, hub: &str, partner: &AccountId) -> Result<ChannelRow, Failure> {
        let partner = partner.to_string();
        let channels = self.hub(hub).status().await?.channels;
        let channel = channels.into_iter().find(|row| row.partner == partner);
        channel.ok_or_else(|| failure(format!("{hub} has no channel with {partner}")))
    }

    /// Waits until FRD in the channel of `hub` with `partner` are as `wanted` says.
    pub async fn wait_row(
        &self,
        what: &str,
        hub: &str,
        partner: &AccountId,
        wanted: impl Fn(&ChannelAssetRow) -> bool,
    ) -> Result<ChannelAssetRow, Failure> {
        eventually(what, PATIENCE, || async {
            let row = self.row(hub, partner).await?;
            Ok(wanted(&row).then_some(row))
        })
        .await
    }

    /// `wallet` deposits for itself, and both ends see it.
    pub async fn insure(&self, wallet: &str, hub: &str, whole: u64) -> Result<(), Failure> {
        let wallet = self.wallet(wallet);
        let before = wallet.frd().await?.insurance.0;
        // To the registry all processes of a hub are one.
        let at = wallet.at(self.handles.get(hub).expect("a hub of the plan"));
        wallet.on_chain(&["deposit", &whole.to_string(), &at]).await?;
        let wanted = before + frd(whole);
        self.insured(hub, wallet, wanted).await
    }

    /// Waits until both ends see this insurance.
    async fn insured(&self, hub: &str, wallet: &Wallet, wanted: Balance) -> Result<(), Failure> {
        wallet.wait_for_frd("the insurance", PATIENCE, |row| row.insurance.0 == wanted).await?;
        self.wait_row("the insurance", hub, wallet.account(), |row| row.insurance.0 == wanted)
            .await?;
        Ok(())
    }

    /// Checks that no money came or went: what all accounts have on chain, and what insures their
    /// channels, is what they had in the first block. One finalized block tells both.
    pub async fn check_money(&self) -> Result<(), Failure> {
        let client = self.chain.client();
        let head = client.finalized_head().await?;
        let accounts: Vec<AccountId> = self.accounts();
        let mut total: Balance = 0;
        for account in &accounts {
            let rows = client.balances(account, &[NATIVE_ASSET], Some(head)).await?;
            total += rows.iter().map(|row| row.free + row.unclaimed).sum::<Balance>();
        }
        for (index, account) in accounts.iter().enumerate() {
            let others = &accounts[index + 1..];
            let views = client.pairs(account, others, head).await?;
            let rows = views.iter().flat_map(|view| &view.channel.collateral);
            let insured = rows.filter(|(asset, _)| *asset == NATIVE_ASSET);
            total += insured.map(|(_, row)| row.insurance).sum::<Balance>();
        }
        assert_eq!(total, self.endowed, "no money came or went");
        Ok(())
    }

    fn accounts(&self) -> Vec<AccountId> {
        let hubs = self.hubs.values().map(|hub| hub.account().clone());
        let wallets = self.wallets.values().map(|wallet| wallet.account().clone());
        let guests = self.guests.lock().unwrap_or_else(PoisonError::into_inner).clone();
        // Processes of a hub are one account.
        let all: BTreeSet<_> = hubs.chain(wallets).chain(guests).collect();
        all.into_iter().collect()
    }

    /// Where everybody stands who runs.
    pub async fn statuses(&self) -> Result<Vec<StatusView>, Failure> {
        let mut all = vec![];
        for hub in self.hubs.values() {
            if hub.process().is_ok() {
                all.push(hub.status().await?);
            }
        }
        for wallet in self.wallets.values() {
            if wallet.process().is_ok() {
                all.push(wallet.client()?.status().await?);
            }
        }
        Ok(all)
    }

    /// Waits until both ends of every channel have the same, and the chain what they say of it.
    pub async fn agreed(&self) -> Result<(), Failure> {
        eventually(
            "both ends of every channel agree, and the chain with them",
            PATIENCE,
            || async {
                let all = self.statuses().await?;
                if let Some(difference) = difference(&all) {
                    return Err(failure(difference));
                }
                self.agrees_with_chain(&all).await.map(|()| Some(()))
            },
        )
        .await
    }

    /// The chain has the collateral and epochs that the books say.
    async fn agrees_with_chain(&self, all: &[StatusView]) -> Result<(), Failure> {
        let client = self.chain.client();
        let head = client.finalized_head().await?;
        for one in all {
            let me = failsafe_hub::address::account(&one.account)?;
            for channel in &one.channels {
                let partner = failsafe_hub::address::account(&channel.partner)?;
                let views = client.pairs(&me, &[partner], head).await?;
                let view = &views.first().ok_or_else(|| failure("no such pair"))?.channel;
                let on_chain = view.collateral.iter().find(|(asset, _)| *asset == NATIVE_ASSET);
                let on_chain = on_chain.map(|(_, row)| *row).unwrap_or_default();
                let known = native(channel).map(|row| (row.insurance.0, row.ondelta.0));
                let same = view.epoch == channel.epoch
                    && known.map_or(on_chain.insurance == 0, |known| {
                        known == (on_chain.insurance, on_chain.ondelta)
                    });
                if !same {
                    return Err(failure(format!(
                        "{me} and the chain differ: {channel:?} {view:?}"
                    )));
                }
            }
        }
        Ok(())
    }

    /// All books agree, no money came or went; then everybody stops.
    pub async fn close(self) -> Result<(), Failure> {
        self.agreed().await?;
        self.check_money().await?;
        self.stop().await
    }

    /// Stops everybody who runs.
    pub async fn stop(mut self) -> Result<(), Failure> {
        for wallet in self.wallets.values_mut() {
            if wallet.process().is_ok() {
                wallet.stop().await?;
            }
        }
        for hub in self.hubs.values_mut() {
            if hub.is_running()? {
                hub.stop().await?;
            }
        }
        self.chain.stop().await?;
        self.workspace.finish()
    }
}

/// In what two ends of a channel differ, if they do. Channels with those who do not run are left out.
pub fn difference(all: &[StatusView]) -> Option<String> {
    for one in all {
        for channel in &one.channels {
            // Several processes of a hub have one account.
            let mut others = all.iter().filter(|other| other.account == channel.partner).peekable();
            if others.peek().is_none() {
                continue;
            }
            let mut theirs = others.flat_map(|other| &other.channels);
            let Some(back) = theirs.find(|back| back.partner == one.account) else {
                return Some(format!("{} has no channel with {}", channel.partner, one.account));
            };
            let same_row = |row: &ChannelAssetRow| {
                let nothing = row.insurance.0 == 0 && row.offdelta.0 == 0 && row.locked.0 == 0;
                let back = back.assets.iter().find(|back| back.asset.id == row.asset.id);
                // Who has no terms for an asset does not list it.
                back.map_or(nothing, |back| {
                    back.insurance == row.insurance
                        && back.ondelta == row.ondelta
                        && back.offdelta == row.offdelta
                        && back.own_insured == row.partner_insured
                        && back.own_uninsured == row.partner_uninsured
                        && back.locked == row.locked_by_partner
                        && back.locked_by_partner == row.locked
                })
            };
            let same = back.epoch == channel.epoch
                && back.own_nonce == channel.partner_nonce
                && back.partner_nonce == channel.own_nonce
                && back.frozen.is_none() == channel.frozen.is_none()
                && channel.assets.iter().all(same_row);
            if !same {
                return Some(format!("{channel:?} is not {back:?}"));
            }
        }
    }
    None
}
