/** The channel of somebody with Bob: deposit, withdrawal by proof, dispute. One after the other. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { u8aWrapBytes } from '@polkadot/util';

import { channelContext, sideOf, withdrawalMessage } from '../lib/payloads.mjs';
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
  untilEvent,
  withDeposit,
} from '../support/chain.mjs';

let api, owner, bob, side;

before(async () => {
  api = await connect();
  [owner, bob] = await keys('//Charlie//stash', '//Bob');
  side = sideOf(owner.address, bob.address);
});
after(() => api?.disconnect());

const channelAt = async (hash) => (await failsafeAt(api, hash)).channel(owner.address, bob.address);

const deposit = (amount) => api.tx.insurance.deposit(NATIVE, amount, owner.address, bob.address, null);

const withdraw = ([withdrawal, proof]) => api.tx.insurance.withdraw(bob.address, withdrawal, proof);

/** The next withdrawal, and Bob's signature over what `prepare` makes of its message. */
async function signedByBob(amount, prepare = (message) => message) {
  const { moment, channel } = await failsafeAt(api, await best(api));
  const { epoch, withdrawalNonces } = await channel(owner.address, bob.address);
  const withdrawal = {
    withdrawalNonce: withdrawalNonces[side === 'left' ? 0 : 1],
    validUntil: (await moment()).clock + 50n,
    items: [{ asset: NATIVE, amount, maxFromBalance: 0n }],
  };
  const context = channelContext(api.genesisHash.toU8a(), owner.address, bob.address, epoch);
  const message = withdrawalMessage(context, side, withdrawal);
  return [withdrawal, bob.sign(prepare(message), { withType: true })];
}

test('deposit_should_add_to_insurance_and_ondelta_when_a_party_pays_for_its_side', async () => {
  const amount = 5_000n * FRD;
  const collateral = collateralIn(await channelAt(await best(api)), NATIVE);
  const { hash, events } = await send(deposit(amount), owner, { finalized: true });
  assert.deepEqual(named(events, 'insurance.Deposit'), [
    { from: owner.address, beneficiary: owner.address, partner: bob.address, asset: BigInt(NATIVE), amount },
  ]);
  assert.deepEqual(collateralIn(await channelAt(hash), NATIVE), withDeposit(collateral, side, amount));
});

test('withdrawal_should_pay_out_of_the_insurance_when_bob_signed_its_proof', async () => {
  const amount = 1_200n * FRD;
  const collateral = collateralIn(await channelAt(await best(api)), NATIVE);
  const { hash, events } = await send(withdraw(await signedByBob(amount)), owner);
  assert.deepEqual(named(events, 'insurance.Withdraw'), [
    { account: owner.address, partner: bob.address, asset: BigInt(NATIVE), amount, fromBalance: 0n },
  ]);
  assert.deepEqual(collateralIn(await channelAt(hash), NATIVE), withDeposit(collateral, side, -amount));
});

test('s08_withdrawal_should_be_refused_when_its_proof_is_used_again', async () => {
  const signed = await signedByBob(FRD);
  const { hash } = await send(withdraw(signed), owner);
  const again = await sendRefused(withdraw(signed), owner);
  assert.equal(again.error, 'insurance.WrongWithdrawalNonce');
  assert.deepEqual(await channelAt(again.hash), await channelAt(hash));
});

test('a1_withdrawal_should_be_refused_when_a_wallet_wrapped_the_message', async () => {
  const { error } = await sendRefused(withdraw(await signedByBob(FRD, u8aWrapBytes)), owner);
  assert.equal(error, 'insurance.BadProof');
});

test('s17_dispute_should_return_the_insurance_by_itself_when_there_is_no_evidence', async () => {
  await send(deposit(7n * FRD), owner);
  const dispute = api.tx.insurance.dispute(bob.address, 0, { theirs: null, ours: null });
  const { hash, events } = await send(dispute, owner);

  const at = await failsafeAt(api, hash);
  const { clock } = await at.moment();
  const { delayUser, disputeDeposit } = await at.parameters();
  const channel = await channelAt(hash);
  const { epoch, pair } = channel;
  const resolveAt = clock + delayUser;
  assert.deepEqual(named(events, 'insurance.DisputeStarted'), [
    { ...pair, epoch, starter: owner.address, resolveAt },
  ]);
  assert.equal(channel.dispute.resolveAt, resolveAt);

  const resolved = await untilEvent(api, hash, 'insurance.DisputeResolved', pair);
  const { insurance } = collateralIn(channel, NATIVE);
  const [leftInsured, rightInsured] = side === 'left' ? [insurance, 0n] : [0n, insurance];
  assert.deepEqual(resolved.data, {
    ...pair,
    epoch,
    outcomes: [{ asset: BigInt(NATIVE), leftInsured, rightInsured, leftOwed: 0n, rightOwed: 0n, booked: 0n }],
  });
  const paid = named(resolved.events, 'balances.Transfer', { to: owner.address, amount: insurance });
  const refund = { who: owner.address, amount: disputeDeposit };
  const released = named(resolved.events, 'balances.Released', refund);
  assert.deepEqual([paid.length, released.length], [1, 1]);
  assert.equal((await (await failsafeAt(api, resolved.hash)).moment()).clock, resolveAt);

  const next = await channelAt(resolved.hash);
  assert.equal(next.epoch, epoch + 1n);
  assert.equal(next.dispute, null);
  assert.deepEqual(next.collateral, []);
});
