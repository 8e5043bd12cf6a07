//! Accounts, and transactions that are signed without a chain at hand.

use codec::Encode;
use failsafe_primitives::AccountId;
use failsafe_runtime::{
    Address, RuntimeCall, SignedPayload, TxExtension, UncheckedExtrinsic, VERSION,
};
use failsafe_tests::harness::{failure, Failure};
use sp_core::{sr25519, Pair as _, H256};
use sp_io::hashing::blake2_256;
use sp_runtime::{generic::Era, MultiSignature};

/// An account with its key.
#[derive(Clone)]
pub struct Account(sr25519::Pair);

impl Account {
    /// The account with a number.
    pub fn number(number: u32) -> Self {
        Self(sr25519::Pair::from_seed(&blake2_256(&("failsafe bench", number).encode())))
    }

    /// Its id.
    pub fn id(&self) -> AccountId {
        AccountId::new(self.0.public().0)
    }

    /// Its address in a call.
    pub fn address(&self) -> Address {
        Address::Id(self.id())
    }

    /// Its signature over a payload's message.
    pub fn sign(&self, message: &[u8; 32]) -> MultiSignature {
        self.0.sign(message).into()
    }
}

/// Signs an account's transactions one after the other.
pub struct Signer {
    account: Account,
    genesis: H256,
    nonce: u32,
}

impl Signer {
    /// For an account that has sent nothing yet on the chain of that first block.
    pub fn new(account: Account, genesis: H256) -> Self {
        Self { account, genesis, nonce: 0 }
    }

    /// The next transaction, encoded.
    pub fn sign(&mut self, call: RuntimeCall) -> Result<Vec<u8>, Failure> {
        let extension: TxExtension = (
            frame_system::CheckNonZeroSender::new(),
            frame_system::CheckSpecVersion::new(),
            frame_system::CheckTxVersion::new(),
            frame_system::CheckGenesis::new(),
            frame_system::CheckEra::from(Era::immortal()),
            frame_system::CheckNonce::from(self.nonce),
            frame_system::CheckWeight::new(),
            pallet_batch::OneBatchPerBlock::new(),
            pallet_transaction_payment::ChargeTransactionPayment::from(0),
            frame_metadata_hash_extension::CheckMetadataHash::new(false),
            frame_system::WeightReclaim::new(),
        );
        let (spec, transaction) = (VERSION.spec_version, VERSION.transaction_version);
        // An immortal transaction names the first block for its era too.
        let first = self.genesis;
        let implicit = ((), spec, transaction, first, first, (), (), (), (), None, ());
        let payload = SignedPayload::from_raw(call.clone(), extension.clone(), implicit);
        let signature = payload.using_encoded(|bytes| self.account.0.sign(bytes));
        let next = self.nonce.checked_add(1);
        self.nonce = next.ok_or_else(|| failure("too many transactions"))?;
        let address = self.account.address();
        let signed = UncheckedExtrinsic::new_signed(call, address, signature.into(), extension);
        Ok(signed.encode())
    }
}

#[cfg(test)]
mod tests {
    use super::{super::memory::Memory, *};
    use codec::DecodeAll;
    use failsafe_runtime::{Runtime, System};
    use frame_system::ChainContext;
    use sp_runtime::traits::Checkable;

    #[test]
    fn signer_should_sign_what_the_runtime_accepts_when_it_is_for_this_chain() {
        let accepted = |genesis| {
            let call = frame_system::Call::remark { remark: vec![1] };
            let mut signer = Signer::new(Account::number(1), genesis);
            let transaction = signer.sign(call.into()).unwrap();
            let transaction = UncheckedExtrinsic::decode_all(&mut &transaction[..]).unwrap();
            transaction.check(&ChainContext::<Runtime>::default()).is_ok()
        };
        Memory::new().unwrap().look(|| {
            assert!(accepted(System::block_hash(0)));
            assert!(!accepted(H256::zero()));
        });
    }
}
