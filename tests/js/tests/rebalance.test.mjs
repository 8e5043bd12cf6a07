/** A hub's batch out of two proofs, one of which is bad: scenario 62. One after the other. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import {
  best,
  collateralIn,
  connect,
  feeOf,
  freeAt,
  FRD,
  keys,
  named,
  NATIVE,
  send,
  sendRefused,
} from '../support/chain.mjs';
import { Channel, fund } from '../support/channel.mjs';
import { funder } from '../support/funders.mjs';

const PAIR_FEE = FRD / 100n;
/** What the hub pays fees from. */
const SPARE = 10n * FRD;

let api, hub, honest, cheat, receivers;

before(async () => {
  api = await connect();
  const names = ['Hub', 'Honest', 'Cheat', 'A', 'B', 'C'].map((name) => `//Rebalance//${name}`);
  const people = await keys(...names);
  const rich = await funder(import.meta.url);
  hub = people[0];
  [honest, cheat, ...receivers] = people.slice(1).map((one) => new Channel(api, hub, one));
  await fund(api, rich, people.slice(1, 3), 1_100n * FRD);
  await fund(api, rich, [hub], SPARE);
  for (const channel of [honest, cheat]) {
    const user = userOf(channel);
    await send(channel.deposit(user, 1_000n * FRD), channel.signer(user));
  }
});
after(() => api?.disconnect());

const userOf = (channel) => (channel.left === hub ? 'right' : 'left');
const hubOf = (channel) => (channel.left === hub ? 'left' : 'right');

/** 800 from each user, the second one with a proof for something else; then 1,000, 400 and 150. */
async function actions() {
  const withdrawal = await honest.withdrawal(800n * FRD);
  const good = honest.withdraw(hubOf(honest), withdrawal);
  const proof = cheat.proof(hubOf(cheat), { ...withdrawal, withdrawalNonce: 1 });
  const bad = api.tx.insurance.withdraw(cheat.signer(userOf(cheat)).address, withdrawal, proof);
  const amounts = [1_000n, 400n, 150n];
  const deposits = receivers.map((channel, i) => channel.deposit(hubOf(channel), amounts[i] * FRD));
  return [good, bad, ...deposits];
}

const insurance = async (channel, hash) => collateralIn(await channel.at(hash), NATIVE).insurance;

const insurances = (hash) =>
  Promise.all([honest, cheat, ...receivers].map((channel) => insurance(channel, hash)));

test('s62_batch_should_change_nothing_when_one_proof_of_an_atomic_one_is_bad', async () => {
  const before = await freeAt(api, await best(api), hub);
  const { hash, error, fee } = await sendRefused(api.tx.batch.submit(await actions(), 'Atomic'), hub);
  assert.equal(error, 'insurance.BadProof');
  assert.deepEqual(await insurances(hash), [1_000n * FRD, 1_000n * FRD, 0n, 0n, 0n]);
  assert.equal(await freeAt(api, hash, hub), before - fee);
  assert.deepEqual((await honest.at(hash)).withdrawalNonces, [0n, 0n]);
});

test('s62_batch_should_do_what_it_can_when_it_skips_what_fails', async () => {
  const before = await freeAt(api, await best(api), hub);
  const { hash, events } = await send(api.tx.batch.submit(await actions(), 'SkipFailed'), hub);
  assert.deepEqual(named(events, 'batch.ActionSkipped'), [
    { index: 1n, error: 'insurance.BadProof' },
    { index: 2n, error: 'Token.FundsUnavailable' },
  ]);
  assert.deepEqual(named(events, 'batch.BatchCompleted'), [{ account: hub.address, done: 3n, skipped: 2n }]);
  assert.deepEqual(await insurances(hash), [200n * FRD, 1_000n * FRD, 0n, 400n * FRD, 150n * FRD]);
  // 800 in, 550 out, and two records.
  const change = 250n * FRD - 2n * PAIR_FEE - feeOf(events);
  assert.equal(await freeAt(api, hash, hub), before + change);
});
