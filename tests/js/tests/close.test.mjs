/** Closes that both signed, and what they make void: scenarios 16 and 38. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

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
import { Channel, fund, paid } from '../support/channel.mjs';
import { funder } from '../support/funders.mjs';

let api, insured, uninsured;

before(async () => {
  api = await connect();
  const people = await keys('//Close//1', '//Close//2', '//Close//3');
  await fund(api, await funder(import.meta.url), people);
  insured = new Channel(api, people[0], people[1]);
  uninsured = new Channel(api, people[1], people[2]);
});
after(() => api?.disconnect());

const clockAt = async (hash) => (await (await failsafeAt(api, hash)).moment()).clock;

const closeFor = async (offdelta) => ({
  validUntil: (await clockAt(await best(api))) + 50n,
  offdeltas: [[NATIVE, offdelta]],
});

test('s38_close_should_pay_both_at_once_when_both_signed_it', async () => {
  const { hash } = await send(insured.deposit('left', 5_000n * FRD), insured.left);
  const [left, right] = [await freeAt(api, hash, insured.left), await freeAt(api, hash, insured.right)];
  const close = await closeFor(-1_000n * FRD);
  const closed = await send(insured.close('left', close), insured.left);
  assert.deepEqual(named(closed.events, 'insurance.DisputeResolved'), [
    {
      ...insured.pair,
      epoch: 0n,
      outcomes: [
        {
          asset: BigInt(NATIVE),
          leftInsured: 4_000n * FRD,
          rightInsured: 1_000n * FRD,
          leftOwed: 0n,
          rightOwed: 0n,
          booked: 0n,
        },
      ],
    },
  ]);
  assert.equal(await freeAt(api, closed.hash, insured.left), left + 4_000n * FRD - feeOf(closed.events));
  assert.equal(await freeAt(api, closed.hash, insured.right), right + 1_000n * FRD);
  const { epoch, collateral, oldEpochs } = await insured.at(closed.hash);
  assert.deepEqual([epoch, collateral, oldEpochs], [1n, [], []]);
});

test('s38_close_should_be_refused_when_it_was_signed_for_an_older_epoch', async () => {
  const { error } = await sendRefused(insured.close('right', await closeFor(0n)), insured.right);
  assert.equal(error, 'insurance.BadProof');
});

test('s16_withdrawal_should_be_refused_when_its_proof_is_of_an_older_epoch', async () => {
  await send(insured.deposit('right', 60n * FRD), insured.right);
  const old = insured.withdraw('right', await insured.withdrawal(60n * FRD));
  const { hash, error } = await sendRefused(old, insured.right);
  assert.equal(error, 'insurance.BadProof');
  const { collateral } = await insured.at(hash);
  assert.deepEqual(collateral, [[BigInt(NATIVE), { insurance: 60n * FRD, ondelta: 0n }]]);
});

test('s38_late_claim_should_be_refused_when_the_epoch_ended_by_a_close', async () => {
  const { simplex, signature } = insured.signed('left', paid(9, 2_000n * FRD));
  const claim = api.tx.insurance.lateClaim(insured.pair.left, 0, simplex, signature);
  const { error } = await sendRefused(claim, insured.right);
  assert.equal(error, 'insurance.NoLateClaims');
});

test('m16_close_should_wait_for_the_deadline_when_it_books_a_debt', async () => {
  const owed = 30_000n * FRD;
  const { hash, events } = await send(uninsured.close('right', await closeFor(-owed)), uninsured.right);
  const resolveAt = (await clockAt(hash)) + 8n;
  assert.deepEqual(named(events, 'insurance.DisputeSettled'), [{ ...uninsured.pair, resolveAt }]);
  const { dispute } = await uninsured.at(hash);
  assert.deepEqual([dispute.starter, dispute.settled, dispute.resolveAt], [null, true, resolveAt]);

  const late = { theirs: uninsured.signed('left', paid(1, 1n)), ours: null };
  const { error } = await sendRefused(uninsured.counter('right', late), uninsured.right);
  assert.equal(error, 'insurance.AlreadySettled');

  const before = await freeAt(api, hash, uninsured.left);
  const { floorUser } = await (await failsafeAt(api, hash)).parameters();
  const resolved = await untilEvent(api, hash, 'insurance.DisputeResolved', uninsured.pair);
  const booked = owed - (before - floorUser);
  const [outcome] = resolved.data.outcomes;
  assert.deepEqual([outcome.leftOwed, outcome.booked], [owed, booked]);
  assert.equal(await clockAt(resolved.hash), resolveAt);
  assert.equal(await freeAt(api, resolved.hash, uninsured.left), floorUser);
  const { owedTo } = await failsafeAt(api, resolved.hash);
  assert.equal(await owedTo(uninsured.pair.left, uninsured.pair.right, NATIVE), booked);
});
