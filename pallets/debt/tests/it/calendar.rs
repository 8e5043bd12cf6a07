use super::*;
use pallet_debt::calendar;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// Block numbers that share nodes of the trie at every level.
fn block() -> impl Strategy<Value = u32> {
    prop_oneof![
        0..4u32,
        250..260u32,
        65_530..65_540u32,
        (1u32 << 24) - 2..(1 << 24) + 2,
        any::<u32>()
    ]
}

proptest! {
    #[test]
    fn calendar_should_name_the_earliest_block_as_an_ordered_set_does(
        steps in prop::collection::vec((any::<bool>(), block()), 1..60),
    ) {
        let who = Party::ordered(1)[0].id();
        ExtBuilder::default().build().execute_with(|| {
            let mut model = BTreeSet::new();
            for (insert, block) in steps {
                if insert {
                    calendar::insert::<Test>(&who, FRD, block);
                    model.insert(block);
                } else if model.remove(&block) {
                    calendar::remove::<Test>(&who, FRD, block);
                }
                prop_assert_eq!(calendar::first::<Test>(&who, FRD), model.first().copied());
            }
            for block in model {
                calendar::remove::<Test>(&who, FRD, block);
            }
            prop_assert_eq!(pallet_debt::Calendar::<Test>::iter().count(), 0, "nothing stays");
            Ok(())
        })?;
    }

    /// Random debts, incomes and forgiving against a list that is sorted by hand.
    #[test]
    fn debts_should_be_paid_as_a_sorted_list_says(
        steps in prop::collection::vec((0..3u8, 0..4usize, 1..50u128, 1..6u32), 1..40),
    ) {
        let p = Party::ordered(6);
        let (debtor, payer, creditors) = (&p[0], &p[1], &p[2..]);
        ExtBuilder::default().balance(payer, 100_000).build().execute_with(|| {
            // (opened_in, booking, creditor, left)
            let mut model: Vec<(u32, usize, usize, u128)> = vec![];
            let mut paid = [0u128; 4];
            let mut rest = 0u128;
            for (booking, (kind, creditor, amount, opened_in)) in steps.into_iter().enumerate() {
                if kind == 0 {
                    Balances::transfer_allow_death(payer.origin(), debtor.id(), amount).unwrap();
                    rest += amount;
                } else {
                    owe(debtor, &creditors[creditor], amount, opened_in);
                    model.push((opened_in, booking, creditor, amount));
                    model.sort();
                }
                // The ring has one debtor, who is visited once per block and makes 8 payments.
                for _ in 0..8 {
                    end_block();
                }
                while let Some((opened_in, booking, creditor, left)) = model.first().copied() {
                    let pay = left.min(rest);
                    if pay == 0 {
                        break;
                    }
                    rest -= pay;
                    paid[creditor] += pay;
                    model.remove(0);
                    if pay < left {
                        model.insert(0, (opened_in, booking, creditor, left - pay));
                    }
                }
                for (i, creditor) in creditors.iter().enumerate() {
                    prop_assert_eq!(free(FRD, creditor), paid[i]);
                }
                check_invariants();
            }
            Ok(())
        })?;
    }
}
