//! One game: who plays, what they do, and whether anybody honest has lost.

use super::{
    env::{Counts, Env},
    evil::{Evil, ACCOMPLICE, SINK},
    half::{assets, signed, Amounts, Purpose, ASSETS},
    party::{IncomingState, Invoice, Party, Peer},
    pay::Offer,
    rng::Rng,
    rules::{Numbers, Rules},
};
use crate::chain::{Account, Amount, AssetRules, Call, Chain, Genesis, Hash, Params, Secret};
use std::{
    collections::BTreeMap,
    fmt,
    panic::{catch_unwind, AssertUnwindSafe},
    rc::Rc,
};

/// Who is in a row, and which of them are evil, by index.
#[derive(Clone, Copy, Debug)]
pub struct Cast {
    /// Names, neighbours have channels.
    pub names: &'static [&'static str],
    /// The evil ones.
    pub evil: &'static [usize],
}

const ONE_HUB: &[&str] = &["A", "H", "B"];
const TWO_HUBS: &[&str] = &["A", "H1", "H2", "B"];

const fn one(evil: &'static [usize]) -> Cast {
    Cast { names: ONE_HUB, evil }
}

const fn two(evil: &'static [usize]) -> Cast {
    Cast { names: TWO_HUBS, evil }
}

/// All casts; the seed picks one.
pub const CASTS: &[Cast] = &[
    two(&[]),
    one(&[0]),
    two(&[0]),
    one(&[1]),
    two(&[1]),
    one(&[2]),
    two(&[2]),
    one(&[0, 2]),
    two(&[3]),
    one(&[0, 1]),
    two(&[0, 3]),
    one(&[1, 2]),
    two(&[0, 1]),
    two(&[1, 2]),
    two(&[0, 2]),
    one(&[]),
    two(&[1, 3]),
    two(&[2, 3]),
];

/// The cast of a seed.
pub fn cast_of(seed: u64) -> Cast {
    let casts = u64::try_from(CASTS.len()).expect("few casts");
    CASTS[usize::try_from(seed % casts).expect("below a length")]
}

impl fmt::Display for Cast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let evil: Vec<_> = self.evil.iter().map(|index| self.names[*index]).collect();
        let evil = if evil.is_empty() { "nobody".to_string() } else { evil.join("+") };
        write!(f, "{} evil: {evil}", self.names.join("-"))
    }
}

/// What must not happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Its sort: `loss`, `overexposed`, `stuck`, `diverged`, `unresolved`, `broken`.
    pub sort: &'static str,
    /// Who, and by how much.
    pub what: String,
}

/// How a game went.
#[derive(Clone, Debug)]
pub struct Game {
    /// Whatever must not happen and did.
    pub violations: Vec<Violation>,
    /// How often what has happened.
    pub counts: BTreeMap<&'static str, u64>,
    /// Line by line, if asked for.
    pub trace: Vec<String>,
}

/// Plays one game.
pub fn play(seed: u64, rules: Rules, numbers: Numbers, trace: bool) -> Game {
    let result = catch_unwind(AssertUnwindSafe(|| World::new(seed, rules, numbers, trace).run()));
    result.unwrap_or_else(|panic| {
        let text = panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
        let what = text.unwrap_or_else(|| "a panic".to_string());
        Game {
            violations: vec![Violation { sort: "broken", what }],
            counts: Counts::new(),
            trace: vec![],
        }
    })
}

struct World {
    env: Env,
    parties: Vec<Party>,
    row: Vec<Account>,
    evil: Vec<Account>,
    next_secret: u64,
}

/// What every party begins with, in each asset.
const INITIAL: Amount = 1_000;

impl World {
    fn new(seed: u64, rules: Rules, numbers: Numbers, trace: bool) -> Self {
        let mut rng = Rng::new(seed);
        let cast = cast_of(seed);
        let mut row: Vec<Account> = (1..).take(cast.names.len()).collect();
        rng.shuffle(&mut row);
        let params = Params {
            delay_hub: numbers.delay_hub,
            delay_user: numbers.delay_user,
            lock_window: numbers.window,
            keep: numbers.keep,
            late: numbers.late,
            literal_a10: numbers.a10 == 0,
            raise_floor: numbers.a10 == 2,
            unacked_as_acked: numbers.unacked_as_acked == 1,
            ..Params::default()
        };
        let assets_of_game = assets().map(|(_, asset)| (asset, AssetRules::default())).collect();
        let hubs = row[1..row.len() - 1].iter().copied().collect();
        let genesis = Genesis { params, assets: assets_of_game, hubs, ..Genesis::default() };
        let mut chain = Chain::new(genesis);
        for (_, asset) in assets() {
            for who in &row {
                chain.mint(asset, *who, INITIAL);
            }
            chain.mint(asset, SINK, 1);
            chain.mint(asset, ACCOMPLICE, 10);
        }
        let chain = Rc::new(chain);
        let mut parties = vec![];
        for (index, who) in row.iter().enumerate() {
            let evil = cast.evil.contains(&index).then(|| Evil::new(&mut rng));
            let mut party = Party::new(*who, cast.names[index], &chain, evil);
            party.initial = [INITIAL; ASSETS];
            for neighbour in [index.wrapping_sub(1), index + 1] {
                let Some(partner) = row.get(neighbour) else { continue };
                let hub = index > 0 && index + 1 < row.len();
                let most: &[Amount] = if hub { &[0, 50, 150] } else { &[0, 100, 200, 400] };
                let credit = std::array::from_fn(|_| *rng.pick(most));
                party.credits.insert(*partner, credit);
                party.peers.insert(*partner, Peer::new(*who, *partner, 0));
            }
            parties.push(party);
        }
        let evil = cast.evil.iter().map(|index| row[*index]).collect();
        let env = Env::new(rules, numbers, rng, Chain::clone(&chain), trace);
        let mut world = Self { env, parties, row, evil, next_secret: 0 };
        world.env.say(|| format!("{cast}"));
        for party in &mut world.parties {
            for partner in party.partners() {
                let most = party.credits[&partner];
                party.set_credit(&mut world.env, partner, most);
            }
        }
        world
    }

    fn party(&mut self, who: Account) -> &mut Party {
        self.parties.iter_mut().find(|party| party.who == who).expect("a party")
    }

    /// Makes an invoice of one end of the row and gives it to the other end.
    fn offer(&mut self, from_left: bool) {
        let mut path = self.row.clone();
        if !from_left {
            path.reverse();
        }
        let (payer, recipient) = (path.remove(0), *path.last().expect("more than one"));
        self.next_secret += 1;
        let secret = Secret(self.next_secret);
        let hash: Hash = secret.hash();
        let asset = self.env.rng.index(ASSETS);
        let amount = Amount::from(self.env.rng.range(1, 120));
        if self.evil.contains(&recipient) {
            self.env.leaked.insert(hash, secret);
        }
        self.party(recipient).invoices.insert(hash, Invoice { secret, asset, amount });
        self.party(payer).offers.push(Offer { secret_hash: hash, asset, amount, path });
    }

    fn amount(&mut self, most: u64) -> (usize, Amount) {
        (self.env.rng.index(ASSETS), Amount::from(self.env.rng.range(1, most)))
    }

    /// One party does something.
    fn act(&mut self) {
        let index = self.env.rng.index(self.parties.len());
        let who = self.parties[index].who;
        if self.env.away.contains(&who) {
            return;
        }
        let partners = self.parties[index].partners();
        let partner = *self.env.rng.pick(&partners);
        let is_end = index == 0 || index + 1 == self.parties.len();
        let honest = self.parties[index].evil.is_none();
        let what = self.env.rng.range(0, 999);
        match what {
            0..=349 if is_end => {
                if self.parties[index].offers.is_empty() {
                    self.offer(index == 0);
                }
                self.parties[index].begin_locked(&mut self.env, partner);
            },
            0..=549 if self.env.numbers.direct == 1 => {
                let sum = self.amount(60);
                self.parties[index].pay(&mut self.env, partner, sum, Purpose::Direct);
            },
            350..=619 if is_end => self.pay_through(index, partner),
            350..=699 => {
                let (asset, amount) = self.amount(200);
                let (_, asset) = assets().nth(asset).expect("below their number");
                let party = &self.parties[index];
                let epoch = party.finalized.epoch(party.peer(partner).pair);
                let epoch = self.env.rules.bind_epoch.then_some(epoch);
                // A gift to the partner is nothing that an honest party does.
                let gift = !honest && self.env.rng.chance(200);
                let (beneficiary, other) = if gift { (partner, who) } else { (who, partner) };
                let call = Call::Deposit { asset, amount, beneficiary, partner: other, epoch };
                if honest {
                    self.env.submit(who, call);
                } else {
                    self.env.slip_in(who, call);
                }
            },
            700..=769 => {
                let amounts: Amounts =
                    std::array::from_fn(|_| Amount::from(self.env.rng.range(0, 150)));
                self.parties[index].reserve(&mut self.env, partner, amounts);
            },
            770..=809 if honest => {
                let most = self.parties[index].credits[&partner];
                let part = Amount::from(self.env.rng.range(0, 3));
                let credit = most.map(|most| most * part / 3);
                self.parties[index].set_credit(&mut self.env, partner, credit);
            },
            810..=814 => self.parties[index].start(&mut self.env, partner),
            815..=821 => self.parties[index].offer_close(&mut self.env, partner),
            822..=879 => self.reconnect(who, partner),
            _ => self.parties[index].ack(&mut self.env, partner),
        }
    }

    /// A plain payment from one end of the row to the other, in trust of the hubs.
    fn pay_through(&mut self, index: usize, partner: Account) {
        let mut path = self.row.clone();
        if index > 0 {
            path.reverse();
        }
        let path = path[2..].to_vec();
        self.next_secret += 1;
        let name = self.next_secret;
        let (asset, amount) = self.amount(60);
        let sum = (asset, amount + Amount::try_from(path.len()).expect("short"));
        let purpose = Purpose::Onward { name, path };
        if self.parties[index].pay(&mut self.env, partner, sum, purpose) {
            self.env.count("plain payments begun");
        }
    }

    fn reconnect(&mut self, one: Account, other: Account) {
        self.env.wire.cut(one, other);
        for (who, partner) in [(one, other), (other, one)] {
            let index = self.row.iter().position(|a| *a == who).expect("a party");
            self.parties[index].hello(&mut self.env, partner);
        }
    }

    fn reconnect_all(&mut self) {
        for (one, other) in self.row.clone().iter().zip(&self.row.clone()[1..]) {
            self.reconnect(*one, *other);
        }
    }

    /// Delivers up to `count` messages, each line in its order.
    fn deliver(&mut self, count: u64) {
        for _ in 0..count {
            let busy = self.env.wire.busy();
            if busy.is_empty() {
                return;
            }
            let line = *self.env.rng.pick(&busy);
            let Some(message) = self.env.wire.take(line) else { continue };
            let (from, to) = line;
            if self.env.away.contains(&to) || self.env.away.contains(&from) {
                continue;
            }
            let index = self.row.iter().position(|a| *a == to).expect("a party");
            self.parties[index].receive(&mut self.env, from, message);
        }
    }

    /// Users go for a while that is longer than they have to answer, and come back.
    fn come_and_go(&mut self) {
        let height = self.env.height();
        for index in 0..self.parties.len() {
            let who = self.parties[index].who;
            if self.env.away.contains(&who) {
                if height >= self.parties[index].away_until {
                    self.env.away.remove(&who);
                    self.env.say(|| format!("{who} is back"));
                    for partner in self.parties[index].partners() {
                        self.reconnect(who, partner);
                    }
                }
                continue;
            }
            let is_end = index == 0 || index + 1 == self.parties.len();
            let party = &self.parties[index];
            // Who waits for a lock that it gave the secret for has to stay.
            let waits =
                party.incoming.values().any(|incoming| incoming.state == IncomingState::Pending);
            let may = is_end && party.evil.is_none() && !waits;
            if may && !self.env.ending && self.env.rng.chance(self.env.numbers.absences) {
                let until = height + self.env.rng.range(10, 25);
                self.env.away.insert(who);
                self.env.count("absences");
                self.env.say(|| format!("{who} goes away"));
                let party = &mut self.parties[index];
                (party.away_until, party.was_away) = (until, true);
                for partner in party.partners() {
                    self.env.wire.cut(who, partner);
                }
            }
        }
    }

    /// The next block, and all that it makes parties do.
    fn block(&mut self) {
        self.env.advance();
        self.come_and_go();
        for index in 0..self.parties.len() {
            let party = &mut self.parties[index];
            if self.env.away.contains(&party.who) {
                continue;
            }
            if party.missed < self.env.numbers.view && self.env.rng.chance(150) {
                party.missed += 1;
            } else {
                party.missed = 0;
                party.tick(&mut self.env);
            }
        }
    }

    fn run(mut self) -> Game {
        for _ in 0..self.env.numbers.blocks {
            for _ in 0..self.env.rng.range(0, 4) {
                self.act();
                let count = self.env.rng.range(0, 6);
                self.deliver(count);
            }
            self.block();
        }
        self.env.say(|| "no new business".to_string());
        self.env.ending = true;
        for party in &mut self.parties {
            party.away_until = 0;
        }
        let window = self.env.numbers.window + self.env.numbers.margin;
        for block in 0..window + 24 {
            self.deliver(400);
            self.block();
            self.deliver(400);
            if block % 9 == 3 {
                self.reconnect_all();
            }
        }
        let mut violations = self.check_pairs();
        self.env.say(|| "everything is resolved".to_string());
        self.tell_credits();
        for _ in 0..2 {
            for index in 0..self.parties.len() {
                if self.parties[index].evil.is_none() {
                    for partner in self.parties[index].partners() {
                        self.parties[index].start(&mut self.env, partner);
                    }
                }
            }
            for _ in 0..window + 24 {
                self.deliver(200);
                self.block();
            }
        }
        violations.extend(self.check_money());
        self.note_kept();
        let (counts, trace) = self.env.into_trace();
        Game { violations, counts, trace }
    }

    /// Puts who gives whom how much credit into the trace.
    fn tell_credits(&mut self) {
        for party in &self.parties {
            let (who, credits) = (party.who, &party.credits);
            self.env.say(|| format!("{who} gives at most the credits {credits:?}"));
        }
    }

    fn is_honest(&self, who: Account) -> bool {
        !self.evil.contains(&who)
    }

    /// No pair of honest parties may be stuck, apart, or with business unfinished.
    fn check_pairs(&self) -> Vec<Violation> {
        let mut found = vec![];
        for party in self.parties.iter().filter(|party| party.evil.is_none()) {
            for (partner, peer) in party.peers.iter().filter(|(p, _)| self.is_honest(**p)) {
                let (name, who) = (party.name, party.who);
                if let Some(fault) = &peer.stuck {
                    let what = format!("{name} ({who}) rejects {partner}: {fault}");
                    found.push(Violation { sort: "stuck", what });
                    continue;
                }
                let other = self.parties.iter().find(|other| other.who == *partner);
                let other = other.expect("a party").peer(who);
                let comparable =
                    peer.epoch == other.epoch && !peer.freeze.holds() && !other.freeze.holds();
                let same = peer.mine.nonce == other.theirs.nonce
                    && peer.mine.sent == other.theirs.sent
                    && peer.mine.locks.is_empty();
                if comparable && !same {
                    let what = format!(
                        "{name} ({who}) with {partner}: {:?} against {:?}",
                        peer.mine, other.theirs
                    );
                    found.push(Violation { sort: "diverged", what });
                }
            }
        }
        found
    }

    /// Nobody honest may have less than it is owed, or be owed more than the credit it gave.
    fn check_money(&self) -> Vec<Violation> {
        let end = self.env.head();
        let mut found = vec![];
        for party in self.parties.iter().filter(|party| party.evil.is_none()) {
            let (name, who) = (party.name, party.who);
            for (partner, peer) in &party.peers {
                let dispute = end.channel(peer.pair).and_then(|channel| channel.dispute.as_ref());
                if dispute.is_some_and(|dispute| dispute.resolve_at < end.clock()) {
                    let what = format!("{name} ({who}) with {partner}: a dispute does not end");
                    found.push(Violation { sort: "unresolved", what });
                }
            }
            for (index, asset) in assets() {
                let owed = party.entitlement(&self.env, index);
                let held = end.free(asset, who) + end.unclaimed(asset, who);
                let claims = self.others(who).map(|other| end.owed_to(other, who, asset));
                let claims: Amount = claims.sum();
                let has = signed(held + claims) - signed(end.owes(who, asset));
                if has < owed {
                    let what = format!("{name} ({who}) has {has} of asset {asset}, should {owed}");
                    found.push(Violation { sort: "loss", what });
                    continue;
                }
                // What an evil partner may keep is at most the credit that it got.
                let sure = self.others(who).map(|other| {
                    let claim = end.owed_to(other, who, asset);
                    let credit = party.credits.get(&other).map_or(claim, |most| most[index]);
                    if self.evil.contains(&other) {
                        claim.min(credit)
                    } else {
                        claim
                    }
                });
                let sure: Amount = sure.sum();
                let real = signed(held + sure) - signed(end.owes(who, asset));
                if real < owed && !party.was_away {
                    let what = format!(
                        "{name} ({who}) has {real} of asset {asset} within its credits ({has} in \
                         all), should {owed}"
                    );
                    found.push(Violation { sort: "overexposed", what });
                }
            }
        }
        found
    }

    fn others(&self, who: Account) -> impl Iterator<Item = Account> + '_ {
        self.row.iter().copied().chain([SINK, ACCOMPLICE]).filter(move |other| *other != who)
    }

    /// Counts what honest hubs have at the end beyond what they are owed, if all are honest: money
    /// of payments that got lost in between.
    fn note_kept(&mut self) {
        if !self.evil.is_empty() {
            return;
        }
        let end = self.env.head();
        for index in 1..self.parties.len() - 1 {
            let party = &self.parties[index];
            for (number, asset) in assets() {
                let claims = self.others(party.who).map(|o| end.owed_to(o, party.who, asset));
                let has = signed(end.free(asset, party.who) + claims.sum::<Amount>())
                    - signed(end.owes(party.who, asset));
                let kept = has - party.entitlement(&self.env, number);
                // It earns 1 per lock.
                let paid = party.incoming.values();
                let locks = paid.filter(|lock| lock.state == IncomingState::Paid).count();
                if kept > signed(Amount::try_from(locks).expect("few locks")) {
                    let name = party.name;
                    self.env.say(|| format!("{name} keeps {kept} of asset {asset}"));
                    self.env.count("hubs that kept a payment");
                }
            }
        }
    }
}
