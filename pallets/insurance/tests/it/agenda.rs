use super::*;
use failsafe_primitives::{Evidence, Side};
use frame_support::{assert_ok, weights::Weight};
use pallet_insurance::{Agenda, AgendaCursor, AgendaLength, AgendaTask};

#[test]
fn m15_agenda_should_resolve_every_dispute_of_a_slot_when_many_come_due_at_once() {
    let p = Party::ordered(40);
    let hub = &p[0];
    let mut builder = ExtBuilder::default().hub(hub);
    for user in &p[1..] {
        builder = builder.balance(user, 10);
    }
    builder.build_and_execute(|| {
        for user in &p[1..] {
            assert_ok!(deposit(user, 5, user, hub));
            assert_ok!(dispute(user, hub, Evidence::default()));
        }
        let due = Channel::new(hub, &p[1]).dispute().unwrap().resolve_at;
        assert_eq!(AgendaLength::<Test>::get(due), 39);
        run_to_clock(due + 3);
        assert_eq!(pallet_insurance::Disputes::<Test>::iter().count(), 0);
        assert!(p[1..].iter().all(|user| free(FRD, user) == 10));
        assert_eq!(AgendaLength::<Test>::get(due), 0);
    });
}

#[test]
fn m15_agenda_should_go_on_in_the_next_block_when_a_block_has_no_room() {
    let p = Party::ordered(2);
    let (l, r) = (&p[0], &p[1]);
    ExtBuilder::default().balance(l, 10).build_and_execute(|| {
        use frame_support::traits::OnIdle;
        assert_ok!(deposit(l, 5, l, r));
        assert_ok!(dispute(l, r, Evidence::default()));
        let due = Channel::new(l, r).dispute().unwrap().resolve_at;
        // Blocks whose idle hooks get nothing.
        pallet_clock::Now::<Test>::put(due + 3);
        let used = Insurance::on_idle(System::block_number(), Weight::zero());
        assert_eq!(used, Weight::zero());
        assert!(Channel::new(l, r).dispute().is_some());
        next_block();
        assert!(Channel::new(l, r).dispute().is_none());
    });
}

#[test]
fn agenda_should_move_an_entry_on_when_a_counter_has_moved_the_deadline() {
    let p = Party::ordered(2);
    let (l, r) = (&p[0], &p[1]);
    ExtBuilder::default().balance(l, 10).build_and_execute(|| {
        assert_ok!(deposit(l, 5, l, r));
        let channel = Channel::new(l, r);
        assert_ok!(dispute(l, r, Evidence::default()));
        let first = channel.dispute().unwrap().resolve_at;
        let locked = channel.theirs(Side::Left, &sent_and_locked(1, 1, (1, 1, first + 5)));
        assert_ok!(Insurance::counter(r.origin(), l.id(), locked));
        run_to_clock(first + 2);
        assert_eq!(channel.dispute().unwrap().resolve_at, first + 6);
        assert_eq!(AgendaCursor::<Test>::get(), now());
        assert!(Agenda::<Test>::iter()
            .any(|(slot, _, task)| slot == first + 6 && matches!(task, AgendaTask::Resolve(..))));
        run_until_resolved(&channel);
    });
}
