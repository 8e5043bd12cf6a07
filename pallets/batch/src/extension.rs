//! One batch per account and block, before anything is paid or carried out.

use crate::{Call, Config, Submitters};
use codec::{Decode, DecodeWithMemTracking, Encode};
use core::marker::PhantomData;
use frame_support::{
    pallet_prelude::TransactionSource,
    traits::{Get, IsSubType, OriginTrait},
    weights::Weight,
    DefaultNoBound,
};
use frame_system::Config as System;
use scale_info::TypeInfo;
use sp_runtime::{
    impl_tx_ext_default,
    traits::{DispatchInfoOf, TransactionExtension, ValidateResult},
    transaction_validity::InvalidTransaction,
};

/// Keeps a second batch of an account out of the block (`protocol.md` §7).
///
/// It answers `ExhaustsResources`, which block authors take for "not in this block": the transaction
/// stays in the pool and comes in the next one.
#[derive(Encode, Decode, DecodeWithMemTracking, DefaultNoBound, Clone, Eq, PartialEq, TypeInfo)]
#[scale_info(skip_type_params(T))]
pub struct OneBatchPerBlock<T>(PhantomData<T>);

impl<T> OneBatchPerBlock<T> {
    /// The extension; it carries no data.
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T> core::fmt::Debug for OneBatchPerBlock<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("OneBatchPerBlock")
    }
}

impl<T> TransactionExtension<<T as System>::RuntimeCall> for OneBatchPerBlock<T>
where
    T: Config + Send + Sync,
    <T as System>::RuntimeCall: IsSubType<Call<T>>,
{
    const IDENTIFIER: &'static str = "OneBatchPerBlock";
    type Implicit = ();
    type Val = ();
    type Pre = ();

    fn weight(&self, call: &<T as System>::RuntimeCall) -> Weight {
        match call.is_sub_type() {
            Some(Call::submit { .. }) => T::DbWeight::get().reads(1),
            _ => Weight::zero(),
        }
    }

    fn validate(
        &self,
        origin: T::RuntimeOrigin,
        call: &<T as System>::RuntimeCall,
        _: &DispatchInfoOf<<T as System>::RuntimeCall>,
        _: usize,
        (): (),
        _: &impl Encode,
        _: TransactionSource,
    ) -> ValidateResult<(), <T as System>::RuntimeCall> {
        if let (Some(who), Some(Call::submit { .. })) = (origin.as_signer(), call.is_sub_type()) {
            if Submitters::<T>::contains_key(who) {
                return Err(InvalidTransaction::ExhaustsResources.into());
            }
        }
        Ok((Default::default(), (), origin))
    }

    impl_tx_ext_default!(<T as System>::RuntimeCall; prepare);
}
