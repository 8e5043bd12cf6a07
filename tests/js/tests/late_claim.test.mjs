/** What a payee who was away gets after the resolve: scenarios 29 and 30. */

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
import { Channel, fund, NO_EVIDENCE, paid } from '../support/channel.mjs';
import { funder } from '../support/funders.mjs';

const HIDDEN = paid(7, 70n * FRD);

let api, rich, poor;

before(async () => {
  api = await connect();
  const people = await keys('//Late//1', '//Late//2', '//Late//3');
  await fund(api, await funder(import.meta.url), people, 1_000n * FRD);
  const [payer, payee, nobody] = people;
  rich = new Channel(api, payer, payee);
  poor = new Channel(api, payee, nobody);
});
after(() => api?.disconnect());

const lateClaim = (channel, epoch) => {
  const { simplex, signature } = channel.in(epoch).signed('left', HIDDEN);
  return api.tx.insurance.lateClaim(channel.pair.left, epoch, simplex, signature);
};

/** Left has 100 insured and disputes with its simplex of 40; right, who has 70, is away. */
async function disputeWithHidden(channel) {
  await send(channel.deposit('left', 100n * FRD), channel.left);
  const evidence = { theirs: null, ours: channel.acked('left', paid(5, 40n * FRD)) };
  return send(channel.dispute('left', evidence), channel.left);
}

test('s29_late_claim_should_be_refused_when_the_epoch_was_never_disputed', async () => {
  const { error } = await sendRefused(lateClaim(rich, 0), rich.right);
  assert.equal(error, 'insurance.NoLateClaims');
});

test('s29_late_claim_should_pay_the_difference_once_when_the_payer_hid_a_payment', async () => {
  const [first, second] = [await disputeWithHidden(rich), await disputeWithHidden(poor)];
  for (const [channel, { hash }] of [[rich, first], [poor, second]]) {
    const { data } = await untilEvent(api, hash, 'insurance.DisputeResolved', channel.pair);
    const [{ leftInsured, rightInsured }] = data.outcomes;
    assert.deepEqual([leftInsured, rightInsured], [60n * FRD, 40n * FRD]);
  }

  const at = await best(api);
  const [payer, payee] = [await freeAt(api, at, rich.left), await freeAt(api, at, rich.right)];
  const { hash, events } = await send(lateClaim(rich, 0), rich.right);
  const amount = 30n * FRD;
  const { left, right } = rich.pair;
  assert.deepEqual(named(events, 'insurance.LateClaim'), [
    { payer: left, payee: right, epoch: 0n, asset: BigInt(NATIVE), amount },
  ]);
  assert.equal(await freeAt(api, hash, rich.left), payer - amount);
  assert.equal(await freeAt(api, hash, rich.right), payee + amount - feeOf(events));

  const again = await sendRefused(lateClaim(rich, 0), rich.right);
  assert.equal(again.error, 'insurance.NothingToClaim');
});

test('s29_old_simplex_should_be_refused_when_it_is_brought_into_the_new_epoch', async () => {
  const evidence = { theirs: rich.signed('left', HIDDEN), ours: null };
  const dispute = api.tx.insurance.dispute(rich.pair.left, 1, evidence);
  const { error } = await sendRefused(dispute, rich.right);
  assert.equal(error, 'insurance.BadProof');
});

test('s29_late_claim_should_become_a_debt_when_the_payer_has_nothing', async () => {
  // All but what the payer's floor keeps, so that nothing is left for creditors.
  const { floorUser } = await (await failsafeAt(api, await best(api))).parameters();
  const away = api.tx.balances.transferKeepAlive(rich.right.address, 0n);
  const free = await freeAt(api, await best(api), poor.left);
  const { partialFee } = await away.paymentInfo(poor.left);
  // The fee of the real call is at most that of one with a longer amount.
  const amount = free - floorUser - 2n * partialFee.toBigInt();
  const moved = await send(api.tx.balances.transferKeepAlive(rich.left.address, amount), poor.left);
  const spare = (await freeAt(api, moved.hash, poor.left)) - floorUser;
  assert(spare >= 0n && spare < FRD / 100n);

  const { hash, events } = await send(lateClaim(poor, 0), poor.right);
  const booked = 30n * FRD - spare;
  const { left, right } = poor.pair;
  const openedIn = (await (await failsafeAt(api, hash)).moment()).block;
  assert.deepEqual(named(events, 'debt.DebtCreated'), [
    { debtor: left, creditor: right, asset: BigInt(NATIVE), amount: booked, openedIn, index: 0n },
  ]);
  assert.equal(await freeAt(api, hash, poor.left), floorUser);
});

test('s30_dispute_should_return_a_fresh_deposit_when_the_old_epoch_was_disputed', async () => {
  const again = rich.in(1);
  await send(again.deposit('left', 50n * FRD), again.left);
  const { hash } = await send(again.dispute('left', NO_EVIDENCE), again.left);
  const before = await freeAt(api, hash, again.left);
  const resolved = await untilEvent(api, hash, 'insurance.DisputeResolved', again.pair);
  assert.equal(resolved.data.epoch, 1n);
  assert.equal(await freeAt(api, resolved.hash, again.left), before + 50n * FRD + FRD / 10n);
});
