//! What clients see of a channel.

use super::*;
use failsafe_primitives::{presented_digest, view::MAX_OLD_EPOCHS, Evidence, Side};
use frame_support::assert_ok;

#[test]
fn view_should_list_the_newest_old_epochs_when_there_are_more_than_it_takes() {
    let p = Party::ordered(2);
    let (user, hub) = (&p[0], &p[1]);
    let builder = ExtBuilder::default().balance(user, 10).hub(hub);
    builder.parameters(|v| v.late = 10_000).build_and_execute(|| {
        let many = u32::try_from(MAX_OLD_EPOCHS).unwrap() + 2;
        for epoch in 0..many {
            let channel = Channel::new(user, hub);
            assert_eq!(channel.context.epoch, epoch);
            assert_ok!(deposit(user, 5, user, hub));
            assert_ok!(dispute(user, hub, Evidence::default()));
            run_until_resolved(&channel);
        }
        let view = Insurance::channel(user.id(), hub.id()).unwrap();
        let listed: Vec<_> = view.old_epochs.iter().map(|old| old.epoch).collect();
        assert_eq!(listed, (2..many).rev().collect::<Vec<_>>());
    });
}

#[test]
fn view_should_leave_out_an_old_epoch_when_late_claims_are_over() {
    let p = Party::ordered(2);
    let (user, hub) = (&p[0], &p[1]);
    ExtBuilder::default().balance(user, 10).hub(hub).build_and_execute(|| {
        assert_ok!(deposit(user, 5, user, hub));
        assert_ok!(dispute(user, hub, Evidence::default()));
        run_until_resolved(&Channel::new(user, hub));
        let listed = || Insurance::channel(user.id(), hub.id()).unwrap().old_epochs.len();
        assert_eq!(listed(), 1);
        // The agenda has not come round to it yet.
        pallet_clock::Now::<Test>::mutate(|clock| *clock += 201);
        assert_eq!(pallet_insurance::OldEpochs::<Test>::iter().count(), 1);
        assert_eq!(listed(), 0);
    });
}

#[test]
fn view_should_give_the_digest_of_what_is_presented() {
    let p = Party::ordered(2);
    let (a, b) = (&p[0], &p[1]);
    ExtBuilder::default().balance(b, 10).build_and_execute(|| {
        let channel = Channel::new(a, b);
        assert_ok!(dispute(b, a, channel.theirs(Side::Left, &sent(3, 0))));
        let view = Insurance::channel(a.id(), b.id()).unwrap();
        let dispute = view.dispute.unwrap();
        assert_eq!(dispute.digest, presented_digest(view.epoch, &dispute.presented));
        assert_eq!(Insurance::open_disputes(1)[0].1.digest, dispute.digest);
        run_until_resolved(&channel);
    });
}
