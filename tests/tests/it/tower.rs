//! A watchtower with real hubs and wallets that are gone, and partners who take advantage of it.

use failsafe_channel::Channel;
use failsafe_hub::{
    chain::{submit::Record, Call, Intent, Outcome, Submitter},
    keys::AccountKey,
    party::stored_channels,
    rpc::{
        api::{InvoiceRow, PaymentRow, TowerRow},
        FailsafeRpcClient,
    },
    store::{self, FjallStore, Store},
};
use failsafe_primitives::{
    simplex::lock_hash, AccountId, Balance, Evidence, Pair, Side, NATIVE_ASSET,
};
use failsafe_tests::{
    harness::{
        eventually, failure, Chain, ChainOptions, Failure, Hub, HubOptions, Tower, Wallet,
        Workspace,
    },
    story::report::frd,
};
use sp_core::{sr25519, Pair as _};
use std::{path::Path, sync::Arc, time::Duration};
use tokio::sync::mpsc;

/// How long something may take that waits for blocks.
const PATIENCE: Duration = Duration::from_secs(120);
/// FRD that hub, ann and bob have on chain.
const FUNDS: u64 = 10_000;
/// FRD that the tower has on chain.
const TOWER_FUNDS: u64 = 100;

fn suri(name: &str) -> String {
    format!("//tower//{name}")
}

fn account(name: &str) -> Result<AccountId, Failure> {
    Ok(sr25519::Pair::from_string(&suri(name), None)?.public().0.into())
}

/// Ann and bob at a hub, and a tower. Ann has 5 000 insured.
struct Play {
    chain: Chain,
    hub: Hub,
    ann: Wallet,
    bob: Wallet,
    tower: Tower,
    workspace: Workspace,
}

/// Whom the tower watches for.
#[derive(Clone, Copy, PartialEq)]
enum Client {
    Hub,
    Wallets,
}

impl Play {
    async fn start(client: Client, slot_ms: Option<u64>) -> Result<Self, Failure> {
        let workspace = Workspace::new()?;
        let dir = workspace.path().to_path_buf();
        let behaviour = HubOptions::default();
        let mut hub = Hub::create("hub", &suri("hub"), "ws://127.0.0.1:1", &behaviour, &dir)?;
        let mut options = ChainOptions::story(1);
        options.slot_ms = slot_ms;
        options.hubs = vec![hub.genesis("one")?];
        for name in ["hub", "ann", "bob"] {
            options.balances.push((account(name)?, frd(FUNDS)));
        }
        options.balances.push((account("tower")?, frd(TOWER_FUNDS)));
        let chain = Chain::start(&options, &dir).await?;
        let url = chain.url();
        let mut ann = Wallet::create("ann", &suri("ann"), url, Some("@one"), &dir).await?;
        let mut bob = Wallet::create("bob", &suri("bob"), url, Some("@one"), &dir).await?;
        let clients = match client {
            Client::Hub => vec![hub.account()],
            Client::Wallets => vec![ann.account(), bob.account()],
        };
        let mut tower = Tower::create(&suri("tower"), url, &clients, &dir).await?;
        tower.start().await?;
        let towers = if client == Client::Hub { vec![tower.address()] } else { vec![] };
        if client == Client::Wallets {
            ann.add_tower(&tower.address()).await?;
            bob.add_tower(&tower.address()).await?;
        }
        hub.configure(url, &HubOptions { towers, ..behaviour })?;
        hub.start().await?;
        ann.start().await?;
        bob.start().await?;
        ann.on_chain(&["deposit", "5000", &ann.at("one")]).await?;
        ann.wait_for_frd("the insurance", PATIENCE, |row| row.own_insured.0 == frd(5_000)).await?;
        bob.wait_for_frd("bob's terms", PATIENCE, |row| row.credit_given.0 > 0).await?;
        Ok(Self { chain, hub, ann, bob, tower, workspace })
    }

    /// The newest evidence of whoever has its store in `dir`, which nobody has open.
    fn evidence(&self, dir: &Path, partner: &AccountId) -> Result<Evidence, Failure> {
        let store = FjallStore::open(&dir.join("store"))?;
        let stored =
            stored_channels(store.snapshot()?)?.into_iter().find(|(known, _)| known == partner);
        let (_, bytes) = stored.ok_or_else(|| failure("no such channel"))?;
        let channel = Channel::peek_state(&bytes)?;
        Ok(channel.evidence())
    }

    /// Disputes in the name of `key`, without its program: with what suits it.
    async fn dispute(
        &self,
        key: AccountKey,
        partner: &AccountId,
        evidence: Evidence,
    ) -> Result<(), Failure> {
        use failsafe_channel::Sign;
        let store = FjallStore::create(&self.workspace.path().join("cheat"))?;
        store::initialize(&store, &key.account())?;
        let (done, mut outcomes) = mpsc::unbounded_channel();
        let client = self.chain.client().clone();
        let submitter = Submitter::new(client, key, Arc::new(store), done);
        let call = Call::Dispute { partner: partner.clone(), epoch: 0, evidence };
        submitter.start(0, Record::new(Intent::User, call));
        match tokio::time::timeout(PATIENCE, outcomes.recv()).await? {
            Some((_, Outcome::Done { .. })) => Ok(()),
            other => Err(failure(format!("the dispute was not taken: {other:?}"))),
        }
    }

    /// Waits until the tower has receipted the newest of everybody's channels.
    async fn handed_over(&self) -> Result<(), Failure> {
        eventually("both have acknowledged", PATIENCE, || async {
            let row = self.ann.channel().await?;
            let hub = self.hub.status().await?.channels;
            let other = hub.into_iter().find(|row| row.partner == self.ann.account().to_string());
            let other = other.ok_or_else(|| failure("the hub has no such channel"))?;
            let same = row.own_nonce == row.own_acked
                && other.own_nonce == other.own_acked
                && row.own_nonce == other.partner_nonce;
            Ok(same.then_some(()))
        })
        .await?;
        eventually("the tower has receipted all", PATIENCE, || async {
            let hub = self.hub.client()?.towers().await?;
            let ann: Vec<TowerRow> = self.ann.ask(&["tower", "list"]).await?;
            let one = hub.first().or(ann.first()).ok_or_else(|| failure("no tower"))?;
            Ok((one.receipted > 0 && one.waiting == 0 && one.connected).then_some(()))
        })
        .await
    }

    /// Waits until the dispute of ann and the hub is resolved; what has counted for ann and the hub.
    async fn resolved(&self) -> Result<(Balance, Balance), Failure> {
        let (ann, hub) = (self.ann.account(), self.hub.account());
        let side = Pair::new(ann.clone(), hub.clone()).map_err(|_| failure("one account"))?;
        let side = side.side_of(ann).ok_or_else(|| failure("not a party"))?;
        let old = eventually("the chain resolves", PATIENCE, || async {
            let client = self.chain.client();
            let head = client.finalized_head().await?;
            let views = client.pairs(ann, std::slice::from_ref(hub), head).await?;
            let view = views.into_iter().next().ok_or_else(|| failure("no such pair"))?;
            Ok(view.channel.old_epochs.into_iter().next())
        })
        .await?;
        let counted = |side: Side| {
            let row = old.counted[side.index()].iter().find(|(asset, _)| *asset == NATIVE_ASSET);
            row.map_or(0, |(_, amount)| *amount)
        };
        Ok((counted(side), counted(side.other())))
    }

    async fn on_chain(&self, who: &AccountId) -> Result<Balance, Failure> {
        self.chain.balance(who, NATIVE_ASSET).await
    }

    /// No money came or went: all balances, and what is insured for ann and bob.
    async fn no_money_lost(&self) -> Result<(), Failure> {
        let mut total: Balance = 0;
        let head = self.chain.client().finalized_head().await?;
        let hub = std::slice::from_ref(self.hub.account());
        for user in [self.ann.account(), self.bob.account()] {
            total += self.on_chain(user).await?;
            let views = self.chain.client().pairs(user, hub, head).await?;
            total += views[0].channel.collateral.iter().map(|(_, row)| row.insurance).sum::<u128>();
        }
        total += self.on_chain(self.hub.account()).await?;
        total += self.on_chain(self.tower.account()).await?;
        assert_eq!(total, frd(3 * FUNDS + TOWER_FUNDS), "no money came or went");
        Ok(())
    }
}

/// The hub is killed with a lie: it forgets what it has paid back. The wallet is gone. What has counted
/// at the resolve is the newest of both, to the last unit.
#[tokio::test(flavor = "multi_thread")]
async fn s19_tower_should_counter_when_the_hub_disputes_with_an_old_state_and_the_wallet_is_gone(
) -> Result<(), Failure> {
    let mut play = Play::start(Client::Wallets, None).await?;
    assert_eq!(play.ann.pay("@one", "1000").await?.state, "delivered");
    play.hub.stop().await?;
    let old = play.evidence(play.hub.dir(), play.ann.account())?;
    play.hub.start().await?;
    let to_ann = play.ann.account().to_string();
    let paid: PaymentRow = eventually("the hub pays back", PATIENCE, || async {
        play.hub.ask(&["pay", &to_ann, "600"]).await.map(Some)
    })
    .await?;
    assert_eq!(paid.state, "delivered");
    assert_eq!(play.ann.pay("@one", "50").await?.state, "delivered");
    play.handed_over().await?;
    play.ann.kill()?;
    play.hub.kill()?;

    let key = AccountKey::load(&play.hub.dir().join("key.json"))?;
    play.dispute(key, play.ann.account(), old).await?;
    assert_eq!(play.resolved().await?, (frd(1_050), frd(600)));
    assert_eq!(play.on_chain(play.ann.account()).await?, frd(5_000 + 4_550));
    assert_eq!(play.on_chain(play.hub.account()).await?, frd(10_000 + 450));
    play.no_money_lost().await?;
    let status = eventually("the tower knows that it is over", PATIENCE, || async {
        let status = play.tower.status().await?;
        let over = status.disputes.is_empty() && status.channels == 0;
        Ok((status.counts.counters_done > 0 && over).then_some(status))
    })
    .await?;
    assert!(status.alarms.is_empty(), "{:?}", status.alarms);
    assert_eq!((status.counts.packets_refused, status.counts.missed), (0, 0));

    // The wallet comes back, finds everything in order and goes on.
    play.ann.start().await?;
    play.hub.start().await?;
    eventually("the new epoch", PATIENCE, || async {
        let row = play.ann.channel().await?;
        Ok((row.epoch == 1 && row.connected && row.late_claims.is_empty()).then_some(()))
    })
    .await?;
    let Play { chain, mut hub, mut ann, mut bob, mut tower, workspace } = play;
    ann.stop().await?;
    bob.stop().await?;
    hub.stop().await?;
    tower.stop().await?;
    chain.stop().await?;
    workspace.finish()
}

/// The same for a hub that is gone and a wallet that forgets what it has paid; tower and node are
/// killed and started in between.
#[tokio::test(flavor = "multi_thread")]
async fn tower_should_counter_for_a_hub_when_tower_and_node_were_killed_in_between(
) -> Result<(), Failure> {
    let mut play = Play::start(Client::Hub, Some(2_000)).await?;
    assert_eq!(play.ann.pay("@one", "100").await?.state, "delivered");
    play.ann.stop().await?;
    let old = play.evidence(play.ann.dir(), play.hub.account())?;
    play.ann.start().await?;
    assert_eq!(play.ann.pay("@one", "400").await?.state, "delivered");
    play.handed_over().await?;
    play.ann.kill()?;
    play.hub.kill()?;
    play.bob.kill()?;

    play.tower.kill()?;
    play.tower.start().await?;
    assert_eq!(play.tower.status().await?.channels, 1, "what it has receipted is on its disk");
    play.chain.kill()?;
    play.chain.restart().await?;
    let key = AccountKey::load(&play.ann.dir().join("key.json"))?;
    play.dispute(key, play.hub.account(), old).await?;
    assert_eq!(play.resolved().await?, (frd(500), 0));
    assert_eq!(play.on_chain(play.ann.account()).await?, frd(5_000 + 4_500));
    assert_eq!(play.on_chain(play.hub.account()).await?, frd(10_000 + 500));
    play.no_money_lost().await?;
    let status = eventually("the tower knows that it is over", PATIENCE, || async {
        let status = play.tower.status().await?;
        Ok((status.counts.counters_done > 0 && status.disputes.is_empty()).then_some(status))
    })
    .await?;
    assert!(status.alarms.is_empty(), "{:?}", status.alarms);
    let Play { chain, mut tower, workspace, .. } = play;
    tower.stop().await?;
    chain.stop().await?;
    workspace.finish()
}

/// Bob gives his secret out to a hub that is dead, and dies himself: the tower brings the secret to the
/// chain in time. Bob comes back and takes the hub there.
#[tokio::test(flavor = "multi_thread")]
async fn m5_tower_should_reveal_when_the_recipient_is_gone_after_giving_the_secret_out(
) -> Result<(), Failure> {
    let mut play = Play::start(Client::Wallets, None).await?;
    let invoice: InvoiceRow = play.bob.ask(&["invoice", "1"]).await?;
    let first: PaymentRow = eventually("a route", PATIENCE, || async {
        play.ann.ask(&["pay", &invoice.invoice]).await.map(Some)
    })
    .await?;
    assert_eq!(first.state, "delivered");

    let invoice: InvoiceRow = play.bob.ask(&["invoice", "100"]).await?;
    play.bob.process()?.suspend()?;
    let (client, text) = (play.ann.client()?, invoice.invoice.clone());
    let paying = tokio::spawn(async move { client.pay_invoice(text, None, None, None).await });
    let bob = play.bob.account().to_string();
    eventually("the hub has locked for bob", PATIENCE, || async {
        let channels = play.hub.status().await?.channels;
        let locked = channels.iter().filter(|row| row.partner == bob).any(|row| {
            row.assets.iter().any(|row| row.asset.id == NATIVE_ASSET && row.locked.0 == frd(100))
        });
        Ok(locked.then_some(()))
    })
    .await?;
    play.hub.kill()?;
    play.bob.process()?.resume()?;
    eventually("the tower has bob's secret", PATIENCE, || async {
        Ok((play.tower.status().await?.secrets == 1).then_some(()))
    })
    .await?;
    play.bob.kill()?;

    let hash: [u8; 32] = hex::decode(&invoice.hash)?.try_into().map_err(|_| failure("a hash"))?;
    let revealed = eventually("the secret is on chain", PATIENCE, || async {
        let client = play.chain.client();
        Ok(client.secret(&hash, client.finalized_head().await?).await?)
    })
    .await?;
    assert_eq!(lock_hash(&revealed.secret), hash);
    let status = eventually("the tower knows that it is final", PATIENCE, || async {
        let status = play.tower.status().await?;
        Ok((status.counts.secrets_revealed == 1).then_some(status))
    })
    .await?;
    assert_eq!(status.counts.missed, 0, "{:?}", status.alarms);
    // The payer learns the secret from the chain, too.
    assert_eq!(paying.await??.state, "delivered");

    play.bob.start().await?;
    let bob = play.bob.account().clone();
    eventually("bob has all that he was paid", PATIENCE, || async {
        Ok((play.on_chain(&bob).await? == frd(FUNDS + 101)).then_some(()))
    })
    .await?;
    play.no_money_lost().await?;
    let Play { chain, mut ann, mut bob, mut tower, workspace, .. } = play;
    ann.stop().await?;
    bob.stop().await?;
    tower.stop().await?;
    chain.stop().await?;
    workspace.finish()
}
