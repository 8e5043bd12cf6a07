//! Payments in several parts, offers, and changing money, as processes: alice and bob both have
//! channels with hubs a and b.

use failsafe_hub::rpc::{
    api::{
        AssetInfo, ChannelAssetRow, ChannelRow, InvoiceRow, OfferRow, PaymentRow, RateRow,
        RecurringRow,
    },
    operator_api::ReloadView,
};
use failsafe_primitives::{Balance, NATIVE_ASSET};
use failsafe_tests::{
    harness::{
        eventually, failure, Chain, ChainOptions, Failure, Hub, HubOptions, Wallet, Workspace,
    },
    story::report::frd,
};
use serde_json::Value;
use sp_core::{sr25519, Pair};
use std::time::Duration;

/// How long something may take that waits for blocks.
const PATIENCE: Duration = Duration::from_secs(90);
/// FRD that each hub and alice have on chain.
const FUNDS: u64 = 10_000;
const HANDLES: [&str; 2] = ["a", "b"];

struct World {
    chain: Chain,
    hubs: Vec<Hub>,
    alice: Wallet,
    bob: Wallet,
    workspace: Workspace,
}

fn suri(name: &str) -> String {
    format!("//parts//{name}")
}

/// What a wallet has with a hub in an asset.
async fn row(wallet: &Wallet, hub: &str, symbol: &str) -> Result<Option<ChannelAssetRow>, Failure> {
    let channels = wallet.status().await?.channels;
    let with = |channel: &ChannelRow| channel.handle.as_deref() == Some(hub);
    let channel = channels.into_iter().find(with);
    let assets = channel.map(|channel| channel.assets).unwrap_or_default();
    Ok(assets.into_iter().find(|row| row.asset.symbol == symbol))
}

impl World {
    /// Alice has 100 FRD insured at each hub; bob lets each owe 1 000 FRD. Hub a gives FRB for FRD
    /// at 1.5, and both wallets let it owe 500 FRB.
    async fn start() -> Result<Self, Failure> {
        let workspace = Workspace::new()?;
        let dir = workspace.path().to_path_buf();
        let behaviour = |handle: &str| HubOptions {
            bonds: true,
            exchange: match handle {
                "a" => vec![("FRD".into(), "FRB".into(), "1.5".into())],
                _ => vec![],
            },
            ..HubOptions::default()
        };
        let mut hubs = vec![];
        for handle in HANDLES {
            let name = format!("hub-{handle}");
            let hub =
                Hub::create(&name, &suri(handle), "ws://127.0.0.1:1", &behaviour(handle), &dir)?;
            hubs.push(hub);
        }
        let mut options = ChainOptions::story(1);
        let entries = HANDLES.iter().zip(&hubs).map(|(handle, hub)| hub.genesis(handle));
        options.hubs = entries.collect::<Result<_, _>>()?;
        options.balances = hubs.iter().map(|hub| (hub.account().clone(), frd(FUNDS))).collect();
        let pair = sr25519::Pair::from_string(&suri("alice"), None)?;
        options.balances.push((pair.public().0.into(), frd(FUNDS)));
        let chain = Chain::start(&options, &dir).await?;
        for (handle, hub) in HANDLES.iter().zip(&mut hubs) {
            hub.configure(chain.url(), &behaviour(handle))?;
            hub.start().await?;
        }
        let url = chain.url();
        let mut alice = Wallet::create("alice", &suri("alice"), url, Some("@a"), &dir).await?;
        let mut bob = Wallet::create("bob", &suri("bob"), url, Some("@a"), &dir).await?;
        for wallet in [&mut alice, &mut bob] {
            wallet.add_hub("@b").await?;
            wallet.start().await?;
            wallet.ask::<Value>(&["terms", "500", "--asset", "FRB", "--partner", "@a"]).await?;
        }
        for handle in HANDLES {
            let hub = format!("@{handle}");
            let to = alice.at(handle);
            alice.on_chain(&["deposit", "100", &to]).await?;
            bob.ask::<Value>(&["terms", "1000", "--partner", &hub]).await?;
        }
        let world = Self { chain, hubs, alice, bob, workspace };
        eventually("everybody agrees on insurance and credit", PATIENCE, || async {
            for handle in HANDLES {
                let alice = row(&world.alice, handle, "FRD").await?;
                let bob = row(&world.bob, handle, "FRD").await?;
                if alice.is_none_or(|row| row.can_send.0 != frd(100))
                    || bob.is_none_or(|row| row.can_receive.0 != frd(1_000))
                {
                    return Ok(None);
                }
            }
            let bonds = row(&world.alice, "a", "FRB").await?;
            let rates: Vec<RateRow> = world.alice.ask(&["rates"]).await?;
            let ready = bonds.is_some_and(|row| row.can_receive.0 > 0) && rates.len() == 1;
            Ok(ready.then_some(()))
        })
        .await?;
        Ok(world)
    }

    /// What bob is owed by both hubs.
    async fn received(&self) -> Result<Balance, Failure> {
        let mut sum = 0;
        for handle in HANDLES {
            sum += row(&self.bob, handle, "FRD").await?.map_or(0, |row| row.own_uninsured.0);
        }
        Ok(sum)
    }

    /// What alice has left with both hubs, nothing locked.
    async fn left(&self) -> Result<Option<Balance>, Failure> {
        let mut sum = 0;
        for handle in HANDLES {
            let row = row(&self.alice, handle, "FRD").await?.ok_or_else(|| failure("no FRD"))?;
            if row.locked.0 > 0 {
                return Ok(None);
            }
            sum += row.own_insured.0;
        }
        Ok(Some(sum))
    }

    async fn settled(&self, left: Balance) -> Result<(), Failure> {
        eventually("alice has paid, and no more", PATIENCE, || async {
            Ok((self.left().await? == Some(left)).then_some(()))
        })
        .await
    }

    async fn finish(self) -> Result<(), Failure> {
        let mut total: Balance = 0;
        for hub in &self.hubs {
            total += self.chain.balance(hub.account(), NATIVE_ASSET).await?;
        }
        for wallet in [&self.alice, &self.bob] {
            total += self.chain.balance(wallet.account(), NATIVE_ASSET).await?;
            for handle in HANDLES {
                total += row(wallet, handle, "FRD").await?.map_or(0, |row| row.insurance.0);
            }
        }
        assert_eq!(total, frd(3 * FUNDS), "no money came or went");
        let Self { chain, mut hubs, mut alice, mut bob, workspace } = self;
        alice.stop().await?;
        bob.stop().await?;
        for hub in &mut hubs {
            hub.stop().await?;
        }
        chain.stop().await?;
        workspace.finish()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn payment_should_go_in_parts_when_no_hub_carries_all_of_it() -> Result<(), Failure> {
    let world = World::start().await?;

    // Neither channel has 150.
    let invoice: InvoiceRow = world.bob.ask(&["invoice", "150"]).await?;
    let payment: PaymentRow = world.alice.ask(&["pay", &invoice.invoice]).await?;
    assert_eq!(payment.state, "delivered", "{payment:?}");
    assert!(payment.proof.is_some());
    assert_eq!(payment.spent.map(|spent| spent.amount.0), Some(frd(150)));
    world.settled(frd(50)).await?;
    assert_eq!(world.received().await?, frd(150));
    let state: InvoiceRow = world.bob.ask(&["decode-invoice", &invoice.invoice]).await?;
    assert_eq!(state.state.as_deref(), Some("paid"));

    // Not both of them together have 60 any more: nothing moves.
    let much: InvoiceRow = world.bob.ask(&["invoice", "60"]).await?;
    let refused = world.alice.ask::<PaymentRow>(&["pay", &much.invoice]).await.unwrap_err();
    assert!(refused.to_string().contains("no route"), "{refused}");
    world.settled(frd(50)).await?;

    // An offer is paid without being asked, once per name.
    let offer: OfferRow = world.bob.ask(&["offer", "--description", "tips"]).await?;
    let name = "00112233445566778899aabbccddeeff";
    for _ in 0..2 {
        let tip: PaymentRow = world.alice.ask(&["pay", &offer.offer, "20", "--id", name]).await?;
        assert_eq!((tip.state.as_str(), tip.id.as_str()), ("delivered", name));
    }
    world.settled(frd(30)).await?;
    assert_eq!(world.received().await?, frd(170));
    let other = world.alice.ask::<PaymentRow>(&["pay", &offer.offer, "21", "--id", name]).await;
    assert!(other.unwrap_err().to_string().contains("another payment"));
    world.finish().await
}

#[tokio::test(flavor = "multi_thread")]
async fn money_should_change_on_both_sides_or_none_when_it_is_swapped() -> Result<(), Failure> {
    let world = World::start().await?;
    let assets: Vec<AssetInfo> = world.alice.ask(&["assets"]).await?;
    let bonds = assets.iter().find(|asset| asset.symbol == "FRB");
    let bonds = bonds.ok_or_else(|| failure("no FRB on this chain"))?;
    let units = |whole: u128| whole * 10u128.pow(bonds.decimals.into());

    // 15 FRD for 10 FRB, in one channel.
    let swap = |amount: &'static str, at_most: &'static str| {
        ["swap", amount, "FRB", "--with", "FRD", "--at-most", at_most]
    };
    let dear = world.alice.ask::<PaymentRow>(&swap("10", "14.9")).await.unwrap_err();
    assert!(dear.to_string().contains("no route"), "{dear}");
    let done: PaymentRow = world.alice.ask(&swap("10", "15")).await?;
    assert_eq!(done.state, "delivered", "{done:?}");
    let spent = done.spent.ok_or_else(|| failure("a swap costs something"))?;
    assert_eq!((spent.asset.symbol.as_str(), spent.amount.0), ("FRD", frd(15)));
    world.settled(frd(185)).await?;
    let has = |wanted: Balance| {
        let world = &world;
        move || async move {
            let row = row(&world.alice, "a", "FRB").await?;
            let row = row.filter(|row| row.locked_by_partner.0 == 0);
            Ok(row.filter(|row| row.own_uninsured.0 == wanted).map(|_| ()))
        }
    };
    eventually("alice has 10 FRB", PATIENCE, has(units(10))).await?;

    // More than alice lets the hub owe in FRB: neither side moves.
    let refused = world.alice.ask::<PaymentRow>(&swap("600", "1000")).await;
    assert!(refused.is_err(), "{refused:?}");
    world.settled(frd(185)).await?;
    eventually("alice has 10 FRB", PATIENCE, has(units(10))).await?;

    // Bob is paid in FRB by alice, who pays in FRD.
    let invoice: InvoiceRow = world.bob.ask(&["invoice", "20", "--asset", "FRB"]).await?;
    let pay = ["pay", &invoice.invoice, "--with", "FRD", "--at-most", "31"];
    let paid: PaymentRow = world.alice.ask(&pay).await?;
    assert_eq!(paid.state, "delivered", "{paid:?}");
    world.settled(frd(155)).await?;
    let bobs = row(&world.bob, "a", "FRB").await?.map(|row| row.own_uninsured.0);
    assert_eq!(bobs, Some(units(20)));
    world.finish().await
}

#[tokio::test(flavor = "multi_thread")]
async fn swap_should_be_refused_when_the_hub_would_owe_more_of_the_asset_it_gives_than_its_cap(
) -> Result<(), Failure> {
    let world = World::start().await?;
    let hub = &world.hubs[0];
    hub.edit("asset = \"FRB\"\n", "asset = \"FRB\"\nmax_risk = \"12\"\n")?;
    let done: ReloadView = hub.ask(&["reload"]).await?;
    assert_eq!(done.changed, ["assets.FRB.max_risk"]);
    let swap = |amount: &'static str| ["swap", amount, "FRB", "--with", "FRD", "--at-most", "100"];
    let done: PaymentRow = world.alice.ask(&swap("10")).await?;
    assert_eq!(done.state, "delivered", "{done:?}");
    world.settled(frd(185)).await?;

    let done: PaymentRow = world.alice.ask(&swap("2")).await?;
    assert_eq!(done.state, "delivered", "up to the cap: {done:?}");
    world.settled(frd(182)).await?;

    // Neither side moves.
    let refused = world.alice.ask::<PaymentRow>(&swap("1")).await;
    assert!(refused.is_err(), "{refused:?}");
    world.settled(frd(182)).await?;
    world.finish().await
}

#[tokio::test(flavor = "multi_thread")]
async fn h43_instalments_should_be_paid_once_each_when_the_wallet_is_killed_among_them(
) -> Result<(), Failure> {
    const TIMES: u32 = 12;
    let mut world = World::start().await?;
    let offer: OfferRow = world.bob.ask(&["offer"]).await?;
    let direct = world.bob.at("a");
    let names = ["aa".repeat(16), "bb".repeat(16)];
    let add = async |wallet: &Wallet| -> Result<(), Failure> {
        for (name, (to, amount)) in names.iter().zip([(&offer.offer, "1"), (&direct, "2")]) {
            let args = ["recurring", "add", to, amount, "--every", "400ms"];
            let args = [&args[..], &["--times", "12", "--id", name]].concat();
            let row: RecurringRow = wallet.ask(&args).await?;
            assert_eq!(row.times, Some(TIMES));
        }
        Ok(())
    };
    add(&world.alice).await?;
    eventually("some instalments are paid", PATIENCE, || async {
        let rows: Vec<RecurringRow> = world.alice.ask(&["recurring", "list"]).await?;
        Ok(rows.iter().all(|row| row.paid >= 2).then_some(()))
    })
    .await?;
    world.alice.kill()?;
    world.alice.start().await?;
    // Said again, it is the same order.
    add(&world.alice).await?;
    eventually("all instalments are paid", PATIENCE, || async {
        let rows: Vec<RecurringRow> = world.alice.ask(&["recurring", "list"]).await?;
        let done = |row: &RecurringRow| row.state == "done" && row.paid == TIMES;
        Ok((rows.len() == 2 && rows.iter().all(done)).then_some(()))
    })
    .await?;
    let paid = frd(u64::from(TIMES) * 3);
    world.settled(frd(200) - paid).await?;
    assert_eq!(world.received().await?, paid);

    // Another order under a known name, and a cancelled one.
    let other = ["recurring", "add", &direct, "3", "--every", "1s", "--id", &names[0]];
    let refused = world.alice.ask::<RecurringRow>(&other).await.unwrap_err();
    assert!(refused.to_string().contains("another payment"), "{refused}");
    let name = "cc".repeat(16);
    let rent = ["recurring", "add", &direct, "1", "--every", "30days", "--id", &name];
    world.alice.ask::<RecurringRow>(&rent).await?;
    world.settled(frd(199) - paid).await?;
    world.alice.ask::<Value>(&["recurring", "cancel", &name]).await?;
    let rows: Vec<RecurringRow> = world.alice.ask(&["recurring", "list"]).await?;
    let row = rows.iter().find(|row| row.id == name).map(|row| (row.state.as_str(), row.next_ms));
    assert_eq!(row, Some(("cancelled", None)));
    world.finish().await
}
