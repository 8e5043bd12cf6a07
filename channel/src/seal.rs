//! Signing and checking many at once (`protocol.md` §3).
//!
//! A host that handles much at a time makes its updates first and signs them at the end: what it pays
//! in a channel meanwhile becomes one update ([`Channel::sign_later`]), and one signature covers the
//! updates and acknowledgements of many channels ([`sign_all`]). Nothing that is to be signed leaves
//! or is stored without: the host seals a channel before it encodes its state.
//!
//! In the same way it checks the signatures of many messages together before it handles them one
//! by one ([`Channel::claims`]). What it has checked it tells the engine ([`Channel::trust`]), which
//! checks everything else by itself: a bad signature is found in the message that it belongs to.

use crate::{
    effect::Effect,
    message::{AckOf, Message, Transition, Update},
    state::Channel,
    update::MAX_UNACKED,
    Context, Sign,
};
use ed25519_zebra::VerificationKey;
use failsafe_primitives::{
    signature::{self, batch_message, MerkleTree},
    simplex::LockHash,
    AccountId, Nonce, Signature,
};
use sp_runtime::MultiSignature;

/// Most messages under one signature: the path of a leaf travels with it, and is stored.
pub const MAX_LEAVES: usize = 32;
/// Signatures of the partner that are known to be good and wait for their messages.
const MAX_TRUSTED: usize = 4;

/// What somebody has signed, to be checked together with others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The 32 bytes that are signed.
    pub message: [u8; 32],
    /// The signature.
    pub signature: MultiSignature,
}

impl Claim {
    /// What `signature` claims to be for `message`; `None` if it is for nothing.
    fn of(signature: &Signature, message: &[u8; 32]) -> Option<Self> {
        let (message, signature) = signature.claim(message)?;
        Some(Self { message, signature: signature.clone() })
    }

    /// Whether `signer` has signed it.
    pub fn verify(&self, signer: &AccountId) -> bool {
        signature::verify(&self.signature, &self.message, signer)
    }
}

/// Checks what one account signs, by the rules of [`signature::verify`]. Its ed25519 key is
/// decompressed once, which is a tenth of a check.
#[derive(Clone, Debug, Default)]
struct Checker(Option<Box<VerificationKey>>);

impl Checker {
    fn verify(&mut self, claim: &Claim, signer: &AccountId) -> bool {
        let MultiSignature::Ed25519(signature) = &claim.signature else {
            return claim.verify(signer);
        };
        if self.0.is_none() {
            let key: &[u8; 32] = signer.as_ref();
            self.0 = VerificationKey::try_from(*key).ok().map(Box::new);
        }
        let signature = ed25519_zebra::Signature::from(signature.0);
        self.0.as_ref().is_some_and(|key| key.verify(&signature, &claim.message).is_ok())
    }
}

/// An update that has not left yet.
#[derive(Clone, Copy, Debug)]
struct Fresh {
    /// Nonce of the simplex that it leads to.
    nonce: Nonce,
    /// Whether it is to be signed.
    sign: bool,
}

/// Updates that have not left yet, and which signatures need not be checked any more. Gone with the
/// process.
#[derive(Clone, Debug, Default)]
pub(crate) struct Desk {
    later: bool,
    fresh: Vec<Fresh>,
    trusted: Vec<Claim>,
    partner: Checker,
}

impl Desk {
    fn awaits(&self, nonce: Nonce) -> bool {
        self.fresh.iter().any(|fresh| fresh.nonce == nonce && fresh.sign)
    }
}

/// Signs all `messages`: each by itself if there are fewer than `least`, which is 2 or more; else up
/// to [`MAX_LEAVES`] of them by one signature.
pub fn sign_all(signer: &dyn Sign, messages: &[[u8; 32]], least: usize) -> Vec<Signature> {
    let direct = |message| Signature::Direct(signer.sign(message));
    let mut signatures = Vec::with_capacity(messages.len());
    for leaves in messages.chunks(MAX_LEAVES) {
        let tree = MerkleTree::new(leaves).filter(|_| leaves.len() >= least.max(2));
        let Some(tree) = tree else {
            signatures.extend(leaves.iter().map(direct));
            continue;
        };
        let root = signer.sign(&batch_message(&tree.root()));
        for (index, message) in (0u32..).zip(leaves) {
            // Every leaf has a path.
            let signature = tree.signature(index, root.clone());
            signatures.push(signature.unwrap_or_else(|| direct(message)));
        }
    }
    signatures
}

impl Channel {
    /// From now on updates are signed by [`Channel::sign`], and what is paid before that becomes one
    /// update. Their messages are handed out as places to be filled: [`Channel::sealed`].
    pub fn sign_later(&mut self) {
        self.desk.later = true;
    }

    pub(crate) fn signs_later(&self) -> bool {
        self.desk.later
    }

    /// The own update that leads to `nonce` does not leave before [`Channel::sign`].
    pub(crate) fn put_on_desk(&mut self, nonce: Nonce, sign: bool) {
        if !self.desk.later {
            return;
        }
        match self.desk.fresh.iter_mut().find(|fresh| fresh.nonce == nonce) {
            Some(fresh) => fresh.sign |= sign,
            None => self.desk.fresh.push(Fresh { nonce, sign }),
        }
    }

    /// Whether the newest own update waits for [`Channel::sign`].
    pub(crate) fn newest_awaits_signature(&self) -> bool {
        self.desk.awaits(self.state.mine.nonce())
    }

    /// Whether `transitions` may be added to the newest own update: it has not left yet, knows the
    /// partner's newest terms, and what is added does not refer to a nonce.
    pub(crate) fn may_widen(&self, transitions: &[Transition]) -> bool {
        let Some(sent) = self.state.outbox.back() else { return false };
        let update = &sent.update;
        let plain = transitions.iter().all(|transition| {
            matches!(
                transition,
                Transition::Pay { .. } | Transition::Lock { .. } | Transition::Settle { .. }
            )
        });
        let fits = update.transitions.len().saturating_add(transitions.len())
            <= crate::message::MAX_TRANSITIONS as usize;
        let open = self.desk.fresh.iter().any(|fresh| fresh.nonce == sent.simplex.nonce)
            && update.epoch == self.epoch()
            && update.terms_version == self.state.received.version;
        open && plain && fits
    }

    /// What waits for our signature, in order; with the acknowledgement that is due, if it is to go
    /// with the newest update.
    pub fn to_sign(&self, ack: bool) -> Vec<[u8; 32]> {
        if self.desk.fresh.is_empty() {
            return vec![];
        }
        let waiting = self.state.outbox.iter().filter(|sent| self.desk.awaits(sent.simplex.nonce));
        let message = |simplex| self.state.context.simplex_message(self.state.side, simplex);
        let mut messages: Vec<_> = waiting.map(|sent| message(&sent.simplex)).collect();
        if !messages.is_empty() && ack {
            messages.extend(self.ack_to_sign());
        }
        messages
    }

    /// Takes the signatures over [`Channel::to_sign`], in the same order, and closes all updates.
    pub fn sign(&mut self, ack: bool, signatures: impl IntoIterator<Item = Signature>) {
        let fresh = std::mem::take(&mut self.desk.fresh);
        let mut signatures = signatures.into_iter();
        let due = ack.then(|| self.due_ack_nonce()).flatten();
        let mut newest = None;
        let mine = &mut self.state.mine;
        for sent in &mut self.state.outbox {
            let nonce = sent.simplex.nonce;
            if !fresh.iter().any(|fresh| fresh.nonce == nonce && fresh.sign) {
                continue;
            }
            let Some(signature) = signatures.next() else { return };
            sent.update.signature = Some(signature.clone());
            mine.sign(&sent.simplex, signature);
            newest = Some(sent);
        }
        if let (Some(sent), Some(nonce), Some(signature)) = (newest, due, signatures.next()) {
            sent.update.ack = Some(AckOf { nonce, signature });
            self.state.ack_sent = nonce;
        }
    }

    /// The update that fills the place of `update`, as it is in the outbox now. `None` when it has
    /// gone meanwhile: acknowledged, with its epoch, or because our data was lost.
    pub fn sealed(&self, update: &Update) -> Option<Update> {
        if update.signature.is_some() {
            return Some(update.clone());
        }
        let first = self.state.outbox.front()?.update.base_nonce;
        let at = usize::try_from(update.base_nonce.checked_sub(first)?).ok()?;
        let sent = self.state.outbox.get(at)?;
        let same = sent.update.epoch == update.epoch
            && sent.update.base_nonce == update.base_nonce
            && !self.desk.awaits(sent.simplex.nonce);
        same.then(|| sent.update.clone())
    }

    fn due_ack_nonce(&self) -> Option<Nonce> {
        self.ack_is_due().then(|| self.state.theirs.signed_nonce())
    }

    /// The acknowledgement that is due, to be signed.
    pub fn ack_to_sign(&self) -> Option<[u8; 32]> {
        self.due_ack_nonce()?;
        let (theirs, _) = self.state.theirs.newest_signed()?;
        Some(self.state.context.ack_message(self.state.side.other(), theirs))
    }

    /// Acknowledges the partner's newest simplex with a signature over [`Channel::ack_to_sign`].
    pub fn flush_signed_ack(&mut self, signature: Signature) -> Vec<Effect> {
        let Some(nonce) = self.due_ack_nonce() else { return vec![] };
        self.state.ack_sent = nonce;
        let ack = AckOf { nonce, signature };
        vec![Effect::Persist, Effect::Send(Message::Ack { epoch: self.epoch(), ack })]
    }

    /// What the partner must have signed for `message` to be taken, as far as it can be told before
    /// those ahead of it are handled. Nothing depends on it but the time that the check takes.
    pub fn claims(&self, ctx: &Context<'_>, message: &Message) -> Vec<Claim> {
        let mut claims = vec![];
        let ack = match message {
            Message::Update(update) => {
                let revealed = |hash: &LockHash| ctx.revealed_at(hash);
                let foreseen = self.foresee(ctx, &revealed, update);
                if let (Some(next), Some(signature)) = (foreseen, &update.signature) {
                    claims.extend(Claim::of(signature, &next));
                }
                update.ack.as_ref()
            },
            Message::Ack { epoch, ack } if *epoch == self.epoch() => Some(ack),
            _ => None,
        };
        if let Some(ack) = ack {
            let message = self.acked_message(ack.nonce);
            let claim = message.and_then(|message| Claim::of(&ack.signature, &message));
            claims.extend(claim.filter(|claim| !claims.contains(claim)));
        }
        claims
    }

    /// The host has checked that the partner has signed this.
    pub fn trust(&mut self, claim: Claim) {
        if self.desk.trusted.len() >= MAX_TRUSTED {
            self.desk.trusted.remove(0);
        }
        self.desk.trusted.push(claim);
    }

    /// Whether the partner has signed `message`. One signature may be for an update and for the
    /// acknowledgement in it: it is checked once.
    pub(crate) fn check(&mut self, signature: &Signature, message: &[u8; 32]) -> bool {
        let Some(claim) = Claim::of(signature, message) else { return false };
        if self.desk.trusted.contains(&claim) {
            return true;
        }
        let partner = self.partner().clone();
        let good = self.desk.partner.verify(&claim, &partner);
        if good {
            self.trust(claim);
        }
        good
    }

    /// An update for which signatures were checked has been handled, and what came before it.
    pub(crate) fn forget_trust(&mut self) {
        self.desk.trusted = vec![];
    }

    /// An acknowledgement has been handled; an update may follow it.
    pub(crate) fn forget_trusted_ack(&mut self) {
        if self.desk.trusted.len() <= 1 {
            self.forget_trust();
        }
    }

    /// Whether there is room for another update.
    pub(crate) fn outbox_is_full(&self) -> bool {
        self.state.outbox.len() >= MAX_UNACKED
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sp_core::{ecdsa, ed25519, sr25519, Pair};
    use sp_runtime::{traits::IdentifyAccount, MultiSigner};

    #[test]
    fn checker_should_say_what_a_plain_check_says_when_keys_and_signatures_are_of_any_kind() {
        let message = [7; 32];
        let ed = ed25519::Pair::from_seed(&[1; 32]);
        let sr = sr25519::Pair::from_seed(&[1; 32]);
        let ec = ecdsa::Pair::from_seed(&[1; 32]);
        // By the rules of ZIP 215 points of low order have signed everything: this one, and zero.
        let mut neutral = [0; 32];
        neutral[0] = 1;
        let mut neutral_signature = [0; 64];
        neutral_signature[0] = 1;
        let signers: [MultiSigner; 3] =
            [ed.public().into(), sr.public().into(), ec.public().into()];
        let mut accounts: Vec<_> = signers.map(IdentifyAccount::into_account).into();
        accounts.extend([[0; 32], [0xff; 32], neutral].map(AccountId::new));
        let signatures: [MultiSignature; 6] = [
            ed.sign(&message).into(),
            sr.sign(&message).into(),
            ec.sign(&message).into(),
            ed.sign(&[8; 32]).into(),
            ed25519::Signature::from_raw(neutral_signature).into(),
            ed25519::Signature::from_raw([0xff; 64]).into(),
        ];
        let mut good = 0;
        for account in &accounts {
            let mut checker = Checker::default();
            // Twice: also with the key that was kept.
            for signature in signatures.iter().chain(&signatures) {
                let claim = Claim { message, signature: signature.clone() };
                let plain = claim.verify(account);
                assert_eq!(checker.verify(&claim, account), plain, "{account} {signature:?}");
                good += u32::from(plain);
            }
        }
        assert_eq!(good, 2 * (3 + 2));
    }
}
