/** Bob's batches of a deposit at Bob@Charlie and a payment to a shop. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { sideOf } from '../lib/payloads.mjs';
import {
  best,
  collateralIn,
  connect,
  failsafeAt,
  FRD,
  keys,
  named,
  NATIVE,
  send,
  sendRefused,
  withDeposit,
} from '../support/chain.mjs';

const UNKNOWN_ASSET = 4_000_000;

let api, bob, charlie, shop, side;

before(async () => {
  api = await connect();
  [bob, charlie, shop] = await keys('//Bob', '//Charlie', '//Shop');
  side = sideOf(bob.address, charlie.address);
});
after(() => api?.disconnect());

const deposit = (amount, asset = NATIVE) =>
  api.tx.insurance.deposit(asset, amount, bob.address, charlie.address, null);

const pay = (amount) => api.tx.balances.transferKeepAlive(shop.address, amount);

/** What the batches move. */
async function stateAt(hash) {
  const { balances, channel } = await failsafeAt(api, hash);
  const [{ free }] = await balances(shop.address, [NATIVE]);
  return { collateral: collateralIn(await channel(bob.address, charlie.address), NATIVE), free };
}

test('batch_should_carry_out_all_actions_when_none_fails', async () => {
  const { collateral, free } = await stateAt(await best(api));
  const batch = api.tx.batch.submit([deposit(300n * FRD), pay(2n * FRD)], 'Atomic');
  const { hash, events } = await send(batch, bob);
  assert.deepEqual(named(events, 'batch.BatchCompleted'), [{ account: bob.address, done: 2n, skipped: 0n }]);
  assert.equal(named(events, 'insurance.Deposit').length, 1);
  assert.deepEqual(await stateAt(hash), {
    collateral: withDeposit(collateral, side, 300n * FRD),
    free: free + 2n * FRD,
  });
});

test('s69_batch_should_change_nothing_when_an_action_of_an_atomic_one_fails', async () => {
  const state = await stateAt(await best(api));
  const actions = [deposit(FRD), pay(FRD), deposit(FRD, UNKNOWN_ASSET)];
  const { hash, error } = await sendRefused(api.tx.batch.submit(actions, 'Atomic'), bob);
  assert.equal(error, 'insurance.UnknownAsset');
  assert.deepEqual(await stateAt(hash), state);
});

test('batch_should_skip_the_failing_action_when_asked_to', async () => {
  const { collateral, free } = await stateAt(await best(api));
  const actions = [deposit(FRD), deposit(FRD, UNKNOWN_ASSET), pay(FRD)];
  const { hash, events } = await send(api.tx.batch.submit(actions, 'SkipFailed'), bob);
  assert.deepEqual(named(events, 'batch.ActionSkipped'), [{ index: 1n, error: 'insurance.UnknownAsset' }]);
  assert.deepEqual(named(events, 'batch.BatchCompleted'), [{ account: bob.address, done: 2n, skipped: 1n }]);
  assert.deepEqual(await stateAt(hash), { collateral: withDeposit(collateral, side, FRD), free: free + FRD });
});

test('batch_should_be_refused_when_an_action_is_a_batch', async () => {
  const inner = api.tx.batch.submit([pay(FRD)], 'Atomic');
  const { error } = await sendRefused(api.tx.batch.submit([inner], 'SkipFailed'), bob);
  assert.equal(error, 'batch.NotAnAction');
});

test('s69_batch_should_wait_for_the_next_block_when_its_account_sends_two_at_once', async () => {
  const { free } = await stateAt(await best(api));
  const nonce = (await api.rpc.system.accountNextIndex(bob.address)).toNumber();
  const batches = [pay(FRD), pay(2n * FRD)].map((action) => api.tx.batch.submit([action], 'Atomic'));
  const sent = await Promise.all(batches.map((batch, i) => send(batch, bob, { nonce: nonce + i })));
  const numbers = await Promise.all(
    sent.map(async ({ hash }) => (await api.rpc.chain.getHeader(hash)).number.toNumber())
  );
  assert(numbers[1] > numbers[0], `blocks ${numbers}`);
  assert.equal((await stateAt(sent[0].hash)).free, free + FRD);
  assert.equal((await stateAt(sent[1].hash)).free, free + 3n * FRD);
});
