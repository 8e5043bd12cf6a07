/** Withdrawals with hand-made proofs: scenarios 6 to 9, 12, 15 and 56. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { channelContext, simplexMessage, withdrawalMessage } from '../lib/payloads.mjs';
import {
  best,
  collateralIn,
  connect,
  feeOf,
  FRB,
  FRD,
  freeAt,
  keys,
  named,
  NATIVE,
  send,
  sendRefused,
} from '../support/chain.mjs';
import { Channel, fromLeft, fund, paid } from '../support/channel.mjs';
import { funder } from '../support/funders.mjs';

let api, channel, drawn, stranger;

before(async () => {
  api = await connect();
  const people = await keys('//With//1', '//With//2', '//With//3');
  stranger = await funder(import.meta.url);
  await fund(api, stranger, people, 1_000n * FRD);
  const [first, second, third] = fromLeft(...people);
  channel = new Channel(api, first, second);
  drawn = new Channel(api, second, third);
});
after(() => api?.disconnect());

const rows = async (hash, asset = NATIVE) => collateralIn(await channel.at(hash), asset);

test('s06_withdrawal_should_come_from_the_insurance_when_left_withdraws', async () => {
  await send(channel.deposit('left', 10n * FRD), channel.left);
  const before = await freeAt(api, await best(api), channel.left);
  const call = channel.withdraw('left', await channel.withdrawal(3n * FRD));
  const { hash, events } = await send(call, channel.left);
  assert.deepEqual(await rows(hash), { insurance: 7n * FRD, ondelta: 7n * FRD });
  assert.equal(await freeAt(api, hash, channel.left), before + 3n * FRD - feeOf(events));
  assert.deepEqual((await channel.at(hash)).withdrawalNonces, [1n, 0n]);
});

test('s07_s08_withdrawal_should_happen_once_when_right_sends_its_proof_twice', async () => {
  const withdrawal = await channel.withdrawal(4n * FRD);
  const { hash } = await send(channel.withdraw('right', withdrawal), channel.right);
  assert.deepEqual(await rows(hash), { insurance: 3n * FRD, ondelta: 7n * FRD });
  const again = await sendRefused(channel.withdraw('right', withdrawal), channel.right);
  assert.equal(again.error, 'insurance.WrongWithdrawalNonce');
  assert.deepEqual(await channel.at(again.hash), await channel.at(hash));
});

test('s09_withdrawal_should_take_both_assets_when_one_proof_names_them', async () => {
  await send(api.tx.assets.transferKeepAlive(FRB, channel.pair.left, 100n), stranger);
  const [left, right] = [channel.pair.left, channel.pair.right];
  await send(api.tx.insurance.deposit(FRB, 50n, left, right, null), channel.left);
  const { validUntil } = await channel.withdrawal(0n);
  const items = [
    { asset: NATIVE, amount: FRD, maxFromBalance: 0n },
    { asset: FRB, amount: 5n, maxFromBalance: 0n },
  ];
  const call = channel.withdraw('left', { withdrawalNonce: 1, validUntil, items });
  const { hash, events } = await send(call, channel.left);
  const of = { account: left, partner: right, fromBalance: 0n };
  assert.deepEqual(named(events, 'insurance.Withdraw'), [
    { ...of, asset: BigInt(NATIVE), amount: FRD },
    { ...of, asset: BigInt(FRB), amount: 5n },
  ]);
  assert.deepEqual(await rows(hash), { insurance: 2n * FRD, ondelta: 6n * FRD });
  assert.deepEqual(await rows(hash, FRB), { insurance: 45n, ondelta: 45n });
});

test('s12_withdrawal_should_draw_on_the_partner_when_the_proof_allows_it', async () => {
  await send(drawn.deposit('left', 30n * FRD), drawn.left);
  const before = await freeAt(api, await best(api), drawn.right);
  const refused = await drawn.withdrawal(80n * FRD, { maxFromBalance: 50n * FRD - 1n });
  const { error } = await sendRefused(drawn.withdraw('left', refused), drawn.left);
  assert.equal(error, 'insurance.AboveMaxFromBalance');

  const withdrawal = await drawn.withdrawal(80n * FRD, { maxFromBalance: 50n * FRD });
  const { hash, events } = await send(drawn.withdraw('left', withdrawal), drawn.left);
  const [{ amount, fromBalance }] = named(events, 'insurance.Withdraw');
  assert.deepEqual([amount, fromBalance], [80n * FRD, 50n * FRD]);
  assert.equal(await freeAt(api, hash, drawn.right), before - 50n * FRD);
  // What the partner paid is off the channel: (30, 30) became (0, −50).
  assert.deepEqual(collateralIn(await drawn.at(hash), NATIVE), { insurance: 0n, ondelta: -50n * FRD });
});

test('s15_withdrawal_should_be_refused_when_the_partner_cannot_pay', async () => {
  const most = { withdrawalNonce: 1, maxFromBalance: 5_000n * FRD };
  const call = drawn.withdraw('left', await drawn.withdrawal(5_000n * FRD, most));
  const { hash, error } = await sendRefused(call, drawn.left);
  assert.equal(error, 'insurance.PartnerCannotPay');
  assert.deepEqual((await drawn.at(hash)).withdrawalNonces, [1n, 0n]);
});

/** The withdrawal with a signature of the partner over something that differs in one thing. */
const misSigned = async (context, to = 'left') => {
  const withdrawal = await channel.withdrawal(FRD, { withdrawalNonce: 2 });
  const proof = channel.right.sign(withdrawalMessage(context, to, withdrawal), { withType: true });
  return api.tx.insurance.withdraw(channel.pair.right, withdrawal, proof);
};

test('s56_proof_should_be_refused_when_it_is_of_another_chain_pair_epoch_or_side', async () => {
  const genesis = api.genesisHash.toU8a();
  const { left, right } = channel.pair;
  const otherPair = channelContext(genesis, right, stranger.address, 0);
  for (const call of [
    await misSigned(channelContext(genesis.map((byte) => byte ^ 1), left, right, 0)),
    await misSigned(otherPair),
    await misSigned(channelContext(genesis, left, right, 1)),
    await misSigned(channel.context, 'right'),
  ]) {
    const { error } = await sendRefused(call, channel.left);
    assert.equal(error, 'insurance.BadProof');
  }
});

test('s56_evidence_should_be_refused_when_it_is_of_another_chain', async () => {
  const simplex = paid(1, FRD);
  const elsewhere = { ...channel.context, genesisHash: new Uint8Array(32) };
  const message = simplexMessage(elsewhere, 'right', simplex);
  const signature = { direct: channel.right.sign(message, { withType: true }) };
  const evidence = { theirs: { simplex, signature }, ours: null };
  const { error } = await sendRefused(channel.dispute('left', evidence), channel.left);
  assert.equal(error, 'insurance.BadProof');
});
