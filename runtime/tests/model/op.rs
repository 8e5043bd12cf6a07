//! What can happen: small numbers that the world gives a meaning to, so that shrinking works and
//! most of what is tried makes sense.

use failsafe_model::chain::Mode;
use proptest::{collection::vec, prelude::*};
use std::fmt;

/// One step of a sequence.
#[derive(Clone, Debug)]
pub enum Op {
    /// A transaction of a party.
    Call {
        /// Which pair, and from which side.
        seat: Seat,
        /// What it does.
        kind: Kind,
        /// Whether it gives a tip.
        tip: bool,
    },
    /// Many actions of a party under one signature.
    Batch {
        /// Whose pair, and from which side, by default.
        seat: Seat,
        /// What it does.
        kinds: Vec<Kind>,
        /// What of those that fail.
        mode: Mode,
        /// Whether it sends another one at once.
        twice: bool,
    },
    /// A payment off chain.
    Pay {
        /// From whom to whom.
        seat: Seat,
        /// In which asset.
        asset: u8,
        /// How much.
        amount: u8,
        /// As a lock, of which secret, for how long.
        lock: Option<(u8, u8)>,
        /// Whether its nonce leaves one out.
        jump: bool,
        /// Whether the receiver acknowledges it.
        acked: bool,
    },
    /// The first lock of a simplex is settled or cancelled.
    Unlock {
        /// Whose.
        seat: Seat,
        /// Whether it is paid.
        settled: bool,
        /// Whether the receiver acknowledges it.
        acked: bool,
    },
    /// A whole dispute: what random steps alone seldom come to.
    Story {
        /// Who pays, and disputes.
        seat: Seat,
        /// In which asset.
        asset: u8,
        /// How much, first and then.
        amounts: (u8, u8),
        /// As a lock, the second time.
        lock: Option<(u8, u8)>,
        /// Whether its secret is revealed.
        reveal: bool,
        /// What the starter shows of himself.
        shown: Own,
        /// Who answers.
        answer: Answer,
        /// Whether the payee claims late, twice.
        late: bool,
    },
    /// The block ends, and so many empty ones follow.
    Blocks(u8),
    /// The block ends, full to the brim.
    FullBlock,
}

/// Who answers a dispute.
#[derive(Clone, Copy, Debug)]
pub enum Answer {
    /// Nobody.
    Nobody,
    /// The responder.
    Partner,
    /// Anybody, with simplexes that both have signed.
    Tower,
}

/// A pair, and who of the two acts.
#[derive(Clone, Copy, Debug)]
pub struct Seat {
    /// Number of the pair.
    pub pair: u8,
    /// Whether right acts.
    pub right: bool,
}

/// Which simplex is shown.
#[derive(Clone, Copy, Debug)]
pub enum Pick {
    /// None.
    Nothing,
    /// The newest.
    Newest,
    /// So many before the newest.
    Older(u8),
    /// Signed by somebody else.
    Forged,
    /// Of an epoch that is over.
    OldEpoch,
    /// Breaking the bounds.
    Malformed,
}

/// How the own simplex is shown.
#[derive(Clone, Copy, Debug)]
pub enum Own {
    /// None.
    Nothing,
    /// The newest acknowledged one, so many back.
    Acked(u8),
    /// The newest one, with its floor if there is one.
    Unacked,
    /// One that was never sent: the nonce above the newest, and a factor of the newest sent in
    /// quarters.
    Invented(u8, u8),
    /// With the ack of somebody else.
    Forged,
}

/// What is wrong with a proof.
#[derive(Clone, Copy, Debug)]
pub enum Flaw {
    /// Nothing.
    None,
    /// Used before, or not due.
    Nonce,
    /// Too late.
    Expired,
    /// Signed by somebody else.
    Signer,
    /// Of another epoch.
    Epoch,
}

/// A call.
#[derive(Clone, Debug)]
pub enum Kind {
    /// A deposit: asset, amount, for the partner, with which epoch (none, right, wrong).
    Deposit(u8, u8, bool, u8),
    /// A deposit for the pair by somebody who is not of it.
    Gift(u8, u8),
    /// A withdrawal: asset, amount, bound of what is drawn, another asset, flaw.
    Withdraw(u8, u8, u8, Option<(u8, u8)>, Flaw),
    /// An earlier withdrawal or late claim again.
    Replay(u8),
    /// A dispute: theirs, ours, in a wrong epoch.
    Dispute(Pick, Own, bool),
    /// A counter.
    Counter(Pick, Own),
    /// A counter by somebody else: for whom, left's, right's, with a wrong ack.
    CounterFor(u8, Option<u8>, Option<u8>, bool),
    /// Accepts what is presented, or something else.
    Accept(bool),
    /// A close: on what both have (or with another offdelta), flaw.
    Close(Option<(u8, i8)>, Flaw),
    /// A resolve of a pair.
    Resolve(u8),
    /// A late claim: how many epochs back, what is shown.
    LateClaim(u8, Pick),
    /// Reveals secrets.
    Reveal(u8, u8),
    /// Pushes a debtor's payments.
    Enforce(u8, u8),
    /// Forgives a debt of the partner: asset, place in the line.
    Forgive(u8, u8),
    /// Fetches unclaimed money.
    Claim(u8, u8),
    /// A transfer to the partner.
    Transfer(u8, u8),
    /// The issuer, or another one, freezes an account.
    Freeze(u8, u8),
    /// …blocks it.
    Block(u8, u8),
    /// …lets it go.
    Thaw(u8, u8),
    /// …stops an asset.
    FreezeAsset(u8),
    /// …lets it go.
    ThawAsset(u8),
}

fn seat() -> impl Strategy<Value = Seat> {
    (any::<u8>(), any::<bool>()).prop_map(|(pair, right)| Seat { pair, right })
}

fn pick() -> impl Strategy<Value = Pick> {
    prop_oneof![
        4 => Just(Pick::Newest),
        2 => Just(Pick::Nothing),
        3 => (1u8..4).prop_map(Pick::Older),
        1 => Just(Pick::Forged),
        1 => Just(Pick::OldEpoch),
        1 => Just(Pick::Malformed),
    ]
}

fn own() -> impl Strategy<Value = Own> {
    prop_oneof![
        3 => (0u8..3).prop_map(Own::Acked),
        3 => Just(Own::Nothing),
        3 => Just(Own::Unacked),
        2 => (0u8..4, 0u8..7).prop_map(|(above, quarters)| Own::Invented(above, quarters)),
        1 => Just(Own::Forged),
    ]
}

fn flaw() -> impl Strategy<Value = Flaw> {
    prop_oneof![
        8 => Just(Flaw::None),
        1 => Just(Flaw::Nonce),
        1 => Just(Flaw::Expired),
        1 => Just(Flaw::Signer),
        1 => Just(Flaw::Epoch),
    ]
}

fn kind() -> impl Strategy<Value = Kind> {
    let n = any::<u8>;
    prop_oneof![
        10 => (n(), n(), any::<bool>(), 0u8..8)
            .prop_map(|(asset, amount, theirs, epoch)| Kind::Deposit(asset, amount, theirs, epoch)),
        2 => (n(), n()).prop_map(|(asset, amount)| Kind::Gift(asset, amount)),
        8 => (n(), n(), n(), proptest::option::weighted(0.3, (n(), n())), flaw()).prop_map(
            |(asset, amount, bound, more, flaw)| Kind::Withdraw(asset, amount, bound, more, flaw)
        ),
        4 => n().prop_map(Kind::Replay),
        12 => (pick(), own(), proptest::bool::weighted(0.05))
            .prop_map(|(theirs, ours, wrong)| Kind::Dispute(theirs, ours, wrong)),
        8 => (pick(), own()).prop_map(|(theirs, ours)| Kind::Counter(theirs, ours)),
        3 => (
            n(),
            proptest::option::of(0u8..3),
            proptest::option::of(0u8..3),
            proptest::bool::weighted(0.1),
        )
            .prop_map(|(pair, left, right, wrong)| Kind::CounterFor(pair, left, right, wrong)),
        4 => proptest::bool::weighted(0.85).prop_map(Kind::Accept),
        4 => (proptest::option::weighted(0.4, (n(), any::<i8>())), flaw())
            .prop_map(|(other, flaw)| Kind::Close(other, flaw)),
        2 => n().prop_map(Kind::Resolve),
        5 => (0u8..3, pick()).prop_map(|(back, pick)| Kind::LateClaim(back, pick)),
        4 => (n(), n()).prop_map(|(first, second)| Kind::Reveal(first, second)),
        3 => (n(), n()).prop_map(|(asset, who)| Kind::Enforce(asset, who)),
        3 => (n(), n()).prop_map(|(asset, place)| Kind::Forgive(asset, place)),
        3 => (n(), n()).prop_map(|(asset, who)| Kind::Claim(asset, who)),
        8 => (n(), n()).prop_map(|(asset, amount)| Kind::Transfer(asset, amount)),
        1 => (n(), n()).prop_map(|(asset, who)| Kind::Freeze(asset, who)),
        2 => (n(), n()).prop_map(|(asset, who)| Kind::Block(asset, who)),
        4 => (n(), n()).prop_map(|(asset, who)| Kind::Thaw(asset, who)),
        1 => n().prop_map(Kind::FreezeAsset),
        3 => n().prop_map(Kind::ThawAsset),
    ]
}

fn story() -> impl Strategy<Value = Op> {
    let n = any::<u8>;
    let lock = proptest::option::weighted(0.5, (n(), n()));
    let answer = prop_oneof![2 => Just(Answer::Nobody), 2 => Just(Answer::Partner), 1 => Just(Answer::Tower)];
    let flags = (any::<bool>(), proptest::bool::weighted(0.6));
    (seat(), n(), (n(), n()), lock, own(), answer, flags).prop_map(
        |(seat, asset, amounts, lock, shown, answer, (reveal, late))| Op::Story {
            seat,
            asset,
            amounts,
            lock,
            reveal,
            shown,
            answer,
            late,
        },
    )
}

fn op() -> impl Strategy<Value = Op> {
    let mode = prop_oneof![Just(Mode::Atomic), Just(Mode::SkipFailed)];
    let lock = proptest::option::weighted(0.35, (any::<u8>(), any::<u8>()));
    prop_oneof![
        40 => (seat(), kind(), proptest::bool::weighted(0.1))
            .prop_map(|(seat, kind, tip)| Op::Call { seat, kind, tip }),
        4 => (seat(), vec(kind(), 0..5), mode, proptest::bool::weighted(0.2))
            .prop_map(|(seat, kinds, mode, twice)| Op::Batch { seat, kinds, mode, twice }),
        8 => story(),
        18 => (seat(), any::<u8>(), any::<u8>(), lock, any::<bool>(), any::<bool>()).prop_map(
            |(seat, asset, amount, lock, jump, acked)| Op::Pay {
                seat, asset, amount, lock, jump, acked
            }
        ),
        3 => (seat(), any::<bool>(), any::<bool>())
            .prop_map(|(seat, settled, acked)| Op::Unlock { seat, settled, acked }),
        20 => (0u8..4).prop_map(Op::Blocks),
        6 => (4u8..14).prop_map(Op::Blocks),
        1 => Just(Op::FullBlock),
    ]
}

/// What happens in one case.
#[derive(Clone)]
pub struct Sequence(pub Vec<Op>);

impl fmt::Debug for Sequence {
    /// One line per step.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (step, op) in self.0.iter().enumerate() {
            write!(f, "\n{step}: {op:?}")?;
        }
        Ok(())
    }
}

/// A sequence.
pub fn sequence() -> impl Strategy<Value = Sequence> {
    vec(op(), 15..80).prop_map(Sequence)
}
