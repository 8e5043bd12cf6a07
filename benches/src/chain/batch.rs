//! One rebalance of thousands of channels in one block (`protocol.md` §7), beside as many separate
//! transfers: bytes, weight, and how long a node takes to import it.
//!
//! A validator with the slots of production authors; a second node imports. The hub first insures
//! half of the users, in a batch too. The batch that is measured withdraws from these, each with the
//! user's signature, and deposits into as many new channels. All users have accounts already.

use super::{
    figure,
    imports::Imports,
    node::{Block, Node},
    picoseconds,
    signer::{Account, Signer},
};
use crate::measure::{Bench, Figure};
use failsafe_primitives::{
    AccountId, Balance, ChannelContext, Pair, Withdrawal, WithdrawalItem, NATIVE_ASSET,
};
use failsafe_runtime::{
    configs::{RuntimeBlockLength, RuntimeBlockWeights},
    Runtime, RuntimeCall, RuntimeEvent, FRD,
};
use failsafe_tests::harness::{failure, Chain, ChainOptions, Failure, Follower};
use frame_support::{dispatch::DispatchClass, weights::Weight};
use pallet_batch::Mode;
use sp_core::H256;
use std::{collections::HashSet, path::Path, time::Duration};

/// Withdrawals of the batch, and deposits of it.
const EACH: u32 = 2_500;
/// Production's slots, in milliseconds: those of development are too short to author such a block.
const SLOT_MS: u64 = 6_000;
/// Blocks until a transaction that a node has accepted must be in.
const SOON: u32 = 5;
/// What hub and payer begin with.
const RICH: Balance = 1_000_000 * FRD;
/// What a user begins with.
const SOME: Balance = FRD;
/// What is deposited for a user.
const INSURED: Balance = 10 * FRD;
/// What a withdrawal takes of that.
const WITHDRAWN: Balance = 4 * FRD;
/// Last usable block of the users' proofs: no run gets there.
const VALID_UNTIL: u64 = 1_000_000;

/// Who takes part.
struct Cast {
    /// Those whose channels are insured from the beginning, and withdrawn from.
    insured: Vec<Account>,
    /// Those who get their insurance with the batch.
    others: Vec<AccountId>,
    hub: Account,
    payer: Account,
}

/// A chain with two nodes.
struct Network {
    chain: Chain,
    follower: Follower,
    imports: Imports,
    node: Node,
    genesis: H256,
}

/// Where a transaction went, and what it cost.
struct Included {
    block: Block,
    index: u32,
    weight: Weight,
}

/// Measures.
pub async fn run(bench: &Bench, dir: &Path) -> Result<Vec<Figure>, Failure> {
    let cast = Cast::new(bench.count(EACH))?;
    bench.tell("chain: starting a validator and a second node, with slots of 6 s");
    let mut network = Network::start(&cast, dir).await?;
    let mut hub = Signer::new(cast.hub.clone(), network.genesis);
    bench.tell("chain: insuring channels");
    network.include(&hub.sign(cast.first_deposits())?, "the first deposits").await?;
    bench.tell("chain: the batch");
    let mut figures = network.batch(&cast, &mut hub).await?;
    bench.tell("chain: the transfers");
    figures.extend(network.transfers(&cast).await?);
    network.stop().await?;
    Ok(figures)
}

impl Cast {
    fn new(each: u32) -> Result<Self, Failure> {
        let all = each.checked_mul(2).ok_or_else(|| failure("too many users"))?;
        // The hub and the payer have the two numbers before the users'.
        let first = 2;
        Ok(Self {
            insured: (0..each).map(|n| Account::number(n.saturating_add(first))).collect(),
            others: (each..all).map(|n| Account::number(n.saturating_add(first)).id()).collect(),
            hub: Account::number(0),
            payer: Account::number(1),
        })
    }

    /// Everybody but hub and payer.
    fn users(&self) -> impl Iterator<Item = AccountId> + '_ {
        self.insured.iter().map(Account::id).chain(self.others.iter().cloned())
    }

    /// How many actions the batch has, and how many transfers there are.
    fn items(&self) -> u32 {
        u32::try_from(self.users().count()).unwrap_or(u32::MAX)
    }

    /// The hub's deposit for a user, as rebalances make it: for one epoch.
    fn deposit(&self, user: AccountId) -> RuntimeCall {
        let (asset, amount, epoch) = (NATIVE_ASSET, INSURED, Some(0));
        let partner = self.hub.id();
        pallet_insurance::Call::deposit { asset, amount, beneficiary: user, partner, epoch }.into()
    }

    fn first_deposits(&self) -> RuntimeCall {
        atomic(self.insured.iter().map(|user| self.deposit(user.id())).collect())
    }

    /// The hub's withdrawal from the channel with a user, who signs.
    fn withdrawal(&self, user: &Account, genesis_hash: H256) -> Result<RuntimeCall, Failure> {
        let hub = self.hub.id();
        let pair = Pair::new(hub.clone(), user.id()).map_err(|_| failure("no pair"))?;
        let side = pair.side_of(&hub).ok_or_else(|| failure("not of the pair"))?;
        let (asset, amount) = (NATIVE_ASSET, WITHDRAWN);
        let item = WithdrawalItem { asset, amount, max_from_balance: 0 };
        let items = vec![item].try_into().map_err(|_| failure("too many assets"))?;
        let withdrawal = Withdrawal { withdrawal_nonce: 0, valid_until: VALID_UNTIL, items };
        let context = ChannelContext { genesis_hash, pair, epoch: 0 };
        let proof = user.sign(&context.withdrawal_message(side, &withdrawal));
        let partner = user.id();
        Ok(pallet_insurance::Call::withdraw { partner, withdrawal, proof }.into())
    }

    /// The batch that is measured.
    fn rebalance(&self, genesis: H256) -> Result<RuntimeCall, Failure> {
        let withdrawals = self.insured.iter().map(|user| self.withdrawal(user, genesis));
        let deposits = self.others.iter().map(|user| Ok(self.deposit(user.clone())));
        Ok(atomic(withdrawals.chain(deposits).collect::<Result<_, Failure>>()?))
    }
}

fn atomic(actions: Vec<RuntimeCall>) -> RuntimeCall {
    pallet_batch::Call::submit { actions, mode: Mode::Atomic }.into()
}

impl Network {
    async fn start(cast: &Cast, dir: &Path) -> Result<Self, Failure> {
        let mut options = ChainOptions::dev();
        options.slot_ms = Some(SLOT_MS);
        options.balances = cast.users().map(|user| (user, SOME)).collect();
        options.balances.extend([&cast.hub, &cast.payer].map(|rich| (rich.id(), RICH)));
        let chain = Chain::start(&options, dir).await?;
        let follower = chain.follow("follower").await?;
        let imports = Imports::watch(&follower);
        let node = Node::new(chain.url())?;
        let genesis = chain.client().info().genesis;
        let mut network = Self { chain, follower, imports, node, genesis };
        // What the second node had missed is imported at once, too fast to be told apart.
        let newest = network.chain.finalized().await?;
        while network.node.next_block().await?.number <= newest {}
        Ok(network)
    }

    /// Submits a transaction and waits for its block.
    async fn include(&mut self, transaction: &[u8], what: &str) -> Result<Included, Failure> {
        let refused = |problem| failure(format!("the node refuses {what}: {problem}"));
        self.node.submit(transaction).await.map_err(refused)?;
        for _ in 0..SOON {
            let block = self.node.next_block().await?;
            let place = block.transactions.iter().position(|bytes| bytes == transaction);
            if let Some(place) = place {
                let index = u32::try_from(place)?;
                let weight = block.weight(index).map_err(|e| failure(format!("{what}: {e}")))?;
                return Ok(Included { block, index, weight });
            }
        }
        Err(failure(format!("{what}: in none of the {SOON} blocks after it was accepted")))
    }

    async fn batch(&mut self, cast: &Cast, hub: &mut Signer) -> Result<Vec<Figure>, Failure> {
        let transaction = hub.sign(cast.rebalance(self.genesis)?)?;
        let declared = self.node.weigh(&transaction).await?;
        let included = self.include(&transaction, "the batch").await?;
        let items = cast.items();
        self.check(cast, &included).await?;
        let took = self.imports.of(included.block.number).await?;
        // The next block has nothing but its inherent.
        let next = self.node.next_block().await?;
        let empty = self.imports.of(next.number).await?;

        let class = DispatchClass::Normal;
        let weights = RuntimeBlockWeights::get();
        let limits = weights.get(class);
        let most = limits.max_total.unwrap_or(Weight::MAX);
        let single = limits.max_extrinsic.unwrap_or(most);
        let longest = *RuntimeBlockLength::get().max.get(class);
        let length = transaction.len() as f64;
        let counted = format!(
            "one transaction: {} withdrawals with a signature each, {} deposits",
            cast.insured.len(),
            cast.others.len()
        );
        let weight = picoseconds(included.weight);
        let share = |of: Weight| 100.0 * picoseconds(declared) / picoseconds(of);
        let of = |name: &str, value, unit| figure(format!("batch: {name}"), value, unit, &counted);
        Ok(vec![
            of("length per item", length / f64::from(items), "bytes"),
            of("weight per item", weight / 1e6 / f64::from(items), "µs"),
            of("share of a block's length", 100.0 * length / f64::from(longest), "%"),
            of("share of a block's weight", share(most), "%"),
            of("share of a transaction's", share(single), "%"),
            of("import", milliseconds(took), "ms"),
            of("import per item", milliseconds(took) * 1e3 / f64::from(items), "µs"),
            figure("empty block: import", milliseconds(empty), "ms", "the block after the batch"),
        ])
    }

    /// Every action of the batch must have taken effect, and in one block.
    async fn check(&self, cast: &Cast, included: &Included) -> Result<(), Failure> {
        let items = cast.items();
        let complete = included.block.events(included.index).any(|event| {
            use pallet_batch::Event::BatchCompleted;
            matches!(event, RuntimeEvent::Batch(BatchCompleted { done, skipped: 0, .. })
                if *done == items)
        });
        if !complete {
            return Err(failure("the batch is not complete"));
        }
        let client = self.chain.client();
        let hash = client.block_hash(included.block.number).await?;
        let hash = hash.ok_or_else(|| failure("the block of the batch is gone"))?;
        let users: Vec<_> = cast.users().collect();
        let views = client.pairs(&cast.hub.id(), &users, hash).await?;
        for (number, view) in views.iter().enumerate() {
            let before = number < cast.insured.len();
            let expected = if before { INSURED.saturating_sub(WITHDRAWN) } else { INSURED };
            let rows = &view.channel.collateral;
            let insured: Vec<_> = rows.iter().map(|(asset, row)| (*asset, row.insurance)).collect();
            if insured != [(NATIVE_ASSET, expected)] {
                return Err(failure(format!("channel {number} has {insured:?} after the batch")));
            }
        }
        Ok(())
    }

    async fn transfers(&mut self, cast: &Cast) -> Result<Vec<Figure>, Failure> {
        let mut payer = Signer::new(cast.payer.clone(), self.genesis);
        let mut length = 0usize;
        let mut waiting = HashSet::new();
        for user in cast.users() {
            let call = pallet_balances::Call::<Runtime>::transfer_keep_alive {
                dest: user.into(),
                value: FRD,
            };
            let transfer = payer.sign(call.into())?;
            length = length.saturating_add(transfer.len());
            self.node.submit(&transfer).await?;
            waiting.insert(transfer);
        }
        let items = f64::from(cast.items());
        let (mut weight, mut took) = (Weight::zero(), Duration::ZERO);
        let (mut blocks, mut without) = (0u32, 0u32);
        while !waiting.is_empty() {
            let block = self.node.next_block().await?;
            let mut some = false;
            for (index, transaction) in (0u32..).zip(&block.transactions) {
                if waiting.remove(transaction) {
                    some = true;
                    weight = weight.saturating_add(block.weight(index)?);
                }
            }
            if some {
                blocks = blocks.saturating_add(1);
                took = took.saturating_add(self.imports.of(block.number).await?);
                without = 0;
            } else {
                without = without.saturating_add(1);
            }
            if without > SOON {
                return Err(failure(format!("{} transfers are in no block", waiting.len())));
            }
        }
        let counted = format!("{items} transactions of one account, `transfer_keep_alive`");
        let of =
            |name: &str, value, unit| figure(format!("transfers: {name}"), value, unit, &counted);
        Ok(vec![
            of("length of one", length as f64 / items, "bytes"),
            of("weight of one", picoseconds(weight) / 1e6 / items, "µs"),
            of("blocks", f64::from(blocks), "blocks"),
            of("import, all blocks", milliseconds(took), "ms"),
            of("import of one", milliseconds(took) * 1e3 / items, "µs"),
        ])
    }

    async fn stop(self) -> Result<(), Failure> {
        drop(self.imports);
        self.follower.stop().await?;
        self.chain.stop().await
    }
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::{
        super::memory::{give, signed, Memory},
        *,
    };
    use failsafe_runtime::{Insurance, System};
    use frame_support::dispatch::GetDispatchInfo;
    use sp_runtime::traits::Dispatchable;

    fn submit(chain: &mut Memory, hub: &AccountId, batch: RuntimeCall) {
        chain.change(|| Ok(batch.dispatch(signed(hub)).expect("a batch that succeeds"))).unwrap();
        // The next batch of the account is for the next block.
        chain.block().unwrap();
    }

    #[test]
    fn rebalance_should_take_effect_and_weigh_less_than_alone_when_the_hub_submits_it() {
        let cast = Cast::new(3).unwrap();
        let (hub, mut chain) = (cast.hub.id(), Memory::new().unwrap());
        let everybody = cast.users().map(|user| (user, SOME)).chain([(hub.clone(), RICH)]);
        let give_all = || everybody.into_iter().try_for_each(|(who, amount)| give(&who, amount));
        chain.change(give_all).unwrap();
        submit(&mut chain, &hub, cast.first_deposits());
        let genesis = chain.look(|| System::block_hash(0));
        let batch = cast.rebalance(genesis).unwrap();
        let RuntimeCall::Batch(pallet_batch::Call::submit { actions, .. }) = &batch else {
            panic!("a batch");
        };
        assert_eq!(u32::try_from(actions.len()), Ok(cast.items()));
        chain.look(|| {
            let alone = actions.iter().map(|action| action.get_dispatch_info().call_weight);
            let alone = alone.fold(Weight::zero(), Weight::saturating_add);
            assert!(batch.get_dispatch_info().call_weight.ref_time() < alone.ref_time());
        });
        submit(&mut chain, &hub, batch);
        let insured: Vec<_> = chain.look(|| {
            let view = |user| Insurance::channel(hub.clone(), user).expect("two parties");
            cast.users().map(|user| view(user).collateral[0].1.insurance).collect()
        });
        let less = INSURED - WITHDRAWN;
        assert_eq!(insured, [less, less, less, INSURED, INSURED, INSURED]);
    }
}
