//! The book against a plain reference: lists that are searched from end to end, and prices in small
//! numbers.

use crate::*;
use frame_support::assert_ok;
use pallet_exchange::Reason;
use proptest::prelude::*;

/// An order of the reference.
#[derive(Clone, Debug, PartialEq)]
struct Resting {
    id: u64,
    owner: usize,
    gives: AssetId,
    left: Balance,
    buy: Balance,
    sell: Balance,
}

impl Resting {
    fn is_worth_nothing(&self) -> bool {
        self.left * self.buy / self.sell == 0
    }
}

/// A trade: maker, taker, what the maker gave, what it got.
type Traded = (u64, u64, Balance, Balance);

/// The reference: one list, and what each owner has, per asset.
#[derive(Clone, Debug)]
struct Reference {
    orders: Vec<Resting>,
    has: Vec<[i128; 2]>,
    next: u64,
    traded: Vec<Traded>,
}

fn slot(asset: AssetId) -> usize {
    usize::from(asset != FRD)
}

fn signed(amount: Balance) -> i128 {
    i128::try_from(amount).expect("small")
}

impl Reference {
    fn pay(&mut self, owner: usize, asset: AssetId, amount: i128) {
        self.has[owner][slot(asset)] += amount;
    }

    fn close(&mut self, order: &Resting) {
        self.pay(order.owner, order.gives, signed(order.left));
        self.pay(order.owner, FRD, signed(ORDER_DEPOSIT));
    }

    /// The best order against `taker` among those not passed by: least asked for what it gives, then
    /// the oldest.
    fn best(&self, taker: &Resting, passed: &[u64]) -> Option<Resting> {
        let against = |order: &&Resting| {
            order.gives != taker.gives
                && !passed.contains(&order.id)
                && order.buy * taker.buy <= order.sell * taker.sell
        };
        let all = self.orders.iter().filter(against);
        all.min_by(|a, b| (a.buy * b.sell).cmp(&(b.buy * a.sell)).then(a.id.cmp(&b.id))).cloned()
    }

    fn place(&mut self, mut taker: Resting, most: u32) {
        let other = if taker.gives == FRD { FRB } else { FRD };
        self.pay(taker.owner, taker.gives, -signed(taker.left));
        let mut passed = vec![];
        let mut out = false;
        let mut looked_at = 0;
        while let Some(mut maker) = self.best(&taker, &passed) {
            // It pays for no unit of this one, and less of any other.
            if taker.left * maker.sell < maker.buy {
                break;
            }
            if looked_at == most {
                out = true;
                break;
            }
            looked_at += 1;
            passed.push(maker.id);
            if maker.owner == taker.owner {
                self.orders.retain(|order| order.id != maker.id);
                self.close(&maker);
                continue;
            }
            let Some((bought, paid)) = amounts(&maker, &taker) else { continue };
            maker.left -= bought;
            taker.left -= paid;
            self.traded.push((maker.id, taker.id, bought, paid));
            self.pay(maker.owner, taker.gives, signed(paid));
            self.pay(taker.owner, other, signed(bought));
            self.orders.retain(|order| order.id != maker.id);
            if maker.is_worth_nothing() {
                self.close(&maker);
            } else {
                self.orders.push(maker);
            }
        }
        if out || taker.is_worth_nothing() {
            self.pay(taker.owner, taker.gives, signed(taker.left));
        } else {
            self.pay(taker.owner, FRD, -signed(ORDER_DEPOSIT));
            self.orders.push(taker);
        }
    }
}

/// What the two trade: the most, else what a unit less pays for, else whole lots.
fn amounts(maker: &Resting, taker: &Resting) -> Option<(Balance, Balance)> {
    let most = (taker.left * maker.sell / maker.buy).min(maker.left);
    let price = |bought: Balance| (bought * maker.buy).div_ceil(maker.sell);
    let suits = |bought: &Balance| {
        let paid = price(*bought);
        *bought > 0 && paid <= taker.left && bought * taker.sell >= paid * taker.buy
    };
    let less = (price(most).max(1) - 1) * maker.sell / maker.buy;
    let exact = (1..=most).rev().find(|bought| (bought * maker.buy).is_multiple_of(maker.sell));
    let candidates = [Some(most), Some(less.min(maker.left)), exact];
    candidates.into_iter().flatten().find(suits).map(|bought| (bought, price(bought)))
}

#[derive(Clone, Debug)]
enum Op {
    Place { owner: usize, native: bool, sell: Balance, buy: Balance, most: u32 },
    Cancel { nth: usize },
}

fn op() -> impl Strategy<Value = Op> {
    let amount = || prop_oneof![3 => 1..=40u128, 1 => 1..=1_000u128];
    prop_oneof![
        8 => (0..4usize, any::<bool>(), amount(), amount(), 0..=8u32)
            .prop_map(|(owner, native, sell, buy, most)| Op::Place { owner, native, sell, buy, most }),
        1 => any::<usize>().prop_map(|nth| Op::Cancel { nth }),
    ]
}

/// All trades so far.
fn traded() -> Vec<Traded> {
    let trade = |event| match event {
        pallet_exchange::Event::Traded { maker_order, taker_order, amount, paid, .. } => {
            Some((maker_order, taker_order, amount, paid))
        },
        _ => None,
    };
    events().into_iter().filter_map(trade).collect()
}

fn run(ops: Vec<Op>) {
    const RICH: Balance = 1_000_000;
    let p = Party::ordered(4);
    let builder =
        p.iter().fold(ExtBuilder::default(), |b, who| b.balance(who, RICH).frb(who, RICH));
    builder.build_and_execute(|| {
        let mut reference = Reference {
            orders: vec![],
            has: vec![[signed(RICH); 2]; p.len()],
            next: 0,
            traded: vec![],
        };
        for op in ops {
            match op {
                Op::Place { owner, native, sell, buy, most } => {
                    let (gives, other) = if native { (FRD, FRB) } else { (FRB, FRD) };
                    assert_ok!(place_with(&p[owner], (gives, sell), (other, buy), most));
                    let id = reference.next;
                    reference.next += 1;
                    reference.place(Resting { id, owner, gives, left: sell, buy, sell }, most);
                },
                Op::Cancel { nth } if !reference.orders.is_empty() => {
                    let order = reference.orders.remove(nth % reference.orders.len());
                    assert_ok!(Exchange::cancel(p[order.owner].origin(), order.id));
                    assert_eq!(ending(order.id), Some((Reason::Cancelled, order.left)));
                    reference.close(&order);
                },
                Op::Cancel { .. } => {},
            }
            assert_eq!(traded(), reference.traded, "who traded with whom, in order and amount");
            let mut expected: Vec<_> = reference.orders.iter().map(|o| (o.id, o.left)).collect();
            let mut actual = [resting(FRD, FRB), resting(FRB, FRD)].concat();
            expected.sort_unstable();
            actual.sort_unstable();
            assert_eq!(actual, expected, "what rests");
            for (who, has) in p.iter().zip(&reference.has) {
                assert_eq!([FRD, FRB].map(|asset| signed(free(asset, who))), *has);
            }
        }
        check_invariants();
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn book_should_trade_by_price_and_time_like_the_reference(
        ops in prop::collection::vec(op(), 1..60),
    ) {
        run(ops);
    }
}
