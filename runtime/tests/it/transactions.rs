use crate::chain::*;
use failsafe_primitives::NATIVE_ASSET as FRD;
use sp_keyring::Sr25519Keyring::{Alice, Bob};

#[test]
fn smoke() {
    on(DEVELOPMENT, |chain| {
        let (alice, bob) = (Party::known(Alice), Party::known(Bob));
        let s = Party::strangers(2);
        assert_eq!(chain.one(alice.does(transfer(&s[0], 10 * failsafe_runtime::FRD))), Ok(()));
        assert_eq!(chain.one(bob.does(transfer(&s[1], 10 * failsafe_runtime::FRD))), Ok(()));
        println!("transfer {:?}", fees_paid());
        assert_eq!(free(FRD, &s[1]), 10 * failsafe_runtime::FRD);
        let ch = Channel::new(&s[0], &s[1]);
        chain.one(s[0].does(deposit(1_000_000_000_000, &s[0], &s[1]))).unwrap();
        println!("deposit {:?}", fees_paid());
        let b0 = free(FRD, &s[1]);
        use frame_support::dispatch::GetDispatchInfo;
        let call = dispute(&ch, &s[0], ch.theirs(&s[0], &sent(1, 5)));
        println!("dispute pre {:?}", call.get_dispatch_info().call_weight);
        let call2: failsafe_runtime::RuntimeCall =
            pallet_insurance::Call::accept { partner: s[0].id(), presented: Default::default() }
                .into();
        println!("accept pre {:?}", call2.get_dispatch_info().call_weight);
        chain.one(s[1].does(call)).unwrap();
        println!("dispute {:?} {}", fees_paid(), b0 - free(FRD, &s[1]));
        let call: failsafe_runtime::RuntimeCall = pallet_insurance::Call::counter {
            partner: s[1].id(),
            evidence: ch.theirs(&s[1], &sent(1, 5)),
        }
        .into();
        println!("counter pre {:?}", call.get_dispatch_info().call_weight);
        chain.one(s[0].does(call)).unwrap();
        println!("counter {:?}", fees_paid());
        chain.run_until_resolved(&ch);
    });
}
