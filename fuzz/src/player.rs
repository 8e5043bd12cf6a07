//! An input, played: bytes become operations, one after the other, on one chain.

use crate::{
    bytes::Bytes,
    cast::actors,
    chain::Chain,
    channels::{self, aftermath, Memory, Two},
    laws, money,
};
use failsafe_primitives::Balance;
use failsafe_runtime::{Runtime, RuntimeCall};
use sp_runtime::Perbill;

/// Most operations of an input: longer ones only take longer.
const MAX_OPERATIONS: usize = 96;
/// Most actions of a batch.
const MAX_ACTIONS: usize = 6;
/// With this variable in the environment every operation is told.
const TRACE: &str = "FAILSAFE_FUZZ_TRACE";

/// Who plays.
pub struct Player {
    memory: Memory,
    focus: [usize; 2],
    told: bool,
}

impl Default for Player {
    fn default() -> Self {
        Self { memory: Memory::default(), focus: [1, 2], told: std::env::var_os(TRACE).is_some() }
    }
}

/// A call, who signs it, and his tip.
pub type Signed = (usize, RuntimeCall, Balance);

impl Player {
    /// Plays all of `bytes` on `chain`, then resolves what is open.
    pub fn play(&mut self, chain: &mut Chain, mut bytes: Bytes<'_>) {
        chain.watched = self.told;
        for _ in 0..MAX_OPERATIONS {
            if bytes.is_empty() {
                break;
            }
            match bytes.u8() {
                choice @ 0..=31 => self.time(chain, choice, &mut bytes),
                _ => {
                    if let Some((who, call, tip)) = self.signed(&mut bytes) {
                        self.tell(|| format!("{who}: {call:?}"));
                        let result = chain.apply(who, call, tip);
                        self.tell(|| format!("   {result:?}"));
                    }
                },
            }
        }
        chain.end();
        laws::check_state();
        laws::check_views();
        laws::check_resolves(chain);
    }

    /// Says what happens, if anybody wants to know.
    pub fn tell(&self, what: impl FnOnce() -> String) {
        if self.told {
            eprintln!("{}", what());
        }
    }

    /// Something other than a transaction: blocks pass, or fill.
    pub fn time(&self, chain: &mut Chain, choice: u8, bytes: &mut Bytes<'_>) {
        let skip = match choice {
            0..=11 => 1,
            12..=17 => u32::from(bytes.u8() % 16),
            18..=21 => {
                let all = pallet_insurance::Disputes::<Runtime>::iter_values();
                let due = all.map(|dispute| dispute.resolve_at).min().unwrap_or_default();
                let left = due.saturating_sub(failsafe_runtime::Clock::now());
                u32::try_from(left).unwrap_or_default().saturating_sub(u32::from(choice % 2))
            },
            22 | 23 => 200,
            24 => 1_000,
            25 => u32::from(bytes.u16() % 2_048),
            _ => {
                chain.begin(1);
                let percent = [60, 64, 65, 66, 69, 70, 74, 75][bytes.below(8)];
                self.tell(|| format!("block filled to {percent} %"));
                chain.fill(Perbill::from_percent(percent));
                if choice >= 30 {
                    return;
                }
                1
            },
        };
        chain.next(skip);
        self.tell(|| {
            let clock = failsafe_runtime::Clock::now();
            format!("block {}, clock {clock}", failsafe_runtime::System::block_number())
        });
    }

    /// Who acts with whom: mostly the two in focus.
    fn two(&mut self, bytes: &mut Bytes<'_>) -> (usize, Two) {
        let choice = bytes.u8();
        let count = actors().len();
        let [a, b] = self.focus;
        let (me, partner) = match choice % 16 {
            0..=5 => (a, b),
            6..=11 => (b, a),
            12 | 13 => (usize::from(choice / 16) % count, if choice % 16 == 12 { a } else { b }),
            _ => {
                self.focus = [usize::from(choice / 16) % count, bytes.below(count)];
                (self.focus[0], self.focus[1])
            },
        };
        (me, Two { me: &actors()[me], partner: &actors()[partner] })
    }

    /// A signed call made of the next bytes.
    pub fn signed(&mut self, bytes: &mut Bytes<'_>) -> Option<Signed> {
        let (me, two) = self.two(bytes);
        let choice = bytes.u8();
        let (me, call) = match choice {
            0..=23 => {
                let mode = if bytes.u8() & 1 == 0 {
                    pallet_batch::Mode::Atomic
                } else {
                    pallet_batch::Mode::SkipFailed
                };
                let actions = (0..1 + bytes.below(MAX_ACTIONS))
                    .filter_map(|_| {
                        let choice = bytes.u8();
                        Some(self.call(two, false, choice, bytes)?.1)
                    })
                    .collect();
                (me, pallet_batch::Call::submit { actions, mode }.into())
            },
            24..=33 => (0, sudo(money::amendment(bytes))),
            34..=37 => (0, sudo(money::root_over_assets(bytes))),
            38..=40 => {
                let choice = bytes.u8();
                let call = Box::new(self.call(two, false, choice, bytes)?.1);
                (0, pallet_sudo::Call::sudo_as { who: two.me.address(), call }.into())
            },
            _ => {
                let (by, call) = self.call(two, true, choice, bytes)?;
                (actors().iter().position(|actor| actor.id == by.id).unwrap_or(me), call)
            },
        };
        let call = if bytes.rarely(6) { bytes.mutate(call) } else { call };
        let tip = if bytes.rarely(4) { crate::values::amount(bytes, &[]) } else { 0 };
        is_fair(&call).then_some((me, call, tip))
    }

    /// A call by `two.me` or, if others are `free` to act, by whoever can do more with it.
    fn call(
        &mut self,
        two: Two,
        free: bool,
        choice: u8,
        bytes: &mut Bytes<'_>,
    ) -> Option<channels::Signed> {
        let call = match choice {
            0..=149 => return self.memory.call(two, free, bytes),
            150..=159 => channels::reveal(bytes),
            160..=179 => {
                let late = aftermath(two, bytes);
                return late.or_else(|| self.memory.call(two, free, bytes));
            },
            180..=189 => money::native(two, bytes),
            190..=199 => money::assets(two, bytes),
            200..=229 => return Some(money::issuer(two, free, bytes)),
            230..=241 => money::hubs(two, bytes),
            242 => money::remark(bytes),
            _ => bytes.decode()?,
        };
        Some((two.me, call))
    }
}

fn sudo(call: RuntimeCall) -> RuntimeCall {
    pallet_sudo::Call::sudo { call: Box::new(call) }.into()
}

/// Whether a call stays within what the laws promise: root may break anything by writing storage,
/// balances or code, and is tried only with calls of the protocol and of assets.
pub fn is_fair(call: &RuntimeCall) -> bool {
    use pallet_sudo::Call;
    match call {
        RuntimeCall::Sudo(Call::sudo { call } | Call::sudo_unchecked_weight { call, .. }) => {
            matches!(**call, RuntimeCall::Parameters(_) | RuntimeCall::Assets(_))
        },
        RuntimeCall::Sudo(Call::sudo_as { call, .. }) => is_fair(call),
        // With a batch in it, which holds neither sudo nor root's calls.
        _ => true,
    }
}
