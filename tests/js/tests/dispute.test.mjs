/** Disputes with hand-made evidence: counters of both kinds, the agenda, acceptance. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { u8aToHex } from '@polkadot/util';

import {
  best,
  connect,
  failsafeAt,
  feeOf,
  freeAt,
  FRD,
  keys,
  named,
  NATIVE,
  send,
  sendRefused,
  untilEvent,
} from '../support/chain.mjs';
import { Channel, fund, NO_EVIDENCE, paid } from '../support/channel.mjs';
import { funder } from '../support/funders.mjs';

const DISPUTE_DEPOSIT = FRD / 10n;

let api, channel, other, stranger;

before(async () => {
  api = await connect();
  const people = await keys(...[1, 2, 3, 4].map((number) => `//Dispute//${number}`));
  await fund(api, await funder(import.meta.url), people);
  channel = new Channel(api, people[0], people[1]);
  other = new Channel(api, people[2], people[3]);
  stranger = people[3];
});
after(() => api?.disconnect());

/** The second state of scenario 18: left has paid 200 and got 100 back. */
const secondState = (which, locks = []) => ({
  theirs: which.signed('right', paid(1, 100n * FRD, locks)),
  ours: which.acked('left', paid(1, 200n * FRD)),
});

/** A lock whose secret nobody knows. It counts for nothing, but gives time to counter (M13). */
async function lastingLock() {
  const { clock } = await (await failsafeAt(api, await best(api))).moment();
  return { id: 1n, amount: 7n * FRD, hash: u8aToHex(new Uint8Array(32)), expiry: clock + 18n };
}

const outcome = (leftInsured, rightInsured) => [
  { asset: BigInt(NATIVE), leftInsured, rightInsured, leftOwed: 0n, rightOwed: 0n, booked: 0n },
];

let started, resolveAt;

test('s19_dispute_should_store_what_both_signed_when_the_starter_brings_it', async () => {
  for (const which of [channel, other]) {
    await send(which.deposit('left', 400n * FRD), which.left);
  }
  const before = await freeAt(api, await best(api), channel.left);
  const locks = [await lastingLock()];
  started = await send(channel.dispute('left', secondState(channel, locks)), channel.left);
  const paidFor = feeOf(started.events) + DISPUTE_DEPOSIT;
  assert.equal(await freeAt(api, started.hash, channel.left), before - paidFor);

  const { dispute } = await channel.at(started.hash);
  const { clock } = await (await failsafeAt(api, started.hash)).moment();
  resolveAt = locks[0].expiry + 1n;
  assert.deepEqual(named(started.events, 'insurance.DisputeStarted'), [
    { ...channel.pair, epoch: 0n, starter: channel.left.address, resolveAt },
  ]);
  const { presented, ...rest } = dispute;
  assert.deepEqual([rest.starter, rest.start, rest.resolveAt, rest.settled], ['Left', clock, resolveAt, false]);
  const stored = (sent, locks) => ({
    simplex: { nonce: 1n, entries: [{ asset: BigInt(NATIVE), sent, locks }] },
    standing: { final: null },
  });
  assert.deepEqual(presented, [stored(200n * FRD, []), stored(100n * FRD, locks)]);
});

test('s21_counter_should_be_refused_when_the_starter_speaks_again', async () => {
  const { error } = await sendRefused(channel.counter('left', NO_EVIDENCE), channel.left);
  assert.equal(error, 'insurance.StarterSpeaksOnce');
});

test('s20_counter_should_be_skipped_and_paid_for_when_its_nonce_is_not_higher', async () => {
  const evidence = { theirs: channel.signed('left', paid(1, 500n * FRD)), ours: null };
  const { events } = await send(channel.counter('right', evidence), channel.right);
  assert.deepEqual(named(events, 'insurance.SimplexSkipped'), [{ ...channel.pair, from: 'Left', nonce: 1n }]);
  assert.deepEqual(named(events, 'insurance.SimplexReplaced'), []);
  assert(feeOf(events) > 0n);
});

test('s19_counter_should_replace_free_of_charge_when_the_starter_hid_a_payment', async () => {
  const before = await freeAt(api, await best(api), channel.right);
  const evidence = { theirs: channel.signed('left', paid(2, 500n * FRD)), ours: null };
  const { hash, events } = await send(channel.counter('right', evidence), channel.right);
  assert.deepEqual(named(events, 'insurance.SimplexReplaced'), [
    { ...channel.pair, from: 'Left', nonce: 2n },
  ]);
  assert.equal(feeOf(events), 0n);
  assert.equal(await freeAt(api, hash, channel.right), before);
});

test('counter_for_should_be_refused_when_the_acknowledgement_is_not_the_receivers', async () => {
  const simplex = paid(2, 150n * FRD);
  const forged = { ...channel.twiceSigned('right', simplex), ack: channel.ack('left', simplex) };
  const { left, right } = channel.pair;
  const { error } = await sendRefused(api.tx.insurance.counterFor(left, right, [forged]), stranger);
  assert.equal(error, 'insurance.BadProof');
});

test('counter_for_should_replace_free_of_charge_when_a_stranger_brings_both_signatures', async () => {
  const before = await freeAt(api, await best(api), stranger);
  const { left, right } = channel.pair;
  const simplexes = [channel.twiceSigned('right', paid(2, 150n * FRD))];
  const { hash, events } = await send(api.tx.insurance.counterFor(left, right, simplexes), stranger);
  assert.deepEqual(named(events, 'insurance.SimplexReplaced'), [
    { ...channel.pair, from: 'Right', nonce: 2n },
  ]);
  assert.equal(feeOf(events), 0n);
  assert.equal(await freeAt(api, hash, stranger), before);
});

test('s19_m13_dispute_should_be_resolved_by_the_agenda_when_its_time_is_over', async () => {
  const disputed = await send(other.dispute('left', secondState(other)), other.left);
  const [left, right] = await Promise.all(
    [channel.left, channel.right].map((who) => freeAt(api, disputed.hash, who))
  );
  const resolved = await untilEvent(api, started.hash, 'insurance.DisputeResolved', channel.pair);
  assert.equal((await (await failsafeAt(api, resolved.hash)).moment()).clock, resolveAt);
  // 400 − 500 + 150: left keeps 50. The starter hid a payment: its deposit is the responder's.
  const shares = outcome(50n * FRD, 350n * FRD);
  assert.deepEqual(resolved.data, { ...channel.pair, epoch: 0n, outcomes: shares });
  assert.equal(await freeAt(api, resolved.hash, channel.left), left + 50n * FRD);
  assert.equal(await freeAt(api, resolved.hash, channel.right), right + 350n * FRD + DISPUTE_DEPOSIT);
  const after = await channel.at(resolved.hash);
  assert.deepEqual([after.epoch, after.dispute, after.collateral], [1n, null, []]);
  assert.deepEqual(after.oldEpochs, [
    {
      epoch: 0n,
      at: resolveAt,
      counted: [[[BigInt(NATIVE), 500n * FRD]], [[BigInt(NATIVE), 150n * FRD]]],
      locks: [[], []],
    },
  ]);

  const uncountered = await untilEvent(api, disputed.hash, 'insurance.DisputeResolved', other.pair);
  assert.deepEqual(uncountered.data.outcomes, outcome(300n * FRD, 100n * FRD));
});

test('s21_accept_should_resolve_at_once_when_it_names_what_is_presented', async () => {
  const again = channel.in(1);
  await send(again.deposit('left', 100n * FRD), again.left);
  const evidence = { theirs: null, ours: again.acked('left', paid(1, 20n * FRD)) };
  const { hash } = await send(again.dispute('left', evidence), again.left);
  const { digest } = (await again.at(hash)).dispute;

  const accept = (presented) => api.tx.insurance.accept(again.pair.left, presented);
  const wrong = await sendRefused(accept(api.genesisHash), again.right);
  assert.equal(wrong.error, 'insurance.NotWhatIsPresented');
  const { events } = await send(accept(digest), again.right);
  assert.deepEqual(named(events, 'insurance.DisputeResolved'), [
    { ...again.pair, epoch: 1n, outcomes: outcome(80n * FRD, 20n * FRD) },
  ]);
  const released = named(events, 'balances.Released', { who: again.pair.left });
  assert.deepEqual(released.map(({ amount }) => amount), [DISPUTE_DEPOSIT]);
});
