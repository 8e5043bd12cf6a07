//! Checks many signatures at once, which takes less than half the time that they take one by one.
//!
//! By the same rules as one by one: ed25519 by those of ZIP 215, which are made for that and are what
//! the chain uses, sr25519 by schnorrkel, which both use. A batch says only that all are good; of one
//! that is not, nothing is said, and every signature has to be checked by itself.

use codec::Encode;
use failsafe_channel::seal::Claim;
use failsafe_primitives::AccountId;
use sp_runtime::MultiSignature;

/// Signatures that are checked together: more gain little, and a bad one costs all of them.
const BATCH: usize = 128;
/// Fewer gain nothing.
const LEAST: usize = 4;
/// What sr25519 signatures of a Substrate chain are made for.
const CONTEXT: &[u8] = b"substrate";

/// Which of `claims` are known to be good; others may be good too.
pub fn check_all(claims: &[(AccountId, Claim)]) -> Vec<bool> {
    let mut good = vec![false; claims.len()];
    let of = |wanted: fn(&MultiSignature) -> bool| {
        let all = claims.iter().enumerate();
        let some = all.filter(move |(_, (_, claim))| wanted(&claim.signature));
        some.map(|(index, _)| index).collect::<Vec<_>>()
    };
    let ed25519 = of(|signature| matches!(signature, MultiSignature::Ed25519(_)));
    let sr25519 = of(|signature| matches!(signature, MultiSignature::Sr25519(_)));
    for (indices, check) in
        [(ed25519, check_ed25519 as fn(&[&(AccountId, Claim)]) -> bool), (sr25519, check_sr25519)]
    {
        for chunk in indices.chunks(BATCH).filter(|chunk| chunk.len() >= LEAST) {
            let batch: Vec<_> = chunk.iter().map(|index| &claims[*index]).collect();
            if check(&batch) {
                for index in chunk {
                    good[*index] = true;
                }
            }
        }
    }
    good
}

fn check_ed25519(batch: &[&(AccountId, Claim)]) -> bool {
    let mut verifier = ed25519_zebra::batch::Verifier::new();
    for (signer, claim) in batch {
        let MultiSignature::Ed25519(signature) = &claim.signature else { return false };
        let key = ed25519_zebra::VerificationKeyBytes::from(*AsRef::<[u8; 32]>::as_ref(signer));
        verifier.queue((key, ed25519_zebra::Signature::from(signature.0), &claim.message));
    }
    verifier.verify(rand::rngs::OsRng).is_ok()
}

fn check_sr25519(batch: &[&(AccountId, Claim)]) -> bool {
    let mut signatures = Vec::with_capacity(batch.len());
    let mut keys = Vec::with_capacity(batch.len());
    for (signer, claim) in batch {
        let MultiSignature::Sr25519(signature) = &claim.signature else { return false };
        let signature = schnorrkel::Signature::from_bytes(&signature.0);
        let key = schnorrkel::PublicKey::from_bytes(&signer.encode());
        let (Ok(signature), Ok(key)) = (signature, key) else { return false };
        signatures.push(signature);
        keys.push(key);
    }
    let context = schnorrkel::signing_context(CONTEXT);
    let transcripts = batch.iter().map(|(_, claim)| context.bytes(&claim.message));
    schnorrkel::verify_batch(transcripts, &signatures, &keys, false).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{AccountKey, Scheme};
    use failsafe_channel::Sign;

    fn claims(scheme: Scheme, count: u8) -> Vec<(AccountId, Claim)> {
        let claim = |number: u8| {
            let key = AccountKey::from_uri(scheme, &format!("//signer//{number}")).unwrap();
            let message = [number; 32];
            (key.account(), Claim { message, signature: key.sign(&message) })
        };
        (0..count).map(claim).collect()
    }

    #[test]
    fn signatures_of_both_schemes_should_be_good_when_they_are_checked_together() {
        let mut all = claims(Scheme::Ed25519, 9);
        all.extend(claims(Scheme::Sr25519, 9));
        assert_eq!(check_all(&all), vec![true; 18]);
    }

    #[test]
    fn no_signature_should_be_good_when_one_of_its_batch_is_bad() {
        for scheme in [Scheme::Ed25519, Scheme::Sr25519] {
            for bad in 0..9 {
                let mut all = claims(scheme, 9);
                all[bad].1.message = [99; 32];
                assert_eq!(check_all(&all), vec![false; 9]);
                let mut all = claims(scheme, 9);
                all[bad].0 = AccountId::new([0xff; 32]);
                assert_eq!(check_all(&all), vec![false; 9]);
            }
        }
    }

    #[test]
    fn bad_signatures_should_not_spoil_those_of_the_other_scheme() {
        let mut all = claims(Scheme::Ed25519, 5);
        all.extend(claims(Scheme::Sr25519, 5));
        all[2].1.message = [99; 32];
        let good = check_all(&all);
        assert!(good[..5].iter().all(|good| !good) && good[5..].iter().all(|good| *good));
    }
}
