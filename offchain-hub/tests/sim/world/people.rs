//! What people do: they pay with locks and without, and move money between chain and channels.

use super::{PlainTry, Try, Vice, World, FEE};
use codec::Encode;
use failsafe_hub::{
    chain::Call,
    party::{
        core::Input,
        locks::{
            incoming::{Invoice, InvoiceState},
            outgoing::{LockedOrder, LockedPart},
        },
        Command,
    },
};
use failsafe_onion::{Hop, Next};
use failsafe_primitives::{fees::HubFees, simplex::lock_hash, AccountId, Balance, NATIVE_ASSET};
use rand::Rng;

impl World {
    pub(super) fn command(&mut self, at: usize, command: Command) {
        let (reply, _) = tokio::sync::oneshot::channel();
        self.feed(at, Input::Command(command, reply));
    }

    /// An invoice of `payee`, and a payment of it by `payer` over all between them.
    pub fn pay(&mut self, payer: usize, payee: usize, amount: Balance, total: Balance) {
        let Some(order) = self.order(payer, payee, amount, total) else { return };
        self.command(payer, Command::PayLocked(Box::new(order)));
    }

    /// What [`Self::pay`] tells the payer to do.
    pub fn order(
        &mut self,
        payer: usize,
        payee: usize,
        amount: Balance,
        total: Balance,
    ) -> Option<LockedOrder> {
        let route = self.route_between(payer, payee)?;
        let number = u8::try_from(self.tries.len() % 250).expect("below 250");
        let mut secret = [number; 32];
        secret[..8].copy_from_slice(&u64::try_from(self.tries.len()).expect("few").to_le_bytes());
        let payment_secret = [9; 32];
        let hash = lock_hash(&secret);
        let invoice = Invoice {
            secret,
            payment_secret,
            asset: NATIVE_ASSET,
            amount: Some(amount),
            expires_ms: u64::MAX,
            state: InvoiceState::Open,
            parts: vec![],
            received: 0,
        };
        self.command(payee, Command::Invoice(Box::new(invoice)));
        let clock = self.chain.best().clock();
        // Some leave too little time, which must be refused.
        let least = if self.rng.gen_bool(0.15) { 1 } else { 9 };
        let expiry = clock + self.rng.gen_range(least..=16);
        // What the hops are told: by a cheat, to lock for longer than they are locked for.
        let cheats = self.parties[payer].vice == Vice::NoSettle && self.rng.gen_bool(0.3);
        let told = if cheats { expiry + self.rng.gen_range(1..=6) } else { expiry };
        let bytes = |account: AccountId| *AsRef::<[u8; 32]>::as_ref(&account);
        let mut hops = vec![];
        let mut carried = amount;
        for (index, at) in route.iter().enumerate().rev() {
            let last = index + 1 == route.len();
            let next = if last {
                Next::Here { total: amount, payment_secret }
            } else if index + 2 == route.len() {
                Next::Recipient(bytes(self.account(route[index + 1])))
            } else {
                Next::Hub(bytes(self.account(route[index + 1])))
            };
            let key = failsafe_onion::public_key(&self.parties[*at].onion_key);
            hops.push((key, Hop { next, asset: NATIVE_ASSET, amount: carried, expiry: told }));
            if !last {
                carried += FEE;
            }
        }
        hops.reverse();
        let (packet, keys) =
            failsafe_onion::build(&self.rng.gen(), &hops, &hash).expect("a good route");
        let id = failsafe_channel::PaymentId(self.rng.gen());
        let part = LockedPart {
            route: 0,
            via: self.account(route[0]),
            total: carried + total,
            arrives: amount,
            expiry,
            onion: packet.encode().try_into().expect("short enough"),
            keys,
        };
        let order = LockedOrder {
            id,
            hash,
            to: self.account(payee),
            asset: NATIVE_ASSET,
            amount,
            source: NATIVE_ASSET,
            parts: vec![part],
        };
        self.tries.push(Try { payer, payee, amount, hash, id });
        Some(order)
    }

    /// Somebody moves money between chain and channel, or ends a channel.
    pub(super) fn use_chain(&mut self) {
        let at = self.rng.gen_range(0..self.parties.len());
        let to = if at == 0 || (at + 1 < self.parties.len() && self.rng.gen_bool(0.5)) {
            at + 1
        } else {
            at - 1
        };
        if self.is_one(at, to) {
            return;
        }
        let (me, partner) = (self.account(at), self.account(to));
        let amount = self.rng.gen_range(1..200);
        let command = match self.rng.gen_range(0..10) {
            0..=4 => Command::Withdraw { partner, asset: NATIVE_ASSET, amount, deposit_to: None },
            5..=8 => Command::Submit(Box::new(Call::Deposit {
                asset: NATIVE_ASSET,
                amount,
                beneficiary: me,
                partner,
                epoch: None,
            })),
            _ => Command::Close { partner, partner_submits: self.rng.gen_bool(0.5) },
        };
        self.command(at, command);
    }

    /// A payment without locks: to a neighbour, or by a user through its hub to the next party.
    pub(super) fn pay_plain_by_chance(&mut self) {
        let size = self.parties.len();
        let payer = self.rng.gen_range(0..size);
        let forward = payer == 0 || (payer < size - 1 && self.rng.gen());
        let step = |at: usize| if forward { at + 1 } else { at - 1 };
        let via = step(payer);
        let ends = payer == 0 || payer == size - 1;
        let mut payee = if ends && self.rng.gen() { step(via) } else { via };
        if self.is_one(payer, payee) {
            return;
        }
        if self.is_one(via, payee) && via != payee {
            // The other process has the channel with who comes behind it.
            payee = step(payee);
        }
        let id = failsafe_channel::PaymentId(self.rng.gen());
        let (via, to) = (self.account(via), self.account(payee));
        let amount = self.rng.gen_range(1..30);
        let fees = HubFees { base: FEE, ppm: 0 };
        self.plain.push(PlainTry { payer, payee, id });
        self.command(payer, Command::Pay { id, via, to, asset: NATIVE_ASSET, amount, fees });
    }
}
